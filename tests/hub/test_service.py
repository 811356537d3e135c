"""Who is let in and what is answered, without a database."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import UUID

import asyncpg
import grpc
import pytest

from dca.hub.front import Caller, Callers
from dca.hub.ingest.service import MAX_ROWS, Telemetry
from dca.hub.ingest.statements import CLONE
from tests.hub.office import NOON, laser, report, row

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

AGENT = UUID("7a1e5c1e-0000-4000-8000-000000000001")
"""Who `report` speaks for."""
PORT, NOBODY, OTHER = 40001, 40002, 40003
"""Local ports of the front's connections: of the agent, of somebody without a certificate, of another agent."""


class AbortedError(Exception):
    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(f"{code.name}: {details}")
        self.code = code


class FakeCall:
    def __init__(self, peer: str = f"ipv4:127.0.0.1:{PORT}") -> None:
        self._peer = peer

    def peer(self) -> str:
        return self._peer

    async def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        raise AbortedError(code, details)


class FakePool:
    """Lends no connection, but raises what it is told to; with `record` one that knows this of every agent."""

    def __init__(self, error: Exception | None = None, record: dict[str, Any] | None = None) -> None:
        self.error = error
        self.record = record
        self.asked: list[UUID] = []
        self.gate = asyncio.Event()
        self.gate.set()

    @asynccontextmanager
    async def acquire(self, *, timeout: float) -> AsyncIterator[FakePool]:  # noqa: ASYNC109 - asyncpg's word
        assert timeout
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        yield self

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        yield

    async def fetchrow(self, _sql: str, agent_id: UUID, serial: str) -> dict[str, Any] | None:
        assert serial == "1f"
        self.asked.append(agent_id)
        return self.record

    async def execute(self, sql: str, *given: Any) -> None:
        assert (sql, given) == (CLONE, (1, NOON))


def callers() -> Callers:
    there = Callers()
    there.add(PORT, Caller("192.0.2.1", AGENT, "1f"))
    there.add(NOBODY, Caller("192.0.2.2"))
    there.add(OTHER, Caller("192.0.2.3", UUID(int=7), "2f"))
    return there


def telemetry(pool: FakePool, **options: int) -> Telemetry:
    return Telemetry(pool, callers(), lambda: None, lambda: NOON, **options)  # type: ignore[arg-type]


async def outcome(handler: Telemetry, request: bytes, call: FakeCall | None = None) -> AbortedError:
    with pytest.raises(AbortedError) as caught:
        await handler.report(request, call or FakeCall())
    return caught.value


GOOD = report([row(laser(), 1)]).SerializeToString()


@pytest.mark.parametrize(
    "peer",
    [
        f"ipv4:127.0.0.1:{NOBODY}",
        "ipv4:127.0.0.1:40999",
        f"ipv4:127.0.0.2:{PORT}",
        f"ipv6:[::1]:{PORT}",
        f"unix:{PORT}",
        "ipv4:127.0.0.1:",
        "",
    ],
)
async def test_a_stranger_is_told_so_before_anything_is_read(peer: str) -> None:
    pool = FakePool()
    found = await outcome(telemetry(pool), b"not even a report \xff", FakeCall(peer))
    assert found.code is grpc.StatusCode.UNAUTHENTICATED
    assert "no certificate of this hub" in str(found)


async def test_nobody_speaks_for_another_agent() -> None:
    pool = FakePool()
    found = await outcome(telemetry(pool), GOOD, FakeCall(f"ipv4:127.0.0.1:{OTHER}"))
    assert found.code is grpc.StatusCode.UNAUTHENTICATED
    assert "another agent than its certificate" in str(found)
    assert pool.asked == []


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (None, "does not know the agent any more"),
        ({"id": 1, "revoked_at": NOON, "revoked_reason": "the PC was stolen"}, "was revoked: the PC was stolen"),
        ({"id": 1, "revoked_at": NOON, "revoked_reason": None}, "was revoked: no reason was given"),
        ({"id": 1, "revoked_at": None, "replaced_at": NOON}, "a newer certificate of this agent is in use"),
    ],
)
async def test_an_agent_that_may_not_report_is_sent_away_with_the_reason(
    record: dict[str, Any] | None, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    pool = FakePool(record=record)
    found = await outcome(telemetry(pool), GOOD)
    assert found.code is grpc.StatusCode.PERMISSION_DENIED
    assert words in str(found)
    assert words in caplog.text
    assert pool.asked == [AGENT]


@pytest.mark.parametrize(
    ("request_bytes", "says"),
    [
        (b"\xff\xff", "cannot be decoded"),
        (report([], agent_id="printer-pc").SerializeToString(), "no UUID"),
        (report([row(b"", n) for n in range(1, MAX_ROWS + 2)]).SerializeToString(), "1001 rows"),
    ],
)
async def test_a_report_that_is_none_is_refused_whole(request_bytes: bytes, says: str) -> None:
    found = await outcome(telemetry(FakePool()), request_bytes)
    assert found.code is grpc.StatusCode.INVALID_ARGUMENT
    assert says in str(found)


@pytest.mark.parametrize(
    "error", [OSError("gone"), TimeoutError(), asyncpg.InterfaceError("closed"), asyncpg.DiskFullError("full")]
)
async def test_a_database_that_is_away_asks_for_the_report_again(error: Exception) -> None:
    found = await outcome(telemetry(FakePool(error)), GOOD)
    assert found.code is grpc.StatusCode.UNAVAILABLE


async def test_no_free_connection_is_no_loss_either() -> None:
    pool = FakePool(asyncpg.TooManyConnectionsError("too many"))
    assert (await outcome(telemetry(pool), GOOD)).code is grpc.StatusCode.UNAVAILABLE


async def test_the_trouble_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    handler = telemetry(FakePool(OSError("gone")))
    for _ in range(3):
        await outcome(handler, GOOD)
    assert len(caplog.records) == 1


async def test_too_many_at_once_are_sent_away_and_room_is_given_back() -> None:
    pool = FakePool()
    pool.gate.clear()
    handler = telemetry(pool, max_waiting=1)
    first = asyncio.ensure_future(outcome(handler, GOOD))
    await asyncio.sleep(0)
    assert (await outcome(handler, GOOD)).code is grpc.StatusCode.RESOURCE_EXHAUSTED
    pool.gate.set()
    assert (await first).code is grpc.StatusCode.PERMISSION_DENIED
    assert (await outcome(handler, GOOD)).code is grpc.StatusCode.PERMISSION_DENIED

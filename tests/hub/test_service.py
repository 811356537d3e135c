"""Who is let in and what is answered, without a database."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import asyncpg
import grpc
import pytest

from dca.hub.ingest.service import MAX_ROWS, Telemetry
from tests.hub.office import NOON, laser, report, row

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class AbortedError(Exception):
    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(f"{code.name}: {details}")
        self.code = code


class FakeCall:
    def __init__(self, token: str | None = "right") -> None:
        self._metadata = (("authorization", f"Bearer {token}"),) if token is not None else ()

    def invocation_metadata(self) -> object:
        return self._metadata

    async def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        raise AbortedError(code, details)


class FakePool:
    """Knows one token; lends no connection, but raises what it is told to."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.gate = asyncio.Event()
        self.gate.set()

    async def fetchval(self, _sql: str, *_args: Any) -> int | None:
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return None

    @asynccontextmanager
    async def acquire(self, *, timeout: float) -> AsyncIterator[None]:  # noqa: ASYNC109 - asyncpg's word
        assert timeout
        raise asyncpg.TooManyConnectionsError("too many")
        yield


class KnownPool(FakePool):
    async def fetchval(self, _sql: str, *_args: Any) -> int | None:
        return 1


def telemetry(pool: FakePool, **options: int) -> Telemetry:
    return Telemetry(pool, lambda: None, lambda: NOON, **options)  # type: ignore[arg-type]


async def outcome(handler: Telemetry, request: bytes, call: FakeCall | None = None) -> AbortedError:
    with pytest.raises(AbortedError) as caught:
        await handler.report(request, call or FakeCall())
    return caught.value


GOOD = report([row(laser(), 1)]).SerializeToString()


@pytest.mark.parametrize("token", [None, "", "wrong"])
async def test_a_stranger_is_told_so_before_anything_is_read(token: str | None) -> None:
    found = await outcome(telemetry(FakePool()), b"not even a report \xff", FakeCall(token))
    assert found.code is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize(
    ("request_bytes", "says"),
    [
        (b"\xff\xff", "cannot be decoded"),
        (report([], agent_id="printer-pc").SerializeToString(), "no UUID"),
        (report([row(b"", n) for n in range(1, MAX_ROWS + 2)]).SerializeToString(), "1001 rows"),
    ],
)
async def test_a_report_that_is_none_is_refused_whole(request_bytes: bytes, says: str) -> None:
    found = await outcome(telemetry(KnownPool()), request_bytes)
    assert found.code is grpc.StatusCode.INVALID_ARGUMENT
    assert says in str(found)


@pytest.mark.parametrize(
    "error", [OSError("gone"), TimeoutError(), asyncpg.InterfaceError("closed"), asyncpg.DiskFullError("full")]
)
async def test_a_database_that_is_away_asks_for_the_report_again(error: Exception) -> None:
    found = await outcome(telemetry(FakePool(error)), GOOD)
    assert found.code is grpc.StatusCode.UNAVAILABLE


async def test_no_free_connection_is_no_loss_either() -> None:
    assert (await outcome(telemetry(KnownPool()), GOOD)).code is grpc.StatusCode.UNAVAILABLE


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
    assert (await first).code is grpc.StatusCode.UNAUTHENTICATED
    assert (await outcome(handler, GOOD)).code is grpc.StatusCode.UNAUTHENTICATED

"""What the hub makes of an agent's run and of its audit log: copies and rewritten logs, without a database."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from dca.hub.ingest.agents import REPLACED, Known, audit_head, keep_agent
from dca.hub.ingest.rows import check_rows
from dca.hub.ingest.statements import AGENT, AGENT_BEFORE, CLONE
from dca.hub.ingest.storage import Arrival
from dca.wire.report_pb2 import AgentInfo, AuditHead
from tests.hub.office import NOON

ID = UUID(int=1)
FIRST, SECOND, THIRD = (bytes([number]) * 16 for number in (1, 2, 3))


class Records:
    """The one agent's record and the runs of it that have ended, as the database keeps them."""

    def __init__(self) -> None:
        self.ended: set[bytes] = set()
        self.replaced: dict[str, datetime] = {}
        self.record: dict[str, Any] = {
            "id": 9, "revoked_at": None, "revoked_reason": None, "instance": None, "audit_number": 0,
            "audit_hash": None, "audit_broken_at": None, "clone_seen_at": None,
        }  # fmt: skip
        self.told: tuple[Any, ...] = ()

    async def fetchrow(self, sql: str, agent_id: UUID, serial: str) -> dict[str, Any]:
        assert (sql, agent_id) == (AGENT_BEFORE, ID)
        return {**self.record, "replaced_at": self.replaced.get(serial)}

    async def fetchval(self, sql: str, *given: Any) -> object:
        return True if "agent_instances" in sql and given[1] in self.ended else None

    async def execute(self, sql: str, *given: Any) -> None:
        if sql is AGENT:
            self.told = given
            names = ("audit_number", "audit_hash", "audit_broken_at", "clone_seen_at", "instance")
            self.record.update(zip(names, given[12:], strict=True))
        elif sql is CLONE:
            assert given[0] == self.record["id"]
            self.record["clone_seen_at"] = given[1]
        elif "INSERT INTO agent_instances" in sql:
            self.ended.add(given[1])


class Office:
    """An agent that reports; each report comes a minute after the one before."""

    def __init__(self) -> None:
        self.records = Records()
        self.now = NOON

    async def reports(self, instance: bytes = FIRST, log: bytes = b"", held: int = 0, **info: Any) -> Known:
        """Report with a log whose entries have these letters for hashes, and show the entry of number `held`."""
        entries = [AuditHead(number=number, hash=bytes([letter]) * 32) for number, letter in enumerate(log, 1)]
        known = await self.arrives(
            ID, AgentInfo(**info), 0, None, self.now, check_rows([]), "1f", instance,
            entries[-1] if entries else None, entries[held - 1] if 0 < held <= len(entries) else None,
        )  # fmt: skip
        assert isinstance(known, Known)
        return known

    async def arrives(self, *given: Any) -> Known | str:
        """Take a report as it came in, a minute later."""
        self.now += timedelta(minutes=1)
        arrival = Arrival(*given)._replace(received_at=self.now)
        return await keep_agent(self.records, arrival)  # type: ignore[arg-type]


@pytest.fixture
def office() -> Office:
    return Office()


async def test_a_restart_is_no_copy(office: Office) -> None:
    for instance in (FIRST, FIRST, SECOND, SECOND, THIRD):
        assert not (await office.reports(instance)).clone_seen
    assert office.records.record["instance"] == THIRD
    assert office.records.ended == {FIRST, SECOND}


async def test_a_run_that_was_over_and_speaks_again_is_a_copy_and_both_are_told_for_a_day(office: Office) -> None:
    await office.reports(FIRST)
    await office.reports(SECOND)
    assert (await office.reports(FIRST)).clone_seen
    assert office.records.record["instance"] == SECOND, "the copy does not take its place"
    assert (await office.reports(SECOND)).clone_seen
    office.now += timedelta(days=1)
    assert not (await office.reports(SECOND)).clone_seen


async def test_who_comes_with_a_certificate_that_was_replaced_is_a_copy_and_is_sent_away(office: Office) -> None:
    await office.reports(FIRST)
    office.records.replaced["1e"] = NOON
    assert await office.arrives(ID, AgentInfo(), 0, None, NOON, check_rows([]), "1e", SECOND) == REPLACED
    assert office.records.record["instance"] == FIRST
    assert (await office.reports(FIRST)).clone_seen, "the other one is told"


async def test_an_agent_without_runs_is_no_copy(office: Office) -> None:
    await office.reports(b"")
    await office.reports(b"short")
    assert office.records.record["instance"] is None


async def test_a_log_that_grows_is_held_by_its_newest_entry(office: Office) -> None:
    assert await office.reports(log=b"abc") == Known(9, 3, clone_seen=False, audit_broken=False)
    assert (await office.reports(log=b"abcde", held=3)).audit_number == 5
    assert (await office.reports(log=b"abcdefg")).audit_number == 5, "the first of a run shows nothing: it is held"
    assert office.records.record["audit_broken_at"] is None


@pytest.mark.parametrize(
    ("log", "held"),
    [(b"ab", 0), (b"abx", 0), (b"abxde", 3)],
    ids=["shorter", "the newest entry is another", "the entry that was held is another"],
)
async def test_a_log_that_was_rewritten_is_told_and_when_it_was_seen_first(
    office: Office, log: bytes, held: int
) -> None:
    await office.reports(log=b"abc")
    assert (await office.reports(log=log, held=held)).audit_broken
    first = office.records.record["audit_broken_at"]
    assert first == office.now
    assert office.records.record["audit_number"] == len(log), "from here on it is held to this one"
    await office.reports(log=log[:1])
    assert office.records.record["audit_broken_at"] == first


async def test_a_report_without_a_log_changes_nothing_of_what_is_held(office: Office) -> None:
    await office.reports(log=b"abc")
    assert await office.reports() == Known(9, 3, clone_seen=False, audit_broken=False)


@pytest.mark.parametrize(("number", "size"), [(0, 32), (2**63, 32), (1, 31), (1, 0)])
def test_an_entry_that_no_log_has_is_none(number: int, size: int) -> None:
    assert audit_head(AuditHead(number=number, hash=bytes(size))) is None
    assert audit_head(AuditHead(number=1, hash=bytes(32))) is not None


async def test_what_an_agent_says_of_itself_is_cut_and_cleaned(office: Office) -> None:
    policy = {f"kind_{number}": "x" * 100 for number in range(200)} | {"a\0b": "allow"}
    await office.reports(channel="w\0s" + "s" * 100, policy=policy, hostname="a\0b")
    said = "".join(str(value) for value in office.records.told)
    assert "\0" not in said
    assert "\\u0000" not in said
    assert len(said) < 10_000

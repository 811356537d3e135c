"""What a report says of the agent itself, and what an answer says of it: run, audit log, tasks, copies."""

from __future__ import annotations

import pytest

from dca.errors import DeliveryError, StoreError
from dca.telemetry import Delivery
from dca.wire.report_pb2 import AgentInfo, AuditHead, ReportResponse, RowName
from dca.wire.task_pb2 import Task


class Hub:
    """Stores everything and adds to its answer what a test wants."""

    def __init__(self) -> None:
        self.calls: list = []
        self.add: dict = {}
        self.fail: DeliveryError | None = None

    async def report(self, request):
        self.calls.append(request)
        if self.fail is not None:
            raise self.fail
        stored = [RowName(epoch=row.epoch, number=row.number) for row in request.rows]
        return ReportResponse(stored=stored, **self.add)

    async def close(self):
        pass


class Log:
    """An audit log of so many entries; each one's hash says its number."""

    def __init__(self, entries: int) -> None:
        self.entries = entries
        self.asked: list[int] = []

    def entry(self, number: int) -> AuditHead | None:
        return AuditHead(number=number, hash=bytes([number]) * 32) if 0 < number <= self.entries else None

    async def heads(self, held: int) -> tuple[AuditHead | None, AuditHead | None]:
        self.asked.append(held)
        return self.entry(self.entries), self.entry(held)


@pytest.fixture
def hub():
    return Hub()


@pytest.fixture
def audit():
    return Log(7)


@pytest.fixture
def told():
    return []


@pytest.fixture
def delivery(bench, hub, audit, told):
    async def on_task(task):
        told.append(task.body)

    return Delivery(bench.outbox, hub, AgentInfo, clock=bench.clock, waits=(), heads=audit.heads, on_task=on_task)


async def test_a_report_names_this_run_of_the_agent(bench, hub, delivery):
    await delivery.deliver_once()
    assert hub.calls[0].instance == bench.outbox.epoch
    assert len(hub.calls[0].instance) == 16
    before, _ = bench.outbox.epoch, await bench.reopen()
    await Delivery(bench.outbox, hub, AgentInfo, clock=bench.clock).deliver_once()
    assert hub.calls[1].instance == bench.outbox.epoch != before


async def test_the_newest_entry_goes_along_and_the_one_that_the_hub_holds(hub, delivery, audit):
    hub.add = {"audit_number": 5}
    await delivery.deliver_once()
    assert (hub.calls[0].audit.number, hub.calls[0].HasField("audit_held")) == (7, False), "not known before"
    audit.entries = 9
    await delivery.deliver_once()
    assert hub.calls[1].audit == audit.entry(9)
    assert hub.calls[1].audit_held == audit.entry(5)
    assert audit.asked == [0, 5]


async def test_a_failed_call_changes_nothing_of_what_the_hub_holds(hub, delivery, audit):
    hub.add = {"audit_number": 5}
    await delivery.deliver_once()
    hub.fail = DeliveryError("no route", "UNAVAILABLE")
    with pytest.raises(DeliveryError):
        await delivery.deliver_once()
    hub.fail = None
    await delivery.deliver_once()
    assert audit.asked == [0, 5, 5]


async def test_an_entry_that_is_gone_is_not_shown(hub, delivery, audit):
    hub.add = {"audit_number": 200}
    await delivery.deliver_once()
    await delivery.deliver_once()
    assert not hub.calls[1].HasField("audit_held")


async def test_without_an_audit_log_none_is_named(bench, hub):
    await Delivery(bench.outbox, hub, AgentInfo, clock=bench.clock).deliver_once()
    assert not hub.calls[0].HasField("audit")
    assert not hub.calls[0].HasField("audit_held")


async def test_each_task_of_each_answer_is_handed_on(bench, hub, delivery, told, snapshots):
    await bench.outbox.put(snapshots(1500))
    hub.add = {"tasks": [Task(body=b"a"), Task(body=b"b")]}
    done = await delivery.deliver_once()
    assert told == [b"a", b"b"] * 2
    assert done.tasks == 4


async def test_tasks_are_handed_on_before_the_rows_of_the_report_are_forgotten(bench, hub, delivery, snapshots):
    """A task that cannot be taken loses no row: the report comes again and the hub knows its rows."""

    async def on_task(_):
        raise StoreError("full")

    await bench.outbox.put(snapshots(3))
    delivery._on_task = on_task
    hub.add = {"tasks": [Task(body=b"a")]}
    with pytest.raises(StoreError):
        await delivery.deliver_once()
    assert len(await bench.rows()) == 3
    hub.add = {}
    assert (await delivery.deliver_once()).rows == 3


@pytest.mark.parametrize("word", ["clone_seen", "audit_broken"])
async def test_what_the_hub_sees_of_the_agent_is_in_the_figures_as_long_as_it_says_so(hub, delivery, word):
    assert not getattr(await delivery.deliver_once(), word)
    hub.add = {word: True}
    assert getattr(await delivery.deliver_once(), word)
    hub.add = {}
    assert not getattr(await delivery.deliver_once(), word)

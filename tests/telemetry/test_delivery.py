"""The delivery cycle against hubs in memory, honest and hostile."""

from __future__ import annotations

import asyncio
import logging
import statistics
import uuid

import pytest

from dca.errors import DeliveryError
from dca.telemetry import Delivery, Weight, phase
from dca.telemetry.pace import MAX_ROWS, MAX_SIZE, Pace
from dca.wire.report_pb2 import AgentInfo, RefusedRow, ReportResponse, RowName
from dca.wire.task_pb2 import Task


class Hub:
    """Stores what it is sent; `answer` may spoil the answer, `fail` raises before anything is stored."""

    def __init__(self) -> None:
        self.stored: dict[tuple[bytes, int], bytes] = {}
        self.calls: list = []
        self.fail = lambda _: None
        self.answer = lambda _, response: response
        self.time = 1_795_608_000.0

    async def report(self, request):
        self.calls.append(request)
        self.fail(request)
        response = ReportResponse()
        for row in request.rows:
            self.stored.setdefault((row.epoch, row.number), row.payload)
            response.stored.append(RowName(epoch=row.epoch, number=row.number))
        response.hub_time.FromMicroseconds(int(self.time * 1e6))
        return self.answer(request, response)

    async def close(self):
        pass


@pytest.fixture
def hub():
    return Hub()


@pytest.fixture
def slept():
    return []


@pytest.fixture
def delivery(bench, hub, slept):
    async def sleep(seconds):
        slept.append(seconds)

    return Delivery(
        bench.outbox,
        hub,
        lambda: AgentInfo(version="1", hostname="h"),
        clock=bench.clock,
        monotonic=lambda: 0.0,
        sleep=sleep,
        jitter=lambda: 0.5,
    )


async def test_everything_arrives_once_and_is_forgotten(bench, hub, delivery, snapshots):
    await bench.outbox.put(snapshots(2500))
    expected = await bench.rows()
    done = await delivery.deliver_once()
    assert hub.stored == expected
    assert [len(call.rows) for call in hub.calls] == [1000, 1000, 500]
    assert [call.backlog for call in hub.calls] == [1500, 500, 0]
    assert (done.calls, done.rows, done.refused, done.backlog) == (3, 2500, 0, 0)
    assert done.payload_bytes == sum(map(len, expected.values()))
    assert await bench.rows() == {}
    await bench.balance()


async def test_a_call_says_who_and_when_and_an_empty_outbox_calls_too(bench, hub, delivery):
    done = await delivery.deliver_once()
    (call,) = hub.calls
    assert call.agent_id == bench.outbox.agent_id
    assert call.agent.hostname == "h"
    assert call.sent_at.ToSeconds() == int(bench.clock.now)
    assert (done.calls, done.rows) == (1, 0)
    assert delivery.last_success == bench.clock.now


async def test_the_answer_teaches_clock_tasks_and_configuration(bench, hub, delivery):
    def answer(request, response):
        response.tasks.append(Task(body=b"t"))
        response.wanted_config = "r7"
        return response

    hub.answer = answer
    hub.time = bench.clock.now + 12.5
    done = await delivery.deliver_once()
    assert (done.clock_offset, done.wanted_config, done.tasks) == (12.5, "r7", 1)
    assert delivery.offset == 12.5
    hub.answer = lambda *_: ReportResponse()
    done = await delivery.deliver_once()
    assert (done.clock_offset, done.wanted_config, done.tasks) == (None, None, 0)
    assert delivery.offset == 12.5, "as last heard"


async def test_the_clock_offset_counts_from_the_middle_of_the_call(bench, hub):
    ticks = iter([100.0, 104.0])
    delivery = Delivery(bench.outbox, hub, AgentInfo, clock=bench.clock, monotonic=lambda: next(ticks))
    hub.time = bench.clock.now + 2.0
    assert (await delivery.deliver_once()).clock_offset == 0.0


async def test_a_lost_answer_sends_again_and_stores_once(bench, hub, delivery, snapshots):
    await bench.outbox.put(snapshots(10))

    def cut(request, response):
        if len(hub.calls) < 3:
            raise DeliveryError("cut", "UNAVAILABLE")
        return response

    hub.answer = cut
    done = await delivery.deliver_once()
    assert (len(hub.stored), done.rows, len(hub.calls)) == (10, 10, 3)


async def test_tries_are_spaced_and_end_with_the_cycle(bench, hub, delivery, slept, caplog):
    await bench.outbox.put_event("clock_stepped", "by an hour")

    def fail(request):
        raise DeliveryError("no route", "UNAVAILABLE")

    hub.fail = fail
    with caplog.at_level(logging.INFO):
        for _ in range(2):
            with pytest.raises(DeliveryError, match="no route"):
                await delivery.deliver_once()
        assert slept == [5.0, 15.0, 5.0, 15.0]
        hub.fail = lambda _: None
        await delivery.deliver_once()
    assert caplog.text.count("no route") == 1, "one line a change of state"
    assert caplog.text.count("takes reports again") == 1
    assert await bench.rows() == {}


async def test_the_first_failed_try_is_said_at_once(bench, hub, delivery, slept, caplog):
    told = []

    async def failed(error):
        told.append((str(error), len(slept)))

    def fail(request):
        raise DeliveryError("nothing listens there (UNAVAILABLE: refused)", "UNAVAILABLE")

    async def look(seconds):
        slept.append(caplog.text.count("nothing listens there"))

    hub.fail, delivery._on_failure, delivery._sleep = fail, failed, look
    with pytest.raises(DeliveryError):
        await delivery.deliver_once()
    assert slept == [1, 1], "said before the first wait, and once"
    assert told == [("nothing listens there (UNAVAILABLE: refused)", tries) for tries in range(3)]


async def test_another_fault_is_another_line(bench, hub, delivery, caplog):
    faults = iter(
        [
            DeliveryError("nothing listens there (UNAVAILABLE: port 1)", "UNAVAILABLE"),
            DeliveryError("nothing listens there (UNAVAILABLE: port 2)", "UNAVAILABLE"),
            DeliveryError("not trusted (UNAVAILABLE: cert)", "UNAVAILABLE"),
            DeliveryError("nothing listens there (UNAVAILABLE: port 3)", "UNAVAILABLE"),
            DeliveryError("a wrong certificate (UNAUTHENTICATED: no)", "UNAUTHENTICATED"),
        ]
    )

    def fail(request):
        if error := next(faults, None):
            raise error

    hub.fail = fail
    for _ in range(2):
        with pytest.raises(DeliveryError):
            await delivery.deliver_once()
    lines = [record.getMessage().partition(" (")[0] for record in caplog.records if record.levelname == "WARNING"]
    assert lines == ["nothing listens there", "not trusted", "a wrong certificate"]
    caplog.clear()
    await delivery.deliver_once()
    faults = iter([DeliveryError("not trusted (UNAVAILABLE: cert)", "UNAVAILABLE")])
    await delivery.deliver_once()
    assert caplog.text.count("not trusted") == 1, "after a success it is news again"


@pytest.mark.parametrize("code", ["UNAUTHENTICATED", "PERMISSION_DENIED", "UNIMPLEMENTED", "INVALID_ARGUMENT"])
async def test_what_another_try_does_not_change_is_not_tried(bench, hub, delivery, slept, code):
    def fail(request):
        raise DeliveryError("no", code)

    hub.fail = fail
    with pytest.raises(DeliveryError):
        await delivery.deliver_once()
    assert (len(hub.calls), slept) == (1, [])


async def test_refused_rows_are_kept_apart_and_the_others_go(bench, hub, delivery, snapshots, caplog):
    await bench.outbox.put(snapshots(5))

    def answer(request, response):
        refused = [name for name in response.stored if name.number in (2, 4)]
        response = ReportResponse(stored=[name for name in response.stored if name not in refused])
        response.refused.extend(RefusedRow(row=name, reason="kind\n9") for name in refused)
        return response

    hub.answer = answer
    done = await delivery.deliver_once()
    assert (done.rows, done.refused) == (3, 2)
    assert r"'kind\n9'" in caplog.text, "the hub's words make no second line in the log"
    assert (await bench.outbox.figures()).rows_aside == 2
    await bench.balance()


async def test_a_hub_that_names_nothing_ends_the_cycle_and_starves_nobody(bench, hub, delivery, snapshots):
    await bench.outbox.put(snapshots(7000))
    deaf = set(range(1, 4001))

    def answer(request, response):
        return ReportResponse(stored=[name for name in response.stored if name.number not in deaf])

    hub.answer = answer
    with pytest.raises(DeliveryError, match="without naming"):
        await delivery.deliver_once()
    assert len(hub.calls) == 3
    with pytest.raises(DeliveryError, match="without naming"):
        await delivery.deliver_once()
    assert delivery.last.rows == 3000, "what is behind the rows that it does not name still arrives"
    assert sorted(number for _, number in await bench.rows()) == sorted(deaf)
    deaf.clear()
    while await bench.rows():
        await delivery.deliver_once()
    await bench.balance()


async def test_unknown_doubled_and_contradicting_names_do_nothing(bench, hub, delivery, snapshots, caplog):
    await bench.outbox.put(snapshots(1500))

    def answer(request, response):
        for name in list(response.stored):
            response.stored.append(name)
            response.refused.append(RefusedRow(row=name, reason="?"))
        for number in range(1, 3000):  # rows that wait here and were not in this call, too
            response.stored.append(RowName(epoch=bench.outbox.epoch, number=number))
        response.stored.append(RowName(epoch=b"", number=2**64 - 1))
        response.refused.append(RefusedRow())
        return response

    hub.answer = answer
    done = await delivery.deliver_once()
    assert (done.rows, done.refused) == (1500, 0)
    assert "refused" not in caplog.text
    assert len(hub.stored) == 1500, "nothing was forgotten that had not been sent"


async def test_a_hub_that_takes_less_at_once_gets_less(bench, hub, delivery, slept, snapshots):
    await bench.outbox.put(snapshots(500, size=2000))

    def fail(request):
        if request.ByteSize() > 100_000:
            raise DeliveryError("Received message larger than max (4194304 vs. 100000)", "RESOURCE_EXHAUSTED")

    hub.fail = fail
    done = await delivery.deliver_once()
    assert (done.rows, slept) == (500, [])
    failed = sum(call.ByteSize() > 100_000 for call in hub.calls)
    assert failed < len(hub.calls) / 2


async def test_a_slow_line_gets_smaller_reports_and_then_larger_ones(bench, hub, delivery, slept, snapshots):
    await bench.outbox.put(snapshots(1000))

    def fail(request):
        if len(hub.calls) < 3:
            raise DeliveryError("too slow", "DEADLINE_EXCEEDED")

    hub.fail = fail
    await delivery.deliver_once()
    assert [len(call.rows) for call in hub.calls] == [1000, 500, 250, 250, 250, 250]
    assert slept == [5.0, 15.0]


async def test_one_row_that_is_too_large_is_an_error_and_no_endless_loop(bench, hub, delivery, snapshots):
    await bench.outbox.put(snapshots(4))

    def fail(request):
        raise DeliveryError("Received message larger than max", "RESOURCE_EXHAUSTED")

    hub.fail = fail
    with pytest.raises(DeliveryError):
        await delivery.deliver_once()
    assert len(hub.calls) < 10


async def test_a_day_away_is_made_up_for_while_new_rows_come(bench, hub, delivery, snapshots):
    for _ in range(20):
        await bench.outbox.put(snapshots(1000, Weight.STATUS, 60))
    put = asyncio.create_task(bench.outbox.put(snapshots(300)))
    done = await delivery.deliver_once()
    await put
    assert done.rows >= 20_000
    assert hub.calls[0].backlog >= 19_000
    await delivery.deliver_once()
    assert len(hub.stored) == 20_300


async def test_a_cancelled_cycle_leaves_everything_in_place(bench, hub, delivery, snapshots):
    await bench.outbox.put(snapshots(10))
    reached = asyncio.Event()

    async def hang(request):
        reached.set()
        await asyncio.Event().wait()

    hub.report, honest = hang, hub.report
    task = asyncio.create_task(delivery.deliver_once())
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    hub.report = honest
    assert (await delivery.deliver_once()).rows == 10


def test_the_phase_is_fixed_per_agent_and_spread_over_the_fleet():
    agents = [str(uuid.UUID(int=number)) for number in range(2000)]
    phases = [phase(agent, 300) for agent in agents]
    assert phases == [phase(agent, 300) for agent in agents]
    assert all(0 <= value < 300 for value in phases)
    tenths = [sum(low <= value < low + 30 for value in phases) for low in range(0, 300, 30)]
    assert statistics.pstdev(tenths) < 30


def test_the_pace_recovers():
    pace = Pace()
    assert pace.failed(DeliveryError("", "UNAVAILABLE"), 1000) == 0
    for expected in (500, 250, 125):
        assert pace.failed(DeliveryError("", "DEADLINE_EXCEEDED"), pace.rows) == expected
    for _ in range(7):
        pace.succeeded()
    assert pace.rows == 125
    for _ in range(40):
        pace.succeeded()
    assert (pace.rows, pace.size) == (MAX_ROWS, MAX_SIZE)

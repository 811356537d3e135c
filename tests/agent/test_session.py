"""One stretch of running: what begins at once, what the hub hears, what an end keeps."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from dca.agent.session import Session, make_uplink
from dca.config import QuietHours
from dca.config.quiet import Window
from dca.discovery.visit import Visit
from dca.errors import ConfigError
from dca.net.dns import Answer
from dca.service.notes import Notes, Trouble, load_notes
from dca.wire.report_pb2 import Event, RowKind
from dca.wire.snapshot_pb2 import OUTCOME_AUTH_FAILED, Snapshot


@pytest.fixture
def found(monkeypatch, visit):
    """Discovery finds three devices; a test may hold it back."""

    class Found:
        def __init__(self) -> None:
            self.gate = asyncio.Event()
            self.gate.set()
            self.began = asyncio.Event()
            self.times = 0

        async def discover(self, *_, **__):
            self.times += 1
            self.began.set()
            yield visit(1)
            await self.gate.wait()
            for number in (2, 3):
                yield visit(number)

    there = Found()
    monkeypatch.setattr("dca.agent.readings.discover", there.discover)
    return there


@pytest.fixture
def known_device(parts, known):
    parts.registry.record(known(1))


async def until(condition) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  # nothing tells a test when the parts are where it waits for them
            await asyncio.sleep(0.005)


async def test_the_first_start_discovers_and_delivers_at_once(parts, config, hub, found) -> None:
    notes, end = Notes(), asyncio.Event()
    session = Session(config, parts, notes, uplink=hub)
    running = asyncio.create_task(session.run(end))
    await until(lambda: len(hub.rows) == 6)
    end.set()
    await running
    await session.finish()
    kinds = [row.kind for row in hub.rows[:6]]
    assert kinds.count(RowKind.ROW_KIND_SNAPSHOT) == 3
    assert (await parts.outbox.figures()).depth == 0
    info = hub.calls[-1].agent
    assert (info.hostname, info.devices, info.devices_answering) == ("reception", 3, 3)
    assert "-" in info.platform
    saved = await parts.store.run(load_notes)
    assert saved.discovered_at
    assert saved.delivered_at
    assert saved.delivery_error == ""


@pytest.mark.usefixtures("known_device")
async def test_a_restart_within_the_interval_reads_the_status_only(parts, config, hub, found, monkeypatch) -> None:
    asked = asyncio.Event()

    async def visit(*_, **__):
        asked.set()
        await asyncio.Event().wait()

    monkeypatch.setattr("dca.agent.readings.visit", visit)
    session = Session(config, parts, Notes(discovered_at=parts.clock.wall() - 60), uplink=hub)
    end = asyncio.Event()
    running = asyncio.create_task(session.run(end))
    await asyncio.wait_for(asked.wait(), 20)
    end.set()
    await running
    assert found.times == 0


async def test_new_ranges_are_discovered_at_once(parts, config, hub, found) -> None:
    session = Session(config, parts, Notes(discovered_at=parts.clock.wall() - 60), uplink=hub)
    end = asyncio.Event()
    running = asyncio.create_task(session.run(end, discover_now=True))
    await asyncio.wait_for(found.began.wait(), 20)
    end.set()
    await running


async def test_what_discovery_could_not_enter_is_left_for_the_status(parts, config, hub, monkeypatch, visit) -> None:
    async def discover(*_, progress, **__):
        progress.others = 7
        snapshot = visit(9, outcome=OUTCOME_AUTH_FAILED).snapshot
        snapshot.range, snapshot.reason = "Office", "accepts no credential"
        yield Visit(snapshot, None)

    monkeypatch.setattr("dca.agent.readings.discover", discover)
    notes, end = Notes(let_nobody_in=[Trouble("10.0.0.9", "Office", "another reason", 5.0)]), asyncio.Event()
    running = asyncio.create_task(Session(config, parts, notes, uplink=hub).run(end))
    await until(lambda: notes.discovered_at)
    end.set()
    await running
    saved = await parts.store.run(load_notes)
    assert saved.let_nobody_in == [Trouble("10.0.0.9", "Office", "accepts no credential", 5.0)]
    assert (saved.refused, saved.others, saved.closed) == (1, 7, False)


async def test_closed_ranges_are_tried_again_before_the_interval_is_over(
    parts, config, hub, found, monkeypatch
) -> None:
    monkeypatch.setattr("dca.agent.session.CLOSED_RETRY", 0.01)
    answers = [Answer(failure="server.example: the name server gives no answer")] * 3
    asked = []

    async def resolver(name):
        asked.append(name)
        return answers.pop() if answers else Answer(addresses=("10.0.0.200",))

    parts = dataclasses.replace(parts, resolver=resolver)
    (office,) = config.ranges
    config = dataclasses.replace(config, ranges=(dataclasses.replace(office, exclude=("server.example",)),))
    notes, end = Notes(), asyncio.Event()
    running = asyncio.create_task(Session(config, parts, notes, uplink=hub).run(end))
    await until(lambda: notes.closed)
    saved = await parts.store.run(load_notes)
    assert (saved.closed, saved.discovered_at) == (True, 0.0)
    assert [(name.what, name.range) for name in saved.names] == [("server.example", "")]
    await until(lambda: notes.discovered_at)
    end.set()
    await running
    saved = await parts.store.run(load_notes)
    assert (saved.closed, saved.names) == (False, [])
    assert len(asked) == 4


async def test_quiet_hours_contact_nobody_and_deliver_on(parts, config, hub, found) -> None:
    always = QuietHours((Window(frozenset(range(7)), 0, 24 * 60),))
    config = dataclasses.replace(config, schedule=dataclasses.replace(config.schedule, quiet_hours=always))
    session = Session(config, parts, Notes(), uplink=hub)
    end = asyncio.Event()
    running = asyncio.create_task(session.run(end))
    await until(lambda: hub.calls)
    end.set()
    await running
    assert found.times == 0


async def test_an_end_in_the_middle_keeps_what_was_read(parts, config, hub, found) -> None:
    found.gate.clear()
    session = Session(config, parts, Notes(), uplink=hub)
    end = asyncio.Event()
    running = asyncio.create_task(session.run(end))
    await until(lambda: len(parts.registry) == 1)
    end.set()
    await running
    assert (await parts.outbox.figures()).depth == 2
    await session.finish()
    assert len(hub.rows) == 2
    assert hub.closed


async def test_a_hub_that_is_away_leaves_its_reason(parts, config, hub, found) -> None:
    hub.away = True
    notes = Notes()
    session = Session(config, parts, notes, uplink=hub)
    session._delivery._waits = ()
    end = asyncio.Event()
    running = asyncio.create_task(session.run(end))
    await until(lambda: notes.delivery_error and notes.discovered_at)
    end.set()
    await running
    saved = await parts.store.run(load_notes)
    assert saved.delivery_error == "the hub is away"
    assert saved.delivery_failed_at
    assert not saved.delivered_at
    assert (await parts.outbox.figures()).depth == 6
    hub.away = False
    await session.finish()
    assert (await parts.outbox.figures()).depth == 0
    assert notes.delivery_error == ""


async def test_the_first_failed_try_is_seen_in_the_status(parts, config, hub, visit) -> None:
    hub.away = True
    notes = Notes()
    session = Session(config, parts, notes, uplink=hub)
    seen = []

    async def look(_seconds):
        seen.append((await parts.store.run(load_notes)).delivery_error)
        hub.away = False

    session._delivery._sleep = look
    await session._deliver()
    assert seen == ["the hub is away"]
    assert (await parts.store.run(load_notes)).delivery_error == ""


async def test_the_last_delivery_has_its_time_limit(parts, config, hub, monkeypatch, visit) -> None:
    async def never(_request):
        await asyncio.Event().wait()

    hub.report = never
    monkeypatch.setattr("dca.agent.session.LAST_DELIVERY", 0.05)
    await parts.intake.take(visit())
    await parts.intake.flush()
    session = Session(config, parts, Notes(), uplink=hub)
    await session.finish()
    assert hub.closed
    assert (await parts.outbox.figures()).depth == 2


async def test_a_clock_step_is_an_event(parts, config, hub, rows) -> None:
    session = Session(config, parts, Notes(), uplink=hub)
    session._stepped(-3600.0)
    await asyncio.gather(*session._events)
    ((_, payload),) = await rows(parts)
    event = Event.FromString(payload)
    assert event.name == "clock_stepped"
    assert event.details["seconds"] == "-3600.0"
    assert "back by 60 min" in event.text


async def test_without_a_hub_there_is_no_session(parts, config) -> None:
    with pytest.raises(ConfigError, match="hub"):
        Session(dataclasses.replace(config, hub=None), parts, Notes())


def test_a_ca_file_that_went_away_is_told_by_its_key(config, tmp_path) -> None:
    hub = dataclasses.replace(config.hub, plaintext_on_loopback=False, ca_file=tmp_path / "gone.pem")
    with pytest.raises(ConfigError) as caught:
        make_uplink(dataclasses.replace(config, hub=hub), None)
    assert caught.value.problems[0].key == "hub.ca_file"


async def test_delivered_bytes_are_the_readings(parts, config, hub, visit) -> None:
    await parts.intake.take(visit())
    await parts.intake.flush()
    await Session(config, parts, Notes(), uplink=hub).finish()
    payloads = [row.payload for row in hub.rows if row.kind == RowKind.ROW_KIND_SNAPSHOT]
    assert list(map(Snapshot.FromString, payloads)) == [visit().snapshot]

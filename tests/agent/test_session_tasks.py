"""A session with an identity: what brings tasks in, what takes results out, and a policy that closes and opens."""

from __future__ import annotations

import asyncio
import dataclasses
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from dca.agent.badge import Badge
from dca.agent.enrol import Enrolment
from dca.agent.session import Session
from dca.config import PolicyConfig, PolicyRule
from dca.errors import StoreError
from dca.net.dns import Answer
from dca.service.notes import Notes
from dca.wire.report_pb2 import ReportResponse
from dca.wire.task_pb2 import Task
from tests.identity.fake_hub import made_identity

pytestmark = pytest.mark.usefixtures("channels")
NOW = datetime(2026, 11, 25, tzinfo=UTC)


class Desk:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.used: list[tuple] = []
        self.taken: list[bytes] = []
        self.let_go_with: list[float] = []
        self.fail: StoreError | None = None

    def use(self, policy, tools) -> None:
        self.used.append((policy, tools))

    async def take(self, data: bytes) -> None:
        if self.fail is not None:
            raise self.fail
        self.taken.append(data)

    async def let_go(self, grace: float) -> None:
        self.let_go_with.append(grace)

    def verdict(self) -> str:
        """What the policy that is used now says of reading a device, which is allowed unless somebody denies it."""
        policy, tools = self.used[-1]
        assert tools.policy is policy
        return policy.decide("read", device=None, role="support", at=NOW).action


class Channel:
    """Listens until it is cancelled."""

    def __init__(self) -> None:
        self.state, self.last_error = "wss", ""
        self.over = False

    async def run(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.over = True


@pytest.fixture
def channels(monkeypatch, visit):
    """Nothing is found, and no broker spoken to; returns the channels that were opened."""

    async def discover(*_, **__):
        for found in ():
            yield found

    opened: list[Channel] = []

    def open_channel(*_):
        opened.append(Channel())
        return opened[-1]

    monkeypatch.setattr("dca.agent.readings.discover", discover)
    monkeypatch.setattr("dca.agent.hearing.open_channel", open_channel)
    return opened


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture
def known_parts(parts, desk, tmp_path):
    badge = Badge(made_identity(), Enrolment(tmp_path / "state"), parts.clock.wall)
    return dataclasses.replace(parts, desk=desk, badge=badge)


async def until(condition) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  # nothing tells a test when the parts are where it waits for them
            await asyncio.sleep(0.005)


@asynccontextmanager
async def running(session: Session):
    end = asyncio.Event()
    task = asyncio.create_task(session.run(end))
    yield
    end.set()
    await task


async def test_the_desk_works_by_this_sessions_policy_until_it_ends(channels, known_parts, config, hub, desk) -> None:
    async with running(Session(config, known_parts, Notes(), uplink=hub)):
        await until(lambda: desk.used and channels)
        assert desk.verdict() == "allow"
        assert desk.let_go_with == []
    assert len(desk.let_go_with) == 1
    assert channels[0].over


async def test_nothing_begins_before_host_names_are_resolved_for_rules_by_range_go_by_them(
    known_parts, config, hub, desk, known
) -> None:
    resolved = asyncio.Event()

    async def resolver(_name: str) -> Answer:
        await resolved.wait()
        return Answer(("10.0.0.1",))

    rule = PolicyRule(action="deny", ranges=("Finance",))
    finance = dataclasses.replace(config.ranges[0], label="Finance", include=("printer.example",))
    config = dataclasses.replace(config, ranges=(finance,), policy=PolicyConfig(rules=(rule,)))
    session = Session(config, dataclasses.replace(known_parts, resolver=resolver), Notes(), uplink=hub)
    async with running(session):
        await session._deliver()
        assert desk.used == []
        resolved.set()
        await until(lambda: desk.used)
        policy, _ = desk.used[0]
        assert policy.decide("read", device=known(1), role="", at=NOW).action == "deny"


async def test_without_an_identity_nobody_listens(channels, parts, config, hub) -> None:
    async with running(Session(config, parts, Notes(), uplink=hub)):
        await until(lambda: hub.calls)
    assert channels == []
    assert (dict(hub.calls[0].agent.policy), hub.calls[0].agent.channel) == ({}, "")


async def test_a_closed_policy_denies_at_once_and_opens_again(known_parts, config, hub, desk) -> None:
    session = Session(config, known_parts, Notes(), uplink=hub)
    async with running(session):
        await until(lambda: desk.used)
        session.close_policy("the file cannot be read")
        assert desk.verdict() == "deny"
        session.close_policy("the file cannot be read")
        assert len(desk.used) == 2, "what it knows already it does not say again"
        session.close_policy("")
        assert desk.verdict() == "allow"


@pytest.mark.parametrize("early", [True, False])
async def test_a_policy_that_was_closed_before_the_session_ran_is_closed_in_it(
    known_parts, config, hub, desk, early
) -> None:
    session = Session(config, known_parts, Notes(), uplink=hub, closed="not yet" if early else "")
    if not early:
        session.close_policy("not yet")
    async with running(session):
        await until(lambda: desk.used)
        assert desk.verdict() == "deny"


async def test_opening_does_not_open_what_the_file_itself_keeps_closed(known_parts, config, hub, desk) -> None:
    config = dataclasses.replace(config, policy=PolicyConfig(closed="[policy] is there and says nothing"))
    session = Session(config, known_parts, Notes(), uplink=hub)
    async with running(session):
        await until(lambda: desk.used)
        session.close_policy("")
        assert desk.verdict() == "deny"


async def test_tasks_of_an_answer_come_to_the_desk_and_one_that_it_cannot_keep_stops_nothing(
    known_parts, config, hub, desk, caplog
) -> None:
    async def report(request):
        hub.calls.append(request)
        return ReportResponse(tasks=[Task(body=b"one"), Task(body=b"two")])

    hub.report = report
    session = Session(config, known_parts, Notes(), uplink=hub)
    await session._deliver()
    assert [Task.FromString(data).body for data in desk.taken] == [b"one", b"two"]
    desk.fail = StoreError("the disk is full")
    await session._deliver()
    assert caplog.text.count("a task has to wait: the disk is full") == 1
    assert session._notes.delivery_error == ""


async def test_a_result_is_delivered_as_soon_as_it_is_there(known_parts, config, hub) -> None:
    async with running(Session(config, known_parts, Notes(), uplink=hub)):
        await until(lambda: hub.calls)
        before = len(hub.calls)
        await known_parts.outbox.put_event("task_done", "a result")
        known_parts.result.set()
        await until(lambda: any(row.payload.find(b"task_done") >= 0 for row in hub.rows))
        assert len(hub.calls) > before


async def test_a_renewed_certificate_is_shown_on_the_channel_too(channels, known_parts, config, hub) -> None:
    session = Session(config, known_parts, Notes(), uplink=hub)
    async with running(session):
        await until(lambda: channels)
        await session._renewed()
        await until(lambda: len(channels) == 2)
        assert (channels[0].over, channels[1].over) == (True, False)


async def test_the_hub_hears_how_the_agent_listens_and_what_its_policy_allows(
    channels, known_parts, config, hub
) -> None:
    notes = Notes()
    session = Session(config, known_parts, notes, uplink=hub)
    async with running(session):
        await until(lambda: channels)
        await session._deliver()
        info = hub.calls[-1].agent
    assert info.channel == "wss"
    assert (info.policy["read"], info.policy["device_restart"]) == ("allow", "deny")
    assert (notes.site, notes.channel, notes.policy_closed) == ("Office", "wss", "")
    assert notes.certificate_until == known_parts.badge.identity.ends.timestamp()


async def test_what_the_hubs_clock_is_ahead_is_known_to_the_parts(known_parts, config, hub) -> None:
    async def report(request):
        answer = ReportResponse()
        answer.hub_time.FromMicroseconds(int((known_parts.clock.wall() + 500) * 1e6))
        return answer

    hub.report = report
    await Session(config, known_parts, Notes(), uplink=hub)._deliver()
    assert known_parts.offset.seconds == pytest.approx(500, abs=5)

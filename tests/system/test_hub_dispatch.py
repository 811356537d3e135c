"""New tasks are published at once: the real dispatcher on real PostgreSQL servers, with a broker in memory."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from dca.errors import ChannelError
from dca.hub.tasks import Dispatcher
from dca.wire import task_pb2 as wire
from dca.wire.task_pb2 import Task
from tests.hub.errands import Desk, add_agent, desk_on, uuid_of
from tests.hub.office import NOON

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime
    from pathlib import Path
    from uuid import UUID

    from dca.hub.agents import AgentRef


@pytest.fixture
async def desk(empty_database: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_on(empty_database, tmp_path) as made:
        yield made


@pytest.fixture
async def agent(desk: Desk) -> AgentRef:
    return await add_agent(desk.database)


class Broker:
    """Takes tasks; refuses while it is told to."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, UUID]] = []
        self.times: list[float] = []
        self.away = False
        self.came = asyncio.Event()

    async def publish(self, agent_id: str, task: bytes) -> None:
        if self.away:
            raise ChannelError("away")
        self.times.append(time.perf_counter())
        self.taken.append((agent_id, uuid_of(Task.FromString(task))))
        self.came.set()

    async def holds(self, count: int) -> None:
        async with asyncio.timeout(15):
            while len(self.taken) < count:
                self.came.clear()
                await self.came.wait()


@asynccontextmanager
async def dispatching(url: str, broker: Broker, clock: Callable[[], datetime]) -> AsyncIterator[Dispatcher]:
    dispatcher = Dispatcher(url, broker.publish, clock)
    dispatcher.start()
    try:
        yield dispatcher
    finally:
        await dispatcher.stop()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dca.hub.tasks.dispatch.IDLE_S", 0.05)


async def test_a_new_task_is_published_at_once(desk: Desk, empty_database: str, agent: AgentRef) -> None:
    broker = Broker()
    async with dispatching(empty_database, broker, lambda: NOON):
        first = await desk.ask(agent)
        await broker.holds(1)
        waits = []
        for count in range(2, 42):
            await desk.ask(agent)
            committed = time.perf_counter()
            await broker.holds(count)
            waits.append(broker.times[-1] - committed)
    assert broker.taken[0] == (str(agent.agent_id), first.id)
    median = sorted(waits)[len(waits) // 2]
    assert median < 0.05


async def test_what_was_made_while_no_hub_ran_is_published_by_the_next(
    desk: Desk, empty_database: str, agent: AgentRef
) -> None:
    made = [(await desk.ask(agent)).id for _ in range(3)]
    stale = (await desk.ask(agent, now=NOON - timedelta(hours=2))).id
    revoked = await add_agent(desk.database, "gone-pc")
    await desk.ask(revoked)
    await desk.database.execute("UPDATE agents SET revoked_at = now() WHERE id = $1", revoked.id)
    broker = Broker()
    async with dispatching(empty_database, broker, lambda: NOON):
        await broker.holds(3)
        last = await desk.ask(agent)
        await broker.holds(4)
    assert [task for _, task in broker.taken] == [*made, last.id]
    assert (await desk.state(stale))[0] == wire.TASK_STATE_EXPIRED


async def test_two_hubs_publish_each_task_once(desk: Desk, empty_database: str, agent: AgentRef) -> None:
    broker = Broker()
    async with dispatching(empty_database, broker, lambda: NOON), dispatching(empty_database, broker, lambda: NOON):
        made = [(await desk.ask(agent)).id for _ in range(40)]
        await broker.holds(40)
    assert sorted(task for _, task in broker.taken) == sorted(made)


@pytest.mark.usefixtures("quick")
async def test_what_the_broker_did_not_take_is_tried_again(desk: Desk, empty_database: str, agent: AgentRef) -> None:
    broker = Broker()
    broker.away = True
    async with dispatching(empty_database, broker, lambda: NOON):
        made = [(await desk.ask(agent)).id for _ in range(3)]
        await asyncio.sleep(0.3)
        assert broker.taken == []
        broker.away = False
        await broker.holds(3)
    assert [task for _, task in broker.taken] == made


@pytest.mark.usefixtures("quick")
async def test_a_database_that_goes_away_is_found_again(desk: Desk, empty_database: str, agent: AgentRef) -> None:
    broker = Broker()
    async with dispatching(empty_database, broker, lambda: NOON):
        first = await desk.ask(agent)
        await broker.holds(1)
        await desk.database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        second = await desk.ask(agent)
        await broker.holds(2)
    assert [task for _, task in broker.taken] == [first.id, second.id]


async def test_a_dispatcher_without_a_database_stops_at_once() -> None:
    async with dispatching("postgresql://dca@127.0.0.1:1/dca", Broker(), lambda: NOON) as dispatcher:
        await asyncio.sleep(0.1)
        async with asyncio.timeout(1):
            await dispatcher.stop()

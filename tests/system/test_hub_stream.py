"""The stored stream on a real NATS server: every stored row, once, whatever falls in between."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import nats
import pytest
from nats.js.errors import NotFoundError

from dca.hub.database import connect, migrate, open_pool
from dca.hub.engines import EmbeddedNats
from dca.hub.ingest.rows import check_rows
from dca.hub.ingest.storage import Arrival, store
from dca.hub.sites import add_site
from dca.hub.stream import Change, Link, Live, Publisher
from dca.hub.stream.link import STREAM
from dca.hub.stream.publisher import message_id
from dca.model import Secret
from dca.wire.report_pb2 import AgentInfo, Event
from tests.hub.office import EPOCH, laser, row

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path
    from uuid import UUID

    import asyncpg


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[EmbeddedNats]:
    made = EmbeddedNats(tmp_path / "nats")
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def database(empty_database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await connect(empty_database)
    await migrate(connection)
    await add_site(connection, "Office")
    yield connection
    await connection.close()


async def put(database: asyncpg.Connection, agent: UUID, first: int, count: int) -> list[str]:
    """Store rows as the ingest does; returns their names in the stream."""
    rows = [row(laser(f"d{number % 7}", total=number), number) for number in range(first, first + count)]
    await database.execute(
        "INSERT INTO agents (agent_id, site, version, hostname, platform, devices, devices_answering, backlog)"
        " VALUES ($1, 1, '', '', '', 0, 0, 0) ON CONFLICT DO NOTHING",
        agent,
    )
    arrival = Arrival(agent, AgentInfo(), 0, None, datetime.now(UTC), check_rows(rows))
    kept = await store(database, arrival)
    assert not isinstance(kept, str)
    assert kept.fresh == count
    return [message_id(agent, EPOCH, number) for number in range(first, first + count)]


@asynccontextmanager
async def publishing(url: str, server: EmbeddedNats) -> AsyncIterator[Publisher]:
    link = Link(server.url, server.login)
    link.open()
    publisher = Publisher(url, link)
    publisher.start()
    try:
        yield publisher
    finally:
        await publisher.stop()
        await link.close()


async def connected(server: EmbeddedNats) -> nats.aio.client.Client:
    """A client with the hub's own login."""
    login = server.login
    return await nats.connect(server.url.reveal(), user_jwt_cb=login.jwt.encode, signature_cb=login.sign)


async def in_stream(server: EmbeddedNats) -> list[str]:
    """Return the names of all messages in the stream."""
    client = await connected(server)
    try:
        stream = client.jetstream()
        count = (await stream.stream_info(STREAM)).state.messages
        subscription = await stream.subscribe("dca.stored.>", ordered_consumer=True)
        return [(await subscription.next_msg(timeout=5)).headers["Nats-Msg-Id"] for _ in range(count)]
    finally:
        await client.close()


async def published(database: asyncpg.Connection) -> None:
    """Wait until nothing waits."""
    async with asyncio.timeout(30):
        while await database.fetchval("SELECT count(*) FROM unpublished"):  # noqa: ASYNC110 - tables tell nobody
            await asyncio.sleep(0.05)


async def test_every_row_is_there_once_and_says_what_it_is(
    database: asyncpg.Connection, empty_database: str, server: EmbeddedNats
) -> None:
    agents = [uuid4() for _ in range(3)]
    names = [name for agent in agents for name in await put(database, agent, 1, 300)]
    async with publishing(empty_database, server) as publisher:
        names += await put(database, agents[0], 301, 50)
        publisher.wake()
        await published(database)
    assert sorted(await in_stream(server)) == sorted(names)
    client = await connected(server)
    message = await client.jetstream().get_last_msg(STREAM, f"dca.stored.1.{agents[1]}")
    assert message.headers is not None
    assert message.headers["Dca-Kind"] == "ROW_KIND_SNAPSHOT"
    assert message.headers["Dca-Device"] == "d6"
    assert message.data == laser("d6", total=300).SerializeToString()
    await client.close()


async def test_of_one_agent_the_rows_come_in_their_order(
    database: asyncpg.Connection, empty_database: str, server: EmbeddedNats
) -> None:
    agent = uuid4()
    names = [name for first in (1, 101, 201) for name in await put(database, agent, first, 100)]
    async with publishing(empty_database, server):
        await published(database)
    assert await in_stream(server) == names


async def test_a_publisher_that_was_cut_off_sends_nothing_twice_even_after_the_duplicate_window(
    database: asyncpg.Connection, empty_database: str, server: EmbeddedNats, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = uuid4()
    names = await put(database, agent, 1, 100)
    with monkeypatch.context() as broken:  # it falls between the last acknowledgement and its own commit
        broken.setattr("dca.hub.stream.publisher.DONE", "SELECT 1 / 0 FROM unnest($1::bigint[])")
        async with publishing(empty_database, server), asyncio.timeout(10):
            while await messages(server) < 100:  # noqa: ASYNC110 - streams tell nobody
                await asyncio.sleep(0.05)
    assert await database.fetchval("SELECT count(*) FROM unpublished") == 1
    client = await connected(server)
    config = (await client.jetstream().stream_info(STREAM)).config
    config.duplicate_window = 0.1
    await client.jetstream().update_stream(config)
    await client.close()
    await asyncio.sleep(0.5)
    names += await put(database, agent, 101, 10)
    async with publishing(empty_database, server):
        await published(database)
    assert await in_stream(server) == names


async def messages(server: EmbeddedNats) -> int:
    client = await connected(server)
    try:
        return (await client.jetstream().stream_info(STREAM)).state.messages
    except NotFoundError:
        return 0
    finally:
        await client.close()


async def test_with_nats_away_rows_wait_and_follow_later(
    database: asyncpg.Connection, empty_database: str, server: EmbeddedNats
) -> None:
    agent = uuid4()
    async with publishing(empty_database, server) as publisher:
        names = await put(database, agent, 1, 100)
        publisher.wake()
        await published(database)
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        names += await put(database, agent, 101, 100)
        publisher.wake()
        await published(database)
    assert await in_stream(server) == names


async def test_two_publishers_take_turns(
    database: asyncpg.Connection, empty_database: str, server: EmbeddedNats
) -> None:
    agent = uuid4()
    async with publishing(empty_database, server) as first, publishing(empty_database, server):
        names = await put(database, agent, 1, 200)
        await published(database)
        await first.stop()
        names += await put(database, agent, 201, 200)
        await published(database)
    assert await in_stream(server) == names


async def test_a_publisher_stops_at_once_whatever_it_does(
    database: asyncpg.Connection, empty_database: str, server: EmbeddedNats
) -> None:
    for first in range(1, 6001, 1000):
        await put(database, uuid4(), first, 1000)
    async with publishing(empty_database, server) as publisher:
        await asyncio.sleep(0.2)
        async with asyncio.timeout(1):
            await publisher.stop()


async def test_pages_hear_of_devices_and_of_nothing_else(
    database: asyncpg.Connection, empty_database: str, server: EmbeddedNats
) -> None:
    agent = uuid4()
    link = Link(server.url, server.login)
    link.open()
    live = Live(link)
    live.start()
    await link.ready()
    changes = live.changes()
    first = asyncio.ensure_future(anext(changes))
    await asyncio.sleep(0.2)
    arrival = Arrival(agent, AgentInfo(), 0, None, datetime.now(UTC), check_rows([row(Event(name="x"), 99)]))
    async with publishing(empty_database, server):
        await put(database, agent, 1, 2)
        await store(database, arrival)
        assert await asyncio.wait_for(first, 10) == Change(frozenset({(str(agent), "d1"), (str(agent), "d2")}))
    last = asyncio.ensure_future(anext(changes, None))
    await asyncio.sleep(0)
    await live.stop()
    assert await asyncio.wait_for(last, 2) is None
    await link.close()


async def test_a_page_that_does_not_keep_up_is_told_to_load_anew() -> None:
    page: asyncio.Queue[Change | None] = asyncio.Queue(2)
    for number in range(5):
        Live._give(page, Change(frozenset({("a", f"d{number}")})))
    assert page.get_nowait() == Change(frozenset(), missed=True)


async def test_a_hub_without_nats_stores_all_the_same(empty_database: str, database: asyncpg.Connection) -> None:
    link = Link(Secret("nats://127.0.0.1:1"))
    link.open()
    publisher = Publisher(empty_database, link)
    publisher.start()
    await put(database, uuid4(), 1, 10)
    assert not link.is_up
    pool = await open_pool(empty_database, 1)
    assert await pool.fetchval("SELECT count(*) FROM rows") == 10
    await pool.close()
    await publisher.stop()
    await link.close()

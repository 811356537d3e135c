"""The schema and one report's transaction on real PostgreSQL servers, the packaged and the oldest supported one."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dca.errors import HubError
from dca.hub.database import Migration, connect, migrate, migrations
from dca.hub.ingest.rows import check_rows
from dca.hub.ingest.storage import Arrival, Kept, store
from dca.hub.sites import add_site, list_sites
from dca.wire import snapshot_pb2 as wire
from dca.wire.report_pb2 import AgentInfo, Event, Row
from tests.hub.office import EPOCH, NOON, laser, row, snapshot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from dca.wire.snapshot_pb2 import Snapshot

AGENT = UUID("7a1e5c1e-0000-4000-8000-000000000001")
HOUR = timedelta(hours=1)


@pytest.fixture
async def database(empty_database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await connect(empty_database)
    await migrate(connection)
    yield connection
    await connection.close()


@pytest.fixture
async def site(database: asyncpg.Connection) -> int:
    await add_site(database, "Office")
    found: int = await database.fetchval("SELECT id FROM sites")
    await know(database, found, AGENT)
    return found


async def know(database: asyncpg.Connection, site: int, agent: UUID) -> None:
    """Write an agent into the register, as an activation does."""
    await database.execute(
        "INSERT INTO agents (agent_id, site, version, hostname, platform, devices, devices_answering, backlog)"
        " VALUES ($1, $2, '', '', '', 0, 0, 0)",
        agent,
        site,
    )


def arrival(_site: int, rows: Iterable[Row], agent: UUID = AGENT, **changes: object) -> Arrival:
    made = Arrival(
        agent_id=agent,
        info=AgentInfo(version="0.1.0", hostname="reception-pc", devices=5, devices_answering=4),
        backlog=7,
        offset=timedelta(0),
        received_at=NOON + 10 * HOUR,
        rows=check_rows(rows),
    )
    return made._replace(**changes)  # type: ignore[arg-type]


async def stored(database: asyncpg.Connection, site: int, *snapshots: Snapshot, first: int = 1, **changes) -> Kept:
    kept = await store(database, arrival(site, [row(s, n) for n, s in enumerate(snapshots, first)], **changes))
    assert not isinstance(kept, str)
    return kept


# the schema


async def test_hubs_that_start_at_once_apply_each_step_once(empty_database: str) -> None:
    connections = [await connect(empty_database) for _ in range(4)]
    applied = await asyncio.gather(*(migrate(connection) for connection in connections))
    assert sorted(map(len, applied)) == [0, 0, 0, len(migrations())]
    for connection in connections:
        await connection.close()


async def test_a_newer_database_stops_an_older_hub(database: asyncpg.Connection) -> None:
    later = Migration(9999, "later", "SELECT 1")
    await migrate(database, [*migrations(), later])
    with pytest.raises(HubError, match=r"9999 later.*upgrade the hub"):
        await migrate(database)


async def test_a_step_that_was_changed_is_noticed(database: asyncpg.Connection) -> None:
    changed = [step._replace(sql=step.sql + "-- x") for step in migrations()]
    with pytest.raises(HubError, match="not the one of this hub"):
        await migrate(database, changed)


async def test_a_step_that_fails_leaves_nothing(database: asyncpg.Connection) -> None:
    broken = Migration(9999, "broken", "CREATE TABLE half (x int); SELECT 1 / 0")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(database, [*migrations(), broken])
    assert await database.fetchval("SELECT to_regclass('half')") is None
    assert await migrate(database) == []


async def test_a_database_that_is_away_is_said_without_its_password() -> None:
    with pytest.raises(HubError, match="does not answer") as caught:
        await connect("postgresql://dca:opensesame@127.0.0.1:1/dca", patience=0)
    assert "opensesame" not in str(caught.value)


# sites


async def test_sites_are_named_once(database: asyncpg.Connection) -> None:
    await add_site(database, "Office")
    for name, says in (("Office", "already"), ("", "printable"), ("a\nb", "printable"), ("x" * 101, "printable")):
        with pytest.raises(HubError, match=says):
            await add_site(database, name)
    assert [found.name for found in await list_sites(database)] == ["Office"]


# rows


async def test_the_same_report_twice_is_stored_once(database: asyncpg.Connection, site: int) -> None:
    rows = [row(laser(total=n), n) for n in range(1, 51)]
    first = await store(database, arrival(site, rows))
    again = await store(database, arrival(site, rows))
    assert first is not None
    assert again is not None
    assert (first.fresh, again.fresh) == (50, 0)
    assert set(first.stored) == set(again.stored) == {(EPOCH, n) for n in range(1, 51)}
    assert await database.fetchval("SELECT count(*) FROM rows") == 50
    assert await database.fetchval("SELECT sum(cardinality(numbers)) FROM unpublished") == 50


async def test_the_same_report_at_the_same_time_is_stored_once(
    database: asyncpg.Connection, empty_database: str, site: int
) -> None:
    rows = [row(laser(total=n), n) for n in range(1, 201)]
    connections = [await connect(empty_database) for _ in range(4)]
    answers = await asyncio.gather(*(store(connection, arrival(site, rows)) for connection in connections))
    assert sorted(kept.fresh for kept in answers if kept) == [0, 0, 0, 200]
    assert all(kept and len(list(kept.stored)) == 200 and not kept.refused for kept in answers)
    assert await database.fetchval("SELECT count(*) FROM rows") == 200
    for connection in connections:
        await connection.close()


async def test_a_cloned_state_is_refused_and_remembered(database: asyncpg.Connection, site: int) -> None:
    await stored(database, site, laser(total=1), laser(total=2))
    kept = await stored(database, site, laser(total=1), laser(total=99), laser(total=3))
    assert set(kept.stored) == {(EPOCH, 1), (EPOCH, 3)}
    ((name, reason),) = kept.refused
    assert name == (EPOCH, 2)
    assert "two copies" in reason
    assert await database.fetchval("SELECT clone_seen_at FROM agents") is not None


async def test_rows_are_kept_byte_by_byte_and_found_by_device_and_time(database: asyncpg.Connection, site: int) -> None:
    readings = [laser("d1", at=NOON + n * HOUR, total=n) for n in range(5)] + [laser("d2")]
    await stored(database, site, *readings)
    query = "SELECT payload FROM rows WHERE agent = 1 AND device_id = 'd1' AND read_at > $1 ORDER BY read_at"
    found = await database.fetch(query, NOON + HOUR)
    assert [record[0] for record in found] == [reading.SerializeToString() for reading in readings[2:5]]
    await database.execute("SET enable_seqscan = off")
    plan = "\n".join(line[0] for line in await database.fetch("EXPLAIN " + query, NOON))
    assert "rows_by_device" in plan


async def test_an_agent_that_is_not_known_or_was_revoked_stores_nothing(
    database: asyncpg.Connection, site: int
) -> None:
    assert "does not know" in str(await store(database, arrival(site, [row(laser(), 1)], agent=uuid4())))
    await database.execute("UPDATE agents SET revoked_at = now(), revoked_reason = 'stolen'")
    assert "stolen" in str(await store(database, arrival(site, [row(laser(), 1)])))
    assert await database.fetchval("SELECT count(*) FROM rows") == 0


async def test_an_empty_report_still_tells_of_the_agent(database: asyncpg.Connection, site: int) -> None:
    kept = await stored(database, site, offset=timedelta(seconds=-90))
    assert list(kept.stored) == []
    agent = await database.fetchrow("SELECT * FROM agents")
    assert (agent["backlog"], agent["clock_offset_s"], agent["hostname"]) == (7, -90.0, "reception-pc")


async def test_events_are_told_apart(database: asyncpg.Connection, site: int) -> None:
    event = Event(name="rows_dropped", text="12 rows\0", details={"count": "12"})
    event.at.FromDatetime(NOON)
    kept = await store(database, arrival(site, [row(event, 1), row(laser(), 2)]))
    assert not isinstance(kept, str)
    assert kept.fresh == 2
    found = await database.fetchrow("SELECT at, name, text, device_id, details->>'count' AS count FROM events")
    assert tuple(found) == (NOON, "rows_dropped", "12 rows", None, "12")


# devices


async def device(database: asyncpg.Connection) -> asyncpg.Record:
    (found,) = await database.fetch("SELECT * FROM devices")
    return found


def failed(at, outcome: int = wire.OUTCOME_NO_ANSWER) -> Snapshot:
    return snapshot(at=at, kind=wire.READ_KIND_STATUS, outcome=outcome, reason="no reply")


async def test_a_failure_keeps_the_last_good_reading_and_its_date(database: asyncpg.Connection, site: int) -> None:
    good = laser(at=NOON)
    await stored(database, site, good)
    await stored(database, site, failed(NOON + HOUR), first=2)
    await stored(database, site, failed(NOON + 2 * HOUR), first=3)
    found = await device(database)
    assert (found["outcome"], found["reason"]) == (wire.OUTCOME_NO_ANSWER, "no reply")
    assert (found["silent_since"], found["tried_at"]) == (NOON + HOUR, NOON + 2 * HOUR)
    assert (found["full_at"], found["full"]) == (NOON, good.SerializeToString())


async def test_an_answer_ends_the_silence_and_a_new_one_begins_anew(database: asyncpg.Connection, site: int) -> None:
    poll = snapshot(at=NOON + 2 * HOUR, kind=wire.READ_KIND_STATUS)
    await stored(database, site, failed(NOON))
    await stored(database, site, poll, first=2)
    assert (await device(database))["silent_since"] is None
    await stored(database, site, failed(NOON + 3 * HOUR), first=3)
    assert (await device(database))["silent_since"] == NOON + 3 * HOUR


async def test_silence_that_was_broken_within_a_report_counts_from_its_end(
    database: asyncpg.Connection, site: int
) -> None:
    await stored(database, site, failed(NOON))
    poll = snapshot(at=NOON + HOUR, kind=wire.READ_KIND_STATUS)
    await stored(database, site, poll, failed(NOON + 2 * HOUR), first=2)
    assert (await device(database))["silent_since"] == NOON + 2 * HOUR


async def test_an_older_reading_changes_nothing_of_the_present(database: asyncpg.Connection, site: int) -> None:
    newer, older = laser(at=NOON + HOUR, total=2, location="attic"), laser(at=NOON, total=1, location="cellar")
    await stored(database, site, newer)
    await stored(database, site, older, failed(NOON - HOUR), first=2)
    found = await device(database)
    assert found["full"] == newer.SerializeToString()
    assert (found["outcome"], found["silent_since"], found["location"]) == (wire.OUTCOME_OK, None, "attic")
    assert (found["first_at"], found["tried_at"]) == (NOON - HOUR, NOON + HOUR)


async def test_slots_keep_their_own_dates(database: asyncpg.Connection, site: int) -> None:
    poll = snapshot(at=NOON + HOUR, kind=wire.READ_KIND_STATUS)
    await stored(database, site, laser(at=NOON))
    await stored(database, site, poll, first=2)
    found = await device(database)
    assert (found["full_at"], found["status_at"], found["supplies_at"]) == (NOON, NOON + HOUR, None)
    assert found["serial"] == laser().device.serial


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=60), text=st.text(max_size=20), big=st.integers(0, 2**64 - 1))
async def test_no_content_makes_a_report_impossible(
    database: asyncpg.Connection, site: int, content: bytes, text: str, big: int
) -> None:
    wild = laser("d1", model=text, serial=text, location=text, console=[text])
    wild.reason = wild.range = wild.host = text
    event = Event(name=text, text=text, device_id=text, details={text: text})
    event.at.seconds = big % 2**63
    made = [row(wild, 1 + big % 1000), row(event, 2000), row(content, 2001), row(b"", 2002)]
    kept = await store(database, arrival(site, made, info=AgentInfo(version=text, hostname=text), backlog=big))
    assert not isinstance(kept, str)
    assert len({*kept.stored, *(name for name, _ in kept.refused)}) == 4

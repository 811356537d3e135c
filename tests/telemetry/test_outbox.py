"""Put, take, acknowledge, set aside: what is there after each, and what the counters say."""

from __future__ import annotations

import asyncio
import zlib

import pytest

from dca.errors import StoreError
from dca.store import read_only
from dca.telemetry import NewRow, RowName, Weight, read_figures
from dca.telemetry.rows import MAX_PAYLOAD


async def test_rows_come_out_in_the_order_they_went_in_with_names_for_ever(bench, snapshots):
    put = await bench.outbox.put(snapshots(3))
    assert put == (3, 0, 0)
    await bench.outbox.put(snapshots(2, mark="b"))
    batch = await bench.outbox.take()
    assert [row.name for row in batch.rows] == [RowName(bench.outbox.epoch, number) for number in (1, 2, 3, 4, 5)]
    assert [row.payload[:2] for row in batch.rows] == [b"0:", b"1:", b"2:", b"b0", b"b1"]
    assert all(row.crc32 == zlib.crc32(row.payload) and row.kind == 1 for row in batch.rows)
    assert batch.backlog == 0


async def test_taking_removes_nothing_and_acknowledging_does(bench, snapshots):
    await bench.outbox.put(snapshots(3))
    first = await bench.outbox.take()
    assert await bench.outbox.take() == first
    assert await bench.outbox.acknowledge([first.rows[1].name]) == 1
    assert await bench.outbox.acknowledge([first.rows[1].name, RowName(b"?" * 16, 1)]) == 0
    assert [row.name.number for row in (await bench.outbox.take()).rows] == [1, 3]
    await bench.balance()


async def test_a_batch_keeps_its_limits_and_gives_one_row_at_least(bench, snapshots):
    await bench.outbox.put(snapshots(10, size=1000))
    batch = await bench.outbox.take(limit=4)
    assert (len(batch.rows), batch.backlog) == (4, 6)
    behind = await bench.outbox.take(max_bytes=3500, after=batch.last)
    assert [row.name.number for row in behind.rows] == [5, 6, 7]
    assert len((await bench.outbox.take(max_bytes=1)).rows) == 1


async def test_every_opening_has_an_epoch_of_its_own_and_one_agent_id(bench, snapshots):
    await bench.outbox.put(snapshots(1))
    first, agent = bench.outbox.epoch, bench.outbox.agent_id
    await bench.reopen()
    await bench.outbox.put(snapshots(1))
    names = [row.name for row in (await bench.outbox.take()).rows]
    assert names == [RowName(first, 1), RowName(bench.outbox.epoch, 1)]
    assert first != bench.outbox.epoch
    assert bench.outbox.agent_id == agent


async def test_the_agent_keeps_its_id_without_its_state_file_and_mends_the_copy(bench):
    agent = bench.outbox.agent_id
    await bench.close()
    for path in bench.directory.glob("state.sqlite3*"):
        path.unlink()
    assert (await bench.open()).agent_id == agent
    (bench.directory / "agent-id").write_text("nonsense")
    assert (await bench.reopen()).agent_id == agent
    assert (bench.directory / "agent-id").read_text() == f"{agent}\n"


async def test_refused_rows_are_kept_apart_with_the_reason(bench, snapshots):
    await bench.outbox.put(snapshots(3))
    rows = (await bench.outbox.take()).rows
    assert await bench.outbox.set_aside({rows[0].name: "unknown kind", RowName(b"?" * 16, 9): "?"}) == 1
    aside = await bench.store.run(
        lambda connection: connection.execute("SELECT number, reason, payload FROM aside").fetchall()
    )
    assert aside == [(1, "unknown kind", rows[0].payload)]
    figures = await bench.outbox.figures()
    assert (figures.depth, figures.rows_aside) == (2, 1)
    await bench.balance()


async def test_rows_apart_are_bounded(bench, snapshots):
    await bench.outbox.put(snapshots(1300))
    while rows := (await bench.outbox.take()).rows:
        await bench.outbox.set_aside({row.name: "no" for row in rows})
    query = "SELECT count(*), max(number) FROM aside"
    assert await bench.store.run(lambda connection: connection.execute(query).fetchone()) == (1000, 1300)
    assert (await bench.outbox.figures()).rows_aside == 1300


async def test_figures_survive_a_restart_and_are_read_by_others(bench, snapshots):
    await bench.outbox.put(snapshots(5))
    rows = (await bench.outbox.take()).rows
    await bench.outbox.acknowledge([row.name for row in rows[:2]])
    bench.clock.now += 60
    figures = await bench.outbox.figures()
    assert (figures.depth, figures.oldest_age) == (3, 60.0)
    await bench.reopen()
    assert await bench.outbox.figures() == figures
    with read_only(bench.directory) as connection:
        assert read_figures(connection, bench.clock.now) == figures


async def test_a_clock_that_jumps_back_makes_no_negative_age_and_no_disorder(bench, snapshots):
    await bench.outbox.put(snapshots(1, mark="first"))
    bench.clock.now -= 86_400
    await bench.outbox.put(snapshots(1, mark="second"))
    assert (await bench.outbox.figures()).oldest_age == 0.0
    assert [row.payload[:5] for row in (await bench.outbox.take()).rows] == [b"first", b"secon"]


async def test_a_row_too_large_for_any_report_is_dropped_alone_and_told(bench, snapshots):
    put = await bench.outbox.put([*snapshots(1), NewRow(1, b"x" * (MAX_PAYLOAD + 1), Weight.FULL), *snapshots(1)])
    assert put == (2, 0, 1)
    await bench.outbox.take()
    (event,) = await bench.events()
    assert (event.name, event.details["too_large"]) == ("rows_dropped", "1")
    await bench.balance()


async def test_an_event_carries_what_it_was_given(bench):
    await bench.outbox.put_event("device_moved", "from a to b", device_id="d1", details={"from": "a"})
    (event,) = await bench.events()
    assert (event.name, event.text, event.device_id, dict(event.details)) == (
        "device_moved",
        "from a to b",
        "d1",
        {"from": "a"},
    )
    assert event.at.ToSeconds() == int(bench.clock.now)


async def test_a_cancelled_put_is_finished(bench, snapshots):
    task = asyncio.create_task(bench.outbox.put(snapshots(3)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await bench.reopen()
    assert len(await bench.rows()) == 3


async def test_puts_at_the_same_time_lose_and_mix_up_nothing(bench, snapshots):
    await asyncio.gather(*(bench.outbox.put(snapshots(7, mark=f"{turn}-")) for turn in range(20)))
    assert sorted(number for _, number in await bench.rows()) == list(range(1, 141))
    assert len(set((await bench.rows()).values())) == 140


async def test_a_closed_outbox_takes_nothing(bench, snapshots):
    await bench.outbox.close()
    await bench.outbox.close()
    with pytest.raises(StoreError, match="closed"):
        await bench.outbox.put(snapshots(1))


async def test_a_flipped_byte_is_found_kept_apart_and_told(bench, snapshots):
    await bench.outbox.put(snapshots(5))

    def flip(connection):
        connection.execute("UPDATE outbox SET payload = X'00' WHERE number = 2")
        connection.execute("UPDATE outbox SET number = 77 WHERE number = 3")
        connection.execute("UPDATE outbox SET epoch = 'text' WHERE number = 4")

    await bench.store.run(flip)
    assert [row.name.number for row in (await bench.outbox.take()).rows] == [1, 5]
    assert [row.name.number for row in (await bench.outbox.take()).rows] == [1, 5, 6]
    (event,) = await bench.events()
    assert (event.name, event.details["damaged"]) == ("rows_dropped", "3")
    assert (await bench.outbox.figures()).rows_aside == 3
    await bench.balance()

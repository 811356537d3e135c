"""When the file may not grow: the least worth goes first, all of it is counted, and what is told is true."""

from __future__ import annotations

import asyncio
import collections
import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dca.model import Known
from dca.store import get_meta, load_devices, save_devices, set_meta
from dca.telemetry import NewRow, RowName, Weight, ledger
from dca.telemetry.gaps import Gaps
from dca.telemetry.room import make_room
from dca.telemetry.rows import Named

CAP = 400_000


@pytest.fixture
async def small(tmp_path, make_bench):
    made = make_bench(tmp_path / "small", CAP)
    await made.open()
    yield made
    await made.close()


async def test_the_oldest_of_the_least_worth_goes_first(small, snapshots):
    order = [Weight.EVENT, Weight.FULL, Weight.STATUS_UNCHANGED, Weight.SUPPLIES, Weight.STATUS]
    for weight in order:
        await small.outbox.put(snapshots(60, weight, 1000, weight.name))
    before = await small.rows()
    left = collections.Counter(payload.split(b".")[0].rstrip(b":0123456789").decode() for payload in before.values())
    assert left["STATUS_UNCHANGED"] == 0 or left["STATUS"] == 60
    assert (left["EVENT"], left["FULL"]) == (60, 60)
    await small.outbox.put(snapshots(200, Weight.FULL, 1000, "late"))
    after = [payload for payload in (await small.rows()).values() if payload.startswith((b"STATUS", b"SUPPLIES"))]
    assert after == []
    assert sum(payload.startswith(b"EVENT") for payload in (await small.rows()).values()) == 60
    await small.balance()


async def test_of_equal_worth_the_newest_stay(small, snapshots):
    for turn in range(5):
        await small.outbox.put(snapshots(100, Weight.FULL, 1000, str(turn)))
    numbers = [number for _, number in await small.rows()]
    assert len(numbers) < 400
    assert numbers == list(range(501 - len(numbers), 501))


async def test_what_is_worth_less_than_all_that_waits_is_dropped_itself(small, snapshots):
    for _ in range(5):
        await small.outbox.put(snapshots(100, Weight.EVENT, 1000))
    full = await small.rows()
    put = await small.outbox.put(snapshots(300, Weight.STATUS, 1000, "status"))
    assert put.stored + put.dropped == 300
    assert put.dropped > 200
    after = await small.rows()
    assert len(after) == len(full) + put.stored
    assert full.items() <= after.items()
    await small.balance()


async def test_the_drop_is_told_once_with_counts_and_span_and_itself_fits(small, snapshots):
    await small.outbox.put(snapshots(200, Weight.STATUS, 1000))
    small.clock.now += 3600
    await small.outbox.put(snapshots(250, Weight.FULL, 1000))
    dropped = (await small.outbox.figures()).rows_dropped
    assert dropped["status"] == 200
    batch = await small.outbox.take()
    (event,) = await small.events()
    assert event.name == "rows_dropped"
    assert event.details["status"] == "200"
    assert int(event.details["count"]) == sum(dropped.values())
    assert (event.details["first"], event.details["last"]) == ("2026-11-25T12:00:00Z", "2026-11-25T13:00:00Z")
    assert "200 status" in event.text
    await small.outbox.take()
    again = await small.events()
    told = sum(int(event.details["count"]) for event in again)
    assert told == sum((await small.outbox.figures()).rows_dropped.values()) or len(again) == 2
    assert batch.rows[-1].name.number == 451
    await small.balance()


async def test_what_was_not_told_yet_survives_a_restart(small, snapshots):
    await small.outbox.put(snapshots(500, Weight.STATUS, 1000))
    await small.reopen()
    await small.outbox.take()
    (event,) = await small.events()
    dropped = (await small.outbox.figures()).rows_dropped
    assert int(event.details["status"]) == dropped["status"]


async def test_room_that_was_acknowledged_is_used_again(small, snapshots):
    for turn in range(30):
        put = await small.outbox.put(snapshots(100, Weight.FULL, 1000, str(turn)))
        assert (put.stored, put.dropped) == (100, 0)
        while rows := (await small.outbox.take()).rows:
            await small.outbox.acknowledge([row.name for row in rows])
    assert (small.directory / "state.sqlite3").stat().st_size <= CAP


async def test_the_registry_has_room_beside_a_full_outbox(small, snapshots):
    await small.outbox.put(snapshots(600, Weight.EVENT, 1000))
    devices = [Known(f"d{n}", "127.0.0.2", 161, "office", "public", "2c", cells=b"c" * 100) for n in range(20)]
    await small.store.run(lambda connection: save_devices(connection, devices))
    assert await small.store.run(load_devices) == devices
    await small.outbox.put(snapshots(5, Weight.EVENT, 1000))
    await small.balance()


async def test_a_large_registry_takes_no_room_of_the_rows(small, snapshots):
    await small.outbox.put(snapshots(600, Weight.FULL, 1000))
    share = len(await small.rows())
    devices = [Known(f"d{n}", "127.0.0.2", 161, "office", "public", "2c", cells=b"c" * 2000) for n in range(500)]
    await small.store.run(lambda connection: save_devices(connection, devices))
    await small.outbox.put(snapshots(600, Weight.FULL, 1000))
    assert len(await small.rows()) > 0.8 * share
    await small.balance()


async def test_a_report_of_drops_is_never_dropped_and_waits_for_room(small, snapshots):
    await small.outbox.put(snapshots(500, Weight.STATUS, 1000))
    await small.outbox.take()
    for _ in range(5):
        await small.outbox.put(snapshots(100, Weight.EVENT, 1000))
    dropped = (await small.outbox.figures()).rows_dropped
    await small.outbox.take()
    events = await small.reports()
    assert [event.name for event in events] == ["rows_dropped", "rows_dropped"]
    assert sum(int(event.details["count"]) for event in events) == sum(dropped.values())
    await small.balance()


async def test_reports_make_no_room_for_each_other(small):
    for turn in range(3):
        await small.outbox.put_event("state_damaged", f"{turn}", weight=Weight.REPORT)
    report = Named(RowName(b"e" * 16, 1), 2, b"", Weight.REPORT, 0.0, 0)
    assert not await small.store.run(lambda connection: make_room(connection, report, 0, Gaps()))
    assert len(await small.reports()) == 3


async def test_a_report_whose_first_try_did_arrive_is_not_told_twice(small):
    dropped, report = Gaps(), Named(RowName(b"e" * 16, 1), 2, b"", Weight.REPORT, 0.0, 0)
    dropped.add("status", 1.0)

    def tell_twice(connection):
        ledger.book(connection, dropped)
        assert ledger.tell(connection, report, dropped, 1000)
        ledger.book(connection, dropped)
        assert ledger.tell(connection, report, dropped, 1000)
        return Gaps.from_json(get_meta(connection, ledger.GAPS)).count, get_meta(connection, ledger.WRITTEN)

    assert await small.store.run(tell_twice) == (1, 1)


async def test_a_row_dropped_on_its_way_that_arrives_is_not_told_as_dropped(small, snapshots):
    await small.outbox.put(snapshots(200, Weight.STATUS, 1000))
    batch = await small.outbox.take(100)
    await small.outbox.put(snapshots(300, Weight.FULL, 1000))
    assert not {row.name for row in batch.rows} & set(await small.rows())
    names = [row.name for row in batch.rows]
    assert await small.outbox.acknowledge(names) == 100
    assert await small.outbox.acknowledge(names) == 0
    figures = await small.outbox.figures()
    assert figures.rows_acknowledged == 100
    await small.balance()
    await small.outbox.take()
    (event,) = await small.reports()
    assert int(event.details["count"]) == sum(figures.rows_dropped.values())


async def test_what_goes_with_rows_and_finds_no_room_does_not_stop_them(tmp_path, make_bench, snapshots, monkeypatch):
    monkeypatch.setattr("dca.store.store._BESIDE", 200_000)
    small = make_bench(tmp_path / "tight", CAP)
    await small.open()

    def also(connection):
        set_meta(connection, "small", 1)
        for number in range(1000):
            set_meta(connection, f"key {number}", "x" * 1000)

    put = await small.outbox.put(snapshots(5), also=also)
    assert (put.stored, put.waiting) == (5, 0)
    assert await small.store.run(lambda connection: get_meta(connection, "small")) is None
    await small.outbox.put(snapshots(1), also=lambda connection: set_meta(connection, "small", 1))
    assert await small.store.run(lambda connection: get_meta(connection, "small")) == 1
    await small.balance()
    await small.close()


async def test_what_goes_with_rows_and_fails_keeps_them_for_the_next_call(small, snapshots):
    with pytest.raises(ZeroDivisionError):
        await small.outbox.put(snapshots(5), also=lambda _: 1 // 0)
    assert (await small.outbox.put(snapshots(1))).stored == 6
    await small.balance()


async def test_rows_that_were_kept_apart_go_before_anything_that_can_still_arrive(small, snapshots):
    await small.outbox.put(snapshots(250, Weight.STATUS_UNCHANGED, 1000))
    rows = (await small.outbox.take()).rows
    await small.outbox.set_aside({row.name: "no" for row in rows[:200]})
    put = await small.outbox.put(snapshots(150, Weight.STATUS, 1000))
    assert (put.stored, put.dropped) == (150, 0)
    await small.balance()


@given(
    puts=st.lists(st.lists(st.tuples(st.sampled_from(list(Weight)), st.integers(0, 9000)), max_size=40), max_size=12),
    seed=st.integers(0, 99),
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_put_the_file_holds_the_rest_of_what_was_dropped(puts, seed, make_bench):
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(_put_all(make_bench(Path(directory) / "state", CAP), puts, random.Random(seed)))


async def _put_all(bench, puts, chance):
    outbox = await bench.open()
    weights: dict[RowName, Weight] = {}
    try:
        for rows in puts:
            older = set(weights)
            first = len(weights) + 1
            for number, (weight, _) in enumerate(rows, first):
                weights[RowName(outbox.epoch, number)] = weight
            before = {RowName(*name) for name in await bench.rows()}
            result = await outbox.put([NewRow(1, chance.randbytes(size), weight) for weight, size in rows])
            here = {RowName(*name) for name in await bench.rows()}
            assert here <= set(weights)
            assert result.dropped == len(before) + len(rows) - len(here)
            assert result.stored == len(here - before)
            gone = [weights[name] for name in before - here]
            if gone:
                assert not [name for name in here & older if weights[name] < max(gone)]
            await bench.balance()
        dropped = collections.Counter((await outbox.figures()).rows_dropped)
        missing = collections.Counter(weights[name].name.lower() for name in set(weights) - here) if puts else {}
        assert dropped == missing
        assert (bench.directory / "state.sqlite3").stat().st_size <= CAP
    finally:
        await bench.close()

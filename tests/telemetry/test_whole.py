"""Rows that go with something else: all of it is in the file, or none of it anywhere."""

from __future__ import annotations

import pytest

from dca.errors import StoreError, StoreFullError
from dca.store import get_meta, set_meta
from dca.telemetry import NewRow, Weight
from dca.telemetry.rows import MAX_PAYLOAD


def note(connection):
    set_meta(connection, "note", 1)


async def noted(bench):
    return await bench.store.run(lambda connection: get_meta(connection, "note"))


async def test_both_are_written(bench, snapshots):
    await bench.outbox.put_whole(snapshots(2), note)
    assert (len(await bench.rows()), await noted(bench)) == (2, 1)
    await bench.balance()


async def test_what_belongs_to_them_fails_and_they_are_not_there_either(bench, snapshots):
    def fail(connection):
        note(connection)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await bench.outbox.put_whole(snapshots(2), fail)
    await bench.outbox.put([])
    assert (len(await bench.rows()), await noted(bench)) == (0, None)
    await bench.balance()


async def test_a_disk_that_takes_nothing_leaves_nothing_in_memory(bench, snapshots):
    run = bench.store.run

    async def full(_work):
        raise StoreFullError("the disk is full")

    bench.store.run = full
    with pytest.raises(StoreFullError):
        await bench.outbox.put_whole(snapshots(2), note)
    bench.store.run = run
    await bench.outbox.put([])
    assert (len(await bench.rows()), await noted(bench)) == (0, None)


async def test_rows_that_find_no_room_are_an_error(bench):
    with pytest.raises(StoreFullError, match="worth more"):
        await bench.outbox.put_whole([NewRow(1, bytes(MAX_PAYLOAD + 1), Weight.EVENT)], note)
    assert await noted(bench) is None
    await bench.balance()


async def test_a_closed_outbox_says_so(bench):
    await bench.outbox.close()
    with pytest.raises(StoreError, match="closed"):
        await bench.outbox.put_whole([], note)

"""A damaged file: nothing stops, what can be read comes back under its own name, and what is lost is said."""

from __future__ import annotations

import os
import random
import sqlite3

import pytest

from dca.model import Known
from dca.store import get_meta, load_devices, save_devices
from dca.store.files import DATABASE
from dca.store.salvage import Wreck

PAGE = 4096
ROWS = 600


@pytest.fixture
async def full(bench, snapshots):
    """A file of some 170 pages with everything in it, closed."""
    known = Known("d1", "127.0.0.2", 161, "office", "public", "2c", cells=b"cells")
    await bench.store.run(lambda connection: save_devices(connection, [known]))
    await bench.outbox.put(snapshots(ROWS + 10, size=1000))
    await bench.outbox.acknowledge([row.name for row in (await bench.outbox.take(10)).rows])
    bench.before = await bench.rows()
    bench.known = known
    bench.agent = bench.outbox.agent_id
    await bench.close()
    return bench


def spoil(bench, offset: int, length: int, content: bytes | None = None) -> None:
    with (bench.directory / DATABASE).open("r+b") as file:
        file.seek(offset)
        file.write(content if content is not None else bytes(length))


def pages(bench) -> int:
    return (bench.directory / DATABASE).stat().st_size // PAGE


async def salvage(bench):
    """Open it, wait, and return (the salvaged event's figures, the rows that came back)."""
    await bench.open()
    await bench.outbox.salvaged()
    events = {event.name: event for event in await bench.events()}
    rows = {name: payload for name, payload in (await bench.rows()).items() if name in bench.before}
    assert all(bench.before[name] == payload for name, payload in rows.items())
    assert bench.outbox.agent_id == bench.agent
    assert list(bench.directory.glob(f"{DATABASE}.corrupt-*Z"))
    assert not list(bench.directory.glob("*.copy*"))
    assert "state_damaged" in events
    return dict(events["state_salvaged"].details), rows


@pytest.mark.parametrize("length", [100, PAGE])
async def test_a_zeroed_header_costs_nothing(full, length):
    spoil(full, 0, length)
    details, rows = await salvage(full)
    assert rows == full.before
    assert (details["rows"], details["lost"], details["devices"]) == (str(ROWS), "0", "1")
    assert await full.store.run(load_devices) == [full.known]
    await full.balance()


async def test_a_zeroed_page_costs_its_rows_at_most_and_they_are_counted(full):
    spoil(full, 100 * PAGE, PAGE)
    details, rows = await salvage(full)
    assert ROWS - 10 < len(rows) < ROWS
    assert int(details["lost"]) == ROWS - len(rows)
    assert (await full.outbox.figures()).rows_lost == ROWS - len(rows)
    await full.balance()


async def test_every_page_in_turn_may_be_rubbish(full):
    """Whatever page is hit, the agent starts and what is told is true."""
    image = (full.directory / DATABASE).read_bytes()
    chance = random.Random(5)
    for page in [*range(12), *chance.sample(range(12, len(image) // PAGE), 8)]:
        for old in full.directory.glob("state.sqlite3*"):
            old.unlink()
        (full.directory / DATABASE).write_bytes(image)
        spoil(full, page * PAGE, PAGE, chance.randbytes(PAGE))
        await full.open()
        await full.outbox.salvaged()
        here = await full.rows()
        back = {name: payload for name, payload in here.items() if name in full.before}
        assert all(full.before[name] == payload for name, payload in back.items())
        figures = await full.outbox.figures()
        if figures.rows_written >= ROWS + 10:  # its counters came back, so what is lost is known
            assert figures.rows_lost == ROWS - len(back), page
        await full.balance()
        await full.close()


@pytest.mark.parametrize("kept", [0.95, 0.5, 0.02])
async def test_a_cut_file_gives_what_is_before_the_cut(full, kept, monkeypatch):
    """Without a copy, for which there may be no room."""
    monkeypatch.delattr(Wreck, "_mend")
    os.truncate(full.directory / DATABASE, int(pages(full) * kept) * PAGE - 1000)
    _, rows = await salvage(full)
    assert len(rows) > ROWS * (kept - 0.1)
    await full.balance()


async def test_no_database_at_all_is_told_too(full):
    (full.directory / DATABASE).write_bytes(os.urandom(300_000))
    details, rows = await salvage(full)
    assert rows == {}
    assert "lost" not in details
    await full.balance()


async def test_flipped_bytes_in_a_damaged_file_are_not_taken_for_rows(full):
    connection = sqlite3.connect(full.directory / DATABASE)
    connection.execute("UPDATE outbox SET payload = X'00' WHERE number = 50")
    connection.execute("UPDATE outbox SET number = 9999 WHERE number = 51")
    connection.commit()
    connection.close()
    spoil(full, 0, 100)
    details, rows = await salvage(full)
    assert (details["rows"], details["damaged"], details["lost"]) == (str(ROWS - 2), "2", "2")
    assert len(rows) == ROWS - 2
    assert not [number for _, number in await full.rows() if number == 9999]


async def test_what_is_in_the_log_is_salvaged_with_the_file(bench, snapshots):
    """Rows that a kill left in the write-ahead log only, and a file that is no database any more."""
    await bench.outbox.put(snapshots(100))
    bench.before, bench.agent = await bench.rows(), bench.outbox.agent_id
    image = {path.name: path.read_bytes() for path in bench.directory.iterdir()}
    await bench.close()
    for name, content in image.items():
        (bench.directory / name).write_bytes(content)
    os.truncate(bench.directory / DATABASE, 0)
    _, rows = await salvage(bench)
    assert rows == bench.before
    assert len(list(bench.directory.glob("*.corrupt-*Z-wal"))) == 1, "what was there is kept"


async def test_work_goes_on_meanwhile_and_a_row_delivered_before_keeps_its_name(full, snapshots):
    spoil(full, 0, PAGE)
    await full.open()
    assert (await full.outbox.put(snapshots(5, mark="new"))).stored == 5
    await full.outbox.salvaged()
    names = set(await full.rows())
    assert full.before.keys() <= names
    assert len([name for name in names if name[0] == full.outbox.epoch]) >= 5
    await full.balance()


async def test_a_kill_in_the_middle_of_it_is_made_up_for(full):
    spoil(full, 0, PAGE)
    await full.open()
    await full.close()  # cancels the salvage wherever it is
    _, rows = await salvage(full)
    assert rows == full.before
    await full.balance()
    size = len(await full.rows())
    await full.reopen()
    await full.outbox.salvaged()
    assert len(await full.rows()) == size, "salvaged once is enough"


async def test_damage_while_running_is_noticed_salvaged_and_told(bench, snapshots):
    await bench.outbox.put(snapshots(ROWS, size=1000))
    bench.before, bench.agent = await bench.rows(), bench.outbox.agent_id
    epoch = bench.outbox.epoch
    await bench.reopen()
    spoil(bench, 100 * PAGE, 20 * PAGE)
    await bench.store._call(lambda: bench.store._connection.execute("PRAGMA shrink_memory"))
    batch = await bench.outbox.take()
    assert len(batch.rows) < ROWS
    assert (await bench.outbox.put(snapshots(1))).stored == 1
    await bench.outbox.salvaged()
    rows = await bench.rows()
    assert ROWS - 100 < len([name for name in rows if name[0] == epoch]) < ROWS
    assert {"state_damaged", "state_salvaged"} <= {event.name for event in await bench.events()}
    numbers = [number for name, number in rows if name == bench.outbox.epoch]
    assert len(numbers) == len(set(numbers))
    await bench.balance()


async def test_meta_of_before_comes_back_unless_it_is_there_anew(full):
    connection = sqlite3.connect(full.directory / DATABASE)
    connection.execute("INSERT INTO meta (key, value) VALUES ('kept', 'old')")
    connection.commit()
    connection.close()
    spoil(full, 0, 100)
    await salvage(full)
    assert await full.store.run(lambda connection: get_meta(connection, "kept")) == "old"


async def test_a_wreck_that_is_no_file_gives_nothing(tmp_path):
    wreck = Wreck(tmp_path / "gone")
    assert not wreck.open()
    assert wreck.rows("outbox", ("id",), range(1, 5)) == ([], 4)
    assert list(wreck.keys("outbox")) == []
    wreck.close()

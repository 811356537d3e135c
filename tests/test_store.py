"""The state file: transactions, the lock, the cap, the registry's rows, and what becomes of damage."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import stat
import subprocess
import sys

import pytest

from dca.errors import StoreDamagedError, StoreError, StoreFullError
from dca.model import AuthProtocol, Known, PrivProtocol
from dca.store import (
    Store,
    add_meta,
    forget_devices,
    get_meta,
    load_devices,
    load_snapshots,
    read_only,
    save_devices,
    save_snapshot,
    set_meta,
)
from dca.store.atomic import write_whole
from dca.store.files import DATABASE
from dca.store.schema import MIGRATIONS

NOON = 1_795_608_000.0  # 2026-11-25T12:00:00Z


@pytest.fixture
async def store(tmp_path):
    opened = await Store.open(tmp_path / "state", clock=lambda: NOON)
    yield opened
    await opened.close()


def known(device_id: str = "d1", **fields: object) -> Known:
    return Known(device_id, "127.0.0.2", 161, "office", "public", "2c", **fields)  # type: ignore[arg-type]


async def test_a_transaction_is_whole_or_nothing(store):
    def half(connection):
        set_meta(connection, "a", 1)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await store.run(half)
    assert await store.run(lambda connection: get_meta(connection, "a")) is None
    await store.run(lambda connection: set_meta(connection, "a", 1))
    assert await store.run(lambda connection: get_meta(connection, "a")) == 1


async def test_the_file_is_kept_as_promised(store):
    def pragmas(connection):
        return [
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "page_size", "user_version")
        ]

    assert await store.run(pragmas) == ["wal", 2, 4096, len(MIGRATIONS)]
    assert stat.S_IMODE((store.directory / DATABASE).stat().st_mode) == 0o600
    assert stat.S_IMODE((store.directory / f"{DATABASE}-wal").stat().st_mode) == 0o600
    assert stat.S_IMODE(store.directory.stat().st_mode) == 0o700


async def test_a_cancelled_caller_does_not_stop_it_half_way(store):
    task = asyncio.create_task(store.run(lambda connection: set_meta(connection, "a", 1)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await store.run(lambda connection: get_meta(connection, "a")) == 1


async def test_a_second_agent_is_told_who_is_there(store):
    script = (
        "import asyncio, sys, pathlib\n"
        "from dca.store import Store\n"
        "from dca.errors import StoreError\n"
        "try: asyncio.run(Store.open(pathlib.Path(sys.argv[1])))\n"
        "except StoreError as error: print(error)\n"
    )
    found = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", script, store.directory], capture_output=True, text=True, check=True
    )
    assert f"pid {os.getpid()}" in found.stdout
    assert "in use by another agent" in found.stdout


async def test_a_closed_store_says_so_and_frees_the_directory(store):
    await store.close()
    await store.close()
    with pytest.raises(StoreError, match="closed"):
        await store.run(load_devices)
    again = await Store.open(store.directory)
    await again.close()


async def test_the_cap_holds_and_deleting_works_at_it(tmp_path, monkeypatch):
    monkeypatch.setattr("dca.store.store._BESIDE", 0)
    store = await Store.open(tmp_path / "state", cap_bytes=400_000)

    def fill(connection):
        for number in range(1000):
            set_meta(connection, f"key {number}", "x" * 1000)

    with pytest.raises(StoreFullError, match="cap or the disk"):
        await store.run(fill)
    await store.run(lambda connection: [set_meta(connection, f"key {number}", "x" * 1000) for number in range(50)])
    await store.run(lambda connection: [set_meta(connection, f"key {number}", None) for number in range(50)])
    assert (store.directory / DATABASE).stat().st_size <= 400_000
    await store.close()


async def test_a_lowered_cap_is_kept_when_the_rows_allow_it(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr("dca.store.store._BESIDE", 0)
    store = await Store.open(tmp_path / "state", cap_bytes=4_000_000)
    await store.run(lambda connection: [set_meta(connection, f"key {number}", "x" * 1000) for number in range(1000)])
    await store.close()
    with caplog.at_level(logging.WARNING):
        store = await Store.open(tmp_path / "state", cap_bytes=400_000)
    assert "is larger than the" in caplog.text
    await store.run(lambda connection: connection.execute("DELETE FROM meta").rowcount)
    await store.close()
    store = await Store.open(tmp_path / "state", cap_bytes=400_000)
    assert (store.directory / DATABASE).stat().st_size <= 400_000
    await store.close()


async def test_a_file_of_a_newer_dca_is_left_alone(store):
    await store.run(lambda connection: set_meta(connection, "a", 1))
    await store.close()
    connection = sqlite3.connect(store.directory / DATABASE)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="schema 99"):
        await Store.open(store.directory)
    assert not list(store.directory.glob("*corrupt*"))


@pytest.mark.skipif(sys.platform == "win32", reason="rights are not modes there")
async def test_a_directory_that_others_write_to_is_refused_and_one_of_ours_is_closed(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "theirs").touch()
    shared.chmod(0o777)
    with pytest.raises(StoreError, match="shared with others"):
        await Store.open(shared)
    (shared / "theirs").unlink()
    store = await Store.open(shared)
    assert stat.S_IMODE(shared.stat().st_mode) == 0o700
    await store.close()


async def test_a_place_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be used"):
        await Store.open(tmp_path / "file")


async def test_counters_add_up(store):
    def count(connection):
        add_meta(connection, "n", 2)
        add_meta(connection, "n", 0)
        add_meta(connection, "n", 3)
        return get_meta(connection, "n")

    assert await store.run(count) == 5


async def test_devices_come_back_as_they_were_saved(store):
    first = known(
        auth=AuthProtocol.SHA256,
        priv=PrivProtocol.AES256C,
        cells=b"\x00\xff",
        serial="X1",
        quirks={"max_repetitions": 5, "no_bulk": True},
        last_read=NOON,
    )
    second = known("d2", name="Küche")
    await store.run(lambda connection: save_devices(connection, [first, second]))
    assert await store.run(load_devices) == [first, second]
    second.address = "127.0.0.9"
    await store.run(lambda connection: save_devices(connection, [second]))
    assert await store.run(load_devices) == [first, second]
    await store.run(lambda connection: forget_devices(connection, ["d1"]))
    assert await store.run(load_devices) == [second]


async def test_snapshots_stay_with_their_device(store):
    def save(connection):
        save_devices(connection, [known()])
        save_snapshot(connection, "d1", b"full", full=True)
        save_snapshot(connection, "d1", b"status", full=False)
        save_snapshot(connection, "stranger", b"x", full=True)
        save_devices(connection, [known()])
        return load_snapshots(connection)

    assert await store.run(save) == {"d1": (b"status", b"full")}


async def test_a_device_row_that_makes_no_sense_is_left_out_and_said(store, caplog):
    def spoil(connection):
        save_devices(connection, [known("d1"), known("d2"), known("d3"), known("d4")])
        connection.execute("UPDATE device SET known = '{' WHERE device_id = 'd1'")
        connection.execute("UPDATE device SET known = '{}' WHERE device_id = 'd2'")
        connection.execute("UPDATE device SET known = '[]' WHERE device_id = 'd3'")
        connection.execute("UPDATE device SET known = json_set(known, '$.of_a_newer_dca', 1) WHERE device_id = 'd4'")

    await store.run(spoil)
    assert await store.run(load_devices) == [known("d4")]
    assert caplog.text.count("discovered anew") == 3


async def test_others_read_while_it_runs_and_after(store):
    await store.run(lambda connection: set_meta(connection, "a", 1))
    with read_only(store.directory) as connection:
        assert get_meta(connection, "a") == 1
    await store.close()
    with read_only(store.directory) as connection:
        assert get_meta(connection, "a") == 1
    with pytest.raises(StoreError, match="readonly"), read_only(store.directory) as connection:
        set_meta(connection, "a", 2)
    with pytest.raises(StoreError, match="no agent has run"), read_only(store.directory / "elsewhere"):
        pass


async def test_a_reader_of_a_damaged_file_is_told(store):
    await store.close()
    (store.directory / DATABASE).write_bytes(b"no database" * 1000)
    with pytest.raises(StoreDamagedError, match="damaged"), read_only(store.directory) as connection:
        get_meta(connection, "a")


async def test_damage_found_at_opening_puts_the_file_aside(store, caplog):
    await store.close()
    before = b"no database" * 1000
    (store.directory / DATABASE).write_bytes(before)
    again = await Store.open(store.directory, clock=lambda: NOON)
    (aside,) = again.damaged()
    assert aside.name == f"{DATABASE}.corrupt-20261125T120000Z"
    assert aside.read_bytes() == before
    assert "fresh one is in use" in caplog.text
    await again.run(lambda connection: set_meta(connection, "a", 1))
    assert again.generation == 1
    await again.close()


async def test_damage_found_later_is_met_by_the_same_transaction_on_a_fresh_file(store):
    await store.run(lambda connection: [set_meta(connection, f"key {number}", "x" * 1000) for number in range(500)])
    await store.close()
    store = await Store.open(store.directory, clock=lambda: NOON)
    size = (store.directory / DATABASE).stat().st_size
    with (store.directory / DATABASE).open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(size - 4096))
    await store._call(lambda: store._connection.execute("PRAGMA shrink_memory"))  # it has pages from its check

    def work(connection):
        set_meta(connection, "new", 1)
        return connection.execute("SELECT count(*) FROM meta").fetchone()[0]

    assert await store.run(work) == 1
    assert len(store.damaged()) == 1
    await store.close()


async def test_an_empty_file_beside_a_full_log_is_damage_not_a_new_file(store):
    await store.run(lambda connection: set_meta(connection, "a", 1))
    image = {path.name: path.read_bytes() for path in store.directory.iterdir()}
    await store.close()
    for name in (DATABASE, f"{DATABASE}-wal"):
        (store.directory / name).write_bytes(image[name])
    os.truncate(store.directory / DATABASE, 0)
    again = await Store.open(store.directory, clock=lambda: NOON)
    (aside,) = again.damaged()
    assert aside.with_name(aside.name + "-wal").stat().st_size == len(image[f"{DATABASE}-wal"])
    await again.close()


async def test_damage_twice_in_a_second_keeps_both_files(store):
    directory = store.directory
    for _ in range(3):
        await store.close()
        (directory / DATABASE).write_bytes(b"no database" * 1000)
        store = await Store.open(directory, clock=lambda: NOON)
    assert len(store.damaged()) == 3
    await store.close()


@pytest.mark.parametrize("moved", [[], [f"{DATABASE}-wal"], [f"{DATABASE}-wal", DATABASE]])
async def test_a_kill_while_putting_aside_is_finished_at_the_next_start(store, moved):
    await store.run(lambda connection: set_meta(connection, "a", 1))
    image = {name: (store.directory / name).read_bytes() for name in (DATABASE, f"{DATABASE}-wal")}
    await store.close()
    target = f"{DATABASE}.corrupt-20261125T120000Z"
    (store.directory / DATABASE).unlink()
    (store.directory / f"{DATABASE}.moving").write_text(target)
    for name, content in image.items():
        place = name.replace(DATABASE, target) if name in moved else name
        (store.directory / place).write_bytes(content)
    again = await Store.open(store.directory)
    assert await again.run(lambda connection: get_meta(connection, "a")) is None
    assert [path.name for path in again.damaged()] == [target]
    assert (again.directory / f"{target}-wal").read_bytes() == image[f"{DATABASE}-wal"]
    assert not (again.directory / f"{DATABASE}.moving").exists()
    await again.close()


async def test_a_marker_that_points_elsewhere_moves_nothing(store):
    await store.run(lambda connection: set_meta(connection, "a", 1))
    await store.close()
    (store.directory / f"{DATABASE}.moving").write_text("../elsewhere")
    again = await Store.open(store.directory)
    assert await again.run(lambda connection: get_meta(connection, "a")) == 1
    assert not (again.directory.parent / "elsewhere").exists()
    await again.close()


def test_a_link_that_waits_for_a_small_file_is_not_followed(tmp_path):
    """The folder is the agent's, and root writes there too: the agent's user must not choose what root overwrites."""
    others = tmp_path / "others"
    others.write_text("untouched")
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / f"activation.json.{os.getpid()}.part").symlink_to(others)
    write_whole(folder / "activation.json", b"{}")
    assert others.read_text() == "untouched"
    assert (folder / "activation.json").read_bytes() == b"{}"
    assert not (folder / "activation.json").is_symlink()

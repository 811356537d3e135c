"""A disk that takes nothing: rows wait in memory, are delivered from there, and are written when it can."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dca.errors import StoreFullError
from dca.telemetry import Outbox, Weight, memory

SCRIPT = Path(__file__).with_name("full_disk.py")


class Disk:
    """Makes the store fail as a full disk does, at will: nothing is written, reading works."""

    def __init__(self, store) -> None:
        self.full = False
        self._run = store.run
        store.run = self.run

    async def run(self, work):
        def tried(connection):
            before = connection.total_changes
            result = work(connection)
            if self.full and connection.total_changes != before:
                raise StoreFullError("the disk is full")
            return result

        return await self._run(tried)


@pytest.fixture
def disk(bench):
    return Disk(bench.store)


async def test_rows_wait_in_memory_and_get_the_same_names_later(bench, disk, snapshots, caplog):
    await bench.outbox.put(snapshots(2))
    disk.full = True
    with caplog.at_level(logging.WARNING):
        assert await bench.outbox.put(snapshots(3, mark="w")) == (0, 3, 0)
        assert await bench.outbox.put(snapshots(1, mark="v")) == (0, 4, 0)
        assert (await bench.outbox.figures()).waiting == 4
        disk.full = False
        assert await bench.outbox.put(snapshots(1)) == (5, 0, 0)
    assert caplog.text.count("wait in memory") == 1
    assert caplog.text.count("can be written again") == 1
    assert [number for _, number in await bench.rows()] == [1, 2, 3, 4, 5, 6, 7]
    await bench.balance()


async def test_what_waits_in_memory_is_delivered_all_the_same(bench, disk, snapshots):
    await bench.outbox.put(snapshots(2))
    disk.full = True
    await bench.outbox.put(snapshots(3))
    batch = await bench.outbox.take(4)
    assert [row.name.number for row in batch.rows] == [1, 2, 3, 4]
    assert batch.backlog == 1
    assert await bench.outbox.acknowledge([row.name for row in batch.rows]) == 4
    assert [row.name.number for row in (await bench.outbox.take()).rows] == [5], (
        "the two in the file are not sent again"
    )
    disk.full = False
    await bench.outbox.acknowledge([])
    assert await bench.rows() == {}
    await bench.outbox.put([])
    assert [number for _, number in await bench.rows()] == [5]
    await bench.balance()
    assert (await bench.outbox.figures()).rows_acknowledged == 4


async def test_memory_is_bounded_and_drops_by_worth(bench, disk, snapshots, monkeypatch):
    monkeypatch.setattr(memory, "MAX_BYTES", 10_000)
    disk.full = True
    await bench.outbox.put(snapshots(5, Weight.FULL, 1000))
    put = await bench.outbox.put(snapshots(20, Weight.STATUS, 1000))
    assert (put.waiting, put.dropped) == (10, 15)
    disk.full = False
    await bench.outbox.take()
    await bench.outbox.put([])
    assert sum(payload.startswith(b"") for payload in (await bench.rows()).values()) == 10
    assert (await bench.outbox.figures()).rows_dropped == {"status": 15}
    await bench.outbox.take()
    (event,) = await bench.events()
    assert event.details["status"] == "15"
    await bench.balance()


async def test_a_gap_report_that_could_not_be_written_is_told_once(bench, disk, snapshots, monkeypatch):
    monkeypatch.setattr(memory, "MAX_BYTES", 3_000)
    disk.full = True
    await bench.outbox.put(snapshots(5, Weight.STATUS, 1000))
    disk.full = False
    await bench.outbox.put([])
    disk.full = True
    await bench.outbox.take()
    await bench.outbox.take()
    disk.full = False
    await bench.outbox.take()
    await bench.outbox.take()
    assert [event.name for event in await bench.events()] == ["rows_dropped"]
    assert sorted(number for _, number in await bench.rows()) == [3, 4, 5, 6]
    await bench.balance()


async def test_names_that_cannot_be_removed_are_bounded(bench, disk, snapshots, monkeypatch):
    monkeypatch.setattr(memory, "MAX_ACKNOWLEDGED", 3)
    await bench.outbox.put(snapshots(5))
    disk.full = True
    rows = (await bench.outbox.take()).rows
    await bench.outbox.acknowledge([row.name for row in rows])
    assert len((await bench.outbox.take()).rows) == 2


async def test_a_stop_with_a_full_disk_says_what_is_lost(bench, disk, snapshots, caplog):
    disk.full = True
    await bench.outbox.put(snapshots(3))
    await bench.outbox.close()
    assert "3 rows could not be written" in caplog.text


async def test_a_stop_writes_what_it_can(bench, disk, snapshots):
    disk.full = True
    await bench.outbox.put(snapshots(3))
    disk.full = False
    await bench.outbox.close()
    assert isinstance(bench.outbox, Outbox)
    assert len(await bench.rows()) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="no resource limits there")
def test_a_real_file_size_limit(tmp_path):
    """RLIMIT_FSIZE in a process of its own: write(2) fails, as it does on a full disk."""
    run(tmp_path / "state", "limit")


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounting a small tmpfs takes root on Linux")
def test_a_real_full_disk(tmp_path):
    (tmp_path / "disk").mkdir()
    mount = f"mount -t tmpfs -o size=16m none {tmp_path / 'disk'} && exec "
    run(tmp_path / "disk" / "state", "disk", "unshare", "--mount", "sh", "-c", mount + '"$@"', "sh")


def run(directory: Path, how: str, *prefix: str) -> None:
    done = subprocess.run(
        [*prefix, sys.executable, str(SCRIPT), str(directory), how],
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "ok\n"

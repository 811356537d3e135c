"""kill -9 of a process that writes: what put() returned for is there, whole, once, and what was begun is not halved."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dca.store import read_only
from dca.telemetry.verify import COLUMNS, intact

SCRIPT = Path(__file__).with_name("writer.py")
CYCLES = 6


def entries(journal: Path) -> list[tuple[str, list[tuple[str, int]]]]:
    """Read the journal that the writer keeps: one line an operation, the last may be torn."""
    lines = journal.read_text().split("\n")[:-1]
    return [
        (word, [(name.split(":")[0], int(name.split(":")[1])) for name in names])
        for word, *names in map(str.split, lines)
    ]


def check(state: Path, journal: Path) -> int:
    """Compare file and journal; return how many rows are in the file."""
    put: set[tuple[str, int]] = set()
    begun: set[tuple[str, int]] = set()
    forgotten: set[tuple[str, int]] = set()
    for word, names in entries(journal):
        {"begin": begun, "put": put, "forget": forgotten, "forgot": forgotten}[word].update(names)
    with read_only(state) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        found = connection.execute(f"SELECT {', '.join(COLUMNS)} FROM outbox ORDER BY id").fetchall()
        counters = dict(connection.execute("SELECT key, value FROM meta WHERE key GLOB 'outbox.*'").fetchall())
    assert all(intact(row) for row in found)
    here = {(row[1].hex(), row[2]) for row in found}
    assert len(here) == len(found)
    assert put - forgotten <= here, "put() had returned for these"
    assert here <= begun
    assert counters.get("outbox.written", 0) - counters.get("outbox.acknowledged", 0) == len(found)
    for word, names in entries(journal):
        if word == "begin" and not put & set(names) and not forgotten & set(names):
            assert len(here & set(names)) in (0, len(names)), "a transaction is whole or nothing"
    return len(found)


def kill_once(state: Path, journal: Path, after: float) -> None:
    with subprocess.Popen([sys.executable, str(SCRIPT), str(state), str(journal)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        time.sleep(after)
        writer.send_signal(signal.SIGKILL)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_killed_writer_loses_nothing_it_was_told_is_safe(tmp_path):
    state, journal = tmp_path / "state", tmp_path / "journal"
    chance = random.Random()
    for _ in range(CYCLES):
        kill_once(state, journal, chance.uniform(0.0, 0.15))
        check(state, journal)
    assert len({epoch for word, names in entries(journal) if word == "put" for epoch, _ in names}) >= CYCLES - 1

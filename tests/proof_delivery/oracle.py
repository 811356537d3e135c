"""What must have arrived, and what did.

Two witnesses say what an agent's outbox has accepted: a journal of every row that was ever seen in its state
file, read from outside while the agent runs; and the numbers themselves, for they count up without a hole in
each epoch: whatever lies below the highest number seen must be at the hub, in the outbox, or among what the
agent says it dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dca.errors import StoreError
from dca.hub.run import database
from dca.store import get_meta, read_only
from dca.store.files import DATABASE
from dca.telemetry import Figures, read_figures
from dca.wire.report_pb2 import ROW_KIND_EVENT, ROW_KIND_SNAPSHOT, Event

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Journal", "Verdict", "compare"]

POLL = 0.04
"""Seconds between two looks into a state file."""
Name = tuple[bytes, int]


class Journal:
    """Every row that was seen in a state file: name and CRC-32."""

    def __init__(self, state: Path) -> None:
        self.seen: dict[Name, int] = {}
        self.agent_id = ""
        self._state = state
        self._file = 0
        self._last = 0

    async def watch(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.to_thread(self.look)
            await asyncio.sleep(POLL)

    def look(self) -> None:
        """Write down what is new; a file that is not there, or just damaged, is looked into the next time."""
        with contextlib.suppress(OSError, StoreError, sqlite3.Error):
            file = (self._state / DATABASE).stat().st_ino
            last = self._last if file == self._file else 0
            with read_only(self._state) as connection:
                self.agent_id = self.agent_id or str(get_meta(connection, "agent.id") or "")
                rows = connection.execute(
                    "SELECT id, epoch, number, crc32 FROM outbox WHERE id > ? ORDER BY id", (last,)
                ).fetchall()
            for row_id, epoch, number, crc32 in rows:
                self.seen.setdefault((epoch, number), crc32)
                last = row_id
            self._file, self._last = file, last

    def figures(self, patience: float = 2.0) -> Figures:
        """Return the outbox's own; a file that is just being opened or salvaged is waited for."""
        end = time.monotonic() + patience
        while True:
            try:
                with read_only(self._state) as connection:
                    return read_figures(connection, 0.0)
            except StoreError:
                if time.monotonic() >= end:
                    raise
            time.sleep(0.05)

    def waiting(self) -> set[Name]:
        with read_only(self._state) as connection:
            return set(connection.execute("SELECT epoch, number FROM outbox").fetchall())

    def payloads(self) -> list[bytes]:
        """What waits, of rows that lie within one page."""
        with read_only(self._state) as connection:
            found = connection.execute("SELECT payload FROM outbox WHERE length(payload) BETWEEN 100 AND 1000")
            return [payload for (payload,) in found]


@dataclass
class Verdict:
    """What came of one agent."""

    read: int = 0
    """Rows that its outbox has accepted."""
    stored: int = 0
    """Rows of it that the hub holds."""
    told: int = 0
    """Rows that never arrive and that the agent said so of, with their number."""
    lost: int = 0
    """Rows that never arrived and that nobody told of."""
    twice: int = 0
    """Readings or events that the hub holds more than once."""
    notes: list[str] = field(default_factory=list)

    def __add__(self, other: Verdict) -> Verdict:
        return Verdict(
            self.read + other.read,
            self.stored + other.stored,
            self.told + other.told,
            self.lost + other.lost,
            self.twice + other.twice,
            [*self.notes, *other.notes],
        )


async def compare(journal: Journal, hub_data: Path) -> Verdict:
    """Compare what the agent accepted with what the hub holds; the agent has stopped, the hub runs."""
    await asyncio.to_thread(journal.look)
    async with database(hub_data, None) as connection:
        agent = await connection.fetchval("SELECT id FROM agents WHERE agent_id = $1", journal.agent_id)
        rows = await connection.fetch("SELECT epoch, number, kind, crc32, payload FROM rows WHERE agent = $1", agent)
        events = await connection.fetchval(
            "SELECT count(*) - count(DISTINCT (epoch, number)) FROM events WHERE agent = $1", agent
        )
    verdict = Verdict(twice=int(events))
    stored: dict[Name, int] = {}
    readings: set[bytes] = set()
    told = 0
    for row in rows:
        name = (bytes(row["epoch"]), row["number"])
        verdict.twice += name in stored
        stored[name] = row["crc32"]
        if zlib.crc32(row["payload"]) != row["crc32"]:
            verdict.notes.append(f"row {name[1]} is damaged at the hub")
            verdict.lost += 1
        if row["kind"] == ROW_KIND_SNAPSHOT:
            verdict.twice += row["payload"] in readings
            readings.add(row["payload"])
        elif row["kind"] == ROW_KIND_EVENT:
            told += _told(Event.FromString(row["payload"]))
    _account(verdict, journal, stored, told)
    return verdict


def _told(event: Event) -> int:
    """How many rows this event says will never arrive."""
    if event.name == "rows_dropped":
        return int(event.details["count"])
    if event.name == "state_salvaged":
        return int(event.details.get("lost", "0"))
    return 0


def _account(verdict: Verdict, journal: Journal, stored: dict[Name, int], told: int) -> None:
    highest: dict[bytes, int] = {}
    for epoch, number in [*journal.seen, *stored]:
        highest[epoch] = max(highest.get(epoch, 0), number)
    accepted = {(epoch, number) for epoch, high in highest.items() for number in range(1, high + 1)}
    waiting = journal.waiting()
    missing = accepted - stored.keys() - waiting
    other = [name for name in journal.seen.keys() & stored.keys() if journal.seen[name] != stored[name]]
    verdict.read, verdict.stored, verdict.told = len(accepted), len(stored), told
    verdict.lost += max(len(missing) - told, 0) + len(other)
    figures = journal.figures()
    if len(missing) != told:
        verdict.notes.append(f"{len(missing)} rows are missing and {told} were told of")
    if waiting:
        verdict.notes.append(f"{len(waiting)} rows still wait")
    gone = figures.rows_acknowledged + sum(figures.rows_dropped.values()) + figures.rows_aside + figures.rows_lost
    if figures.rows_written != gone + figures.depth:
        verdict.notes.append(f"the agent's counters do not balance: {figures}")

"""Carry over what a damaged state file still holds, while the agent works on a fresh one.

Every row keeps its epoch and number, so one that was delivered before the damage is still stored
once. Only rows whose checksums fit are taken. The damaged file stays where it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Protocol

from dca.errors import StoreError
from dca.store import add_meta, get_meta, set_meta
from dca.store.salvage import Wreck
from dca.store.tasks import TASK_COLUMNS, TASKS_BEGAN, restore_tasks
from dca.telemetry import ledger
from dca.telemetry.gaps import Gaps
from dca.telemetry.room import make_room
from dca.telemetry.rows import Named, RowName, Weight
from dca.telemetry.verify import COLUMNS, intact

if TYPE_CHECKING:
    import logging
    import sqlite3
    from collections.abc import Mapping
    from pathlib import Path

    from dca.store import Store

__all__ = ["Salvaged", "Salvager"]

_CHUNK = 256
_META = (int, float, str, bytes)
_DEVICE = ("device_id", "known", "cells", "snapshot", "full_snapshot")


class _Tell(Protocol):
    async def __call__(
        self, name: str, text: str, *, details: Mapping[str, str] | None = None, weight: Weight = Weight.EVENT
    ) -> object: ...


@dataclass
class Salvaged:
    """What one damaged file gave."""

    rows: int = 0
    """Outbox rows that were read whole and are in the outbox again."""
    damaged: int = 0
    """Outbox rows that were found and whose checksums were wrong."""
    unreadable: int = 0
    """Keys that the file could not be read for; some of them had no row."""
    lost: int | None = None
    """Rows that did not come back, by the file's own counters; None if those are lost as well."""
    devices: int = 0


class Salvager:
    """Looks for damaged files that nobody has salvaged and works through them, one after the other."""

    def __init__(self, store: Store, tell: _Tell, log: logging.Logger) -> None:
        self._store = store
        self._tell = tell
        self._log = log
        self._seen = -1
        self._task: asyncio.Task[None] | None = None

    def look(self) -> None:
        """Start if the store has put a file aside since the last look."""
        if self._seen == self._store.generation or (self._task and not self._task.done()):
            return
        self._seen = self._store.generation
        if self._store.damaged():
            self._task = asyncio.create_task(self._work(), name="salvage")

    async def wait(self) -> None:
        """Wait until nothing is left to do."""
        self.look()
        while self._task and not self._task.done():
            await asyncio.shield(self._task)
            self.look()

    async def close(self) -> None:
        """Stop; what is left is done at the next start."""
        self._seen = self._store.generation
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _work(self) -> None:
        for path in self._store.damaged():
            wreck = Wreck(path)
            try:
                await self._salvage(path, wreck)
            except (StoreError, OSError) as error:
                self._log.error("%s is not salvaged yet, the next start tries again: %s", path, error)
            finally:
                await asyncio.to_thread(wreck.close)

    async def _salvage(self, path: Path, wreck: Wreck) -> None:
        begun = f"salvage.{path.name}"
        if await self._store.run(lambda connection: get_meta(connection, begun)) is None:
            text = "the state file was damaged; it is kept, a fresh one is in use, and what can be read is carried over"
            await self._tell("state_damaged", text, details={"file": path.name}, weight=Weight.REPORT)
        found = Salvaged()
        if await asyncio.to_thread(wreck.open):
            counters = await self._counters(wreck, begun)
            await self._tasks(wreck)
            await self._devices(wreck, found)
            await self._rows(wreck, found)
            if counters is None:
                await self._store.run(lambda connection: add_meta(connection, ledger.WRITTEN, found.rows))
            else:
                lost = found.lost = max(counters - found.rows, 0)
                await self._store.run(lambda connection: add_meta(connection, ledger.LOST, lost))
        await self._done(path, found)

    async def _counters(self, wreck: Wreck, begun: str) -> int | None:
        """Carry `meta` over and return how many rows should be in the old file, if it says so."""
        rows, _ = await asyncio.to_thread(wreck.rows, "meta", ("key", "value"), wreck.keys("meta"))
        old = {key: value for key, value in rows if isinstance(key, str)}
        counts = {key: value for key, value in old.items() if key.startswith("outbox.") and isinstance(value, int)}

        def carry(connection: sqlite3.Connection) -> None:
            if get_meta(connection, begun) is not None:
                return
            set_meta(connection, begun, 1)
            for key, value in old.items():
                if key in counts:
                    add_meta(connection, key, counts[key])
                elif key == ledger.GAPS:
                    untold = Gaps.from_json(get_meta(connection, key)) + Gaps.from_json(value)
                    set_meta(connection, key, untold.to_json())
                elif key != TASKS_BEGAN and get_meta(connection, key) is None and isinstance(value, _META):
                    set_meta(connection, key, value)

        await self._store.run(carry)
        if ledger.WRITTEN not in counts:
            return None
        return counts[ledger.WRITTEN] - sum(value for key, value in counts.items() if key != ledger.WRITTEN)

    async def _rows(self, wreck: Wreck, found: Salvaged) -> None:
        keys = await asyncio.to_thread(wreck.keys, "outbox")
        for start in range(0, len(keys), _CHUNK):
            rows, unreadable = await asyncio.to_thread(wreck.rows, "outbox", COLUMNS, keys[start : start + _CHUNK])
            whole = [_named(row) for row in rows if intact(row)]
            found.damaged += len(rows) - len(whole)
            found.unreadable += unreadable
            found.rows += len(whole)
            if whole:
                await self._store.run(functools.partial(_restore, rows=whole, cap_pages=self._store.cap_pages))

    async def _tasks(self, wreck: Wreck) -> None:
        keys = await asyncio.to_thread(wreck.keys, "task")
        for start in range(0, len(keys), _CHUNK):
            rows, _ = await asyncio.to_thread(wreck.rows, "task", TASK_COLUMNS, keys[start : start + _CHUNK])
            await self._store.run(functools.partial(restore_tasks, rows=rows))

    async def _devices(self, wreck: Wreck, found: Salvaged) -> None:
        keys = await asyncio.to_thread(wreck.keys, "device")
        for start in range(0, len(keys), _CHUNK):
            rows, _ = await asyncio.to_thread(wreck.rows, "device", _DEVICE, keys[start : start + _CHUNK])
            found.devices += len(rows)

            await self._store.run(functools.partial(_restore_devices, rows=rows))

    async def _done(self, path: Path, found: Salvaged) -> None:
        figures = {key: str(value) for key, value in asdict(found).items() if value is not None}
        lost = "how many did not is not known" if found.lost is None else f"{found.lost} rows did not"
        text = f"of the damaged state file {found.rows} rows and {found.devices} devices came back, {lost}"
        await self._tell("state_salvaged", text, details={"file": path.name, **figures}, weight=Weight.REPORT)
        self._log.warning("%s: %s", path, text)
        await asyncio.to_thread(path.with_name(path.name + ".salvaged").write_text, json.dumps(figures) + "\n", "utf-8")


def _named(row: tuple[object, ...]) -> Named:
    """Make the row that `intact` has found whole."""
    _, epoch, number, kind, weight, at, crc32, _, payload = row
    assert isinstance(epoch, bytes)
    assert isinstance(number, int)
    assert isinstance(kind, int)
    assert isinstance(weight, int)
    assert isinstance(at, float)
    assert isinstance(crc32, int)
    assert isinstance(payload, bytes)
    return Named(RowName(epoch, number), kind, payload, weight, at, crc32)


def _restore(connection: sqlite3.Connection, rows: list[Named], cap_pages: int) -> None:
    gaps = Gaps()
    for row in rows:
        if make_room(connection, row, cap_pages, gaps):
            ledger.insert(connection, row)
        else:
            gaps.add("salvaged", row.at)
    ledger.book(connection, gaps)


def _restore_devices(connection: sqlite3.Connection, rows: list[tuple[object, ...]]) -> None:
    """Add the devices that were not found anew meanwhile."""
    connection.executemany(
        "INSERT OR IGNORE INTO device (device_id, known, cells, snapshot, full_snapshot) VALUES (?, ?, ?, ?, ?)", rows
    )

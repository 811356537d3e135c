"""What is read and not yet acknowledged: rows with a name, in the state file."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import time
import zlib
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from dca.errors import StoreError, StoreFullError
from dca.store import get_meta
from dca.telemetry import ledger
from dca.telemetry.agent_id import agent_id
from dca.telemetry.figures import Figures, read_figures
from dca.telemetry.gaps import Gaps
from dca.telemetry.memory import Memory
from dca.telemetry.rows import Batch, Named, NewRow, RowName, Stored, Weight
from dca.telemetry.salvage import Salvager
from dca.wire.report_pb2 import ROW_KIND_EVENT, Event

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Coroutine, Iterable, Mapping

    from dca.store import Store

__all__ = ["Outbox", "Put"]

_log = logging.getLogger(__name__)
T = TypeVar("T")


class Put(NamedTuple):
    """What became of the rows of one `put`."""

    stored: int
    """In the file now, and there after any kill."""
    waiting: int
    """In memory, because the disk takes nothing; tried again with every later call."""
    dropped: int
    """Gone for want of room, these or older ones; counted and reported as an event."""


class Outbox:
    """Rows on their way to the hub. One opening takes one epoch; numbers count up from 1 in it.

    Made by `open`. Every method may be cancelled: what it began in the file is finished.
    """

    def __init__(self, store: Store, clock: Callable[[], float], epoch: bytes, log: logging.Logger) -> None:
        """Only `open` calls this."""
        self.epoch = epoch
        self.agent_id = ""
        """UUID of this agent."""
        self._store = store
        self._clock = clock
        self._log = log
        self._numbers = itertools.count(1)
        self._memory = Memory(log)
        self._taken: dict[RowName, Stored] = {}
        """The rows of the last batch that came from the file, until they are acknowledged."""
        self._report: tuple[Named, Gaps] | None = None
        self._tasks: set[asyncio.Task[object]] = set()
        self._salvager = Salvager(store, self.put_event, log)
        self._closed = False

    @classmethod
    async def open(
        cls,
        store: Store,
        *,
        clock: Callable[[], float] = time.time,
        entropy: Callable[[int], bytes] = os.urandom,
        known_as: str | None = None,
        log: logging.Logger = _log,
    ) -> Outbox:
        """Open the outbox of `store` with a new epoch; what damaged files hold is carried over meanwhile.

        `clock` gives Unix seconds, `entropy` that many random bytes. `known_as` is the agent's id at its hub; without
        one it keeps the one that it has, or makes one.
        """
        outbox = cls(store, clock, entropy(16), log)
        outbox.agent_id = await agent_id(store, entropy, known_as)
        outbox._salvager.look()
        return outbox

    async def put(self, rows: Iterable[NewRow], *, also: Callable[[sqlite3.Connection], None] | None = None) -> Put:
        """Add rows, all in one transaction, and say what became of them.

        What is worth no more makes room for them when the cap is reached (see `Weight`). `also` writes what
        belongs to them in the same transaction; it is left out when it finds no room or rows have to wait in memory.

        Raises:
            StoreError: the outbox is closed.
        """
        if self._closed:
            raise StoreError("the outbox is closed")
        now = self._clock()
        return await self._see_through(self._put([self._name(row, now) for row in rows], also))

    async def put_whole(self, rows: Iterable[NewRow], also: Callable[[sqlite3.Connection], None]) -> None:
        """Add rows and what `also` writes in one transaction, or nothing at all: none of them waits in memory.

        Raises:
            StoreError: the outbox is closed, or the file takes nothing. What `also` raises comes through.
        """
        if self._closed:
            raise StoreError("the outbox is closed")
        now = self._clock()
        named = [self._name(row, now) for row in rows]

        def write(connection: sqlite3.Connection) -> None:
            also(connection)
            if ledger.write(connection, named, Gaps(), self._store.cap_pages).stored < len(named):
                raise StoreFullError("the outbox is full of rows that are worth more")

        await self._see_through(self._run(write))

    async def put_event(
        self,
        name: str,
        text: str,
        *,
        device_id: str | None = None,
        details: Mapping[str, str] | None = None,
        weight: Weight = Weight.EVENT,
    ) -> Put:
        """Add one `Event` (report.proto) that happened now."""
        event = Event(name=name, text=text, device_id=device_id, details=details or {})
        event.at.FromMicroseconds(int(self._clock() * 1e6))
        return await self.put([NewRow(ROW_KIND_EVENT, event.SerializeToString(), weight)])

    async def take(self, limit: int = 1000, max_bytes: int = 3_000_000, *, after: int = 0) -> Batch:
        """Return the oldest rows behind `after`, at least one if there is any; nothing is removed.

        What was dropped since the last time is told in a ``rows_dropped`` event first. `max_bytes`
        counts payloads. Rows whose checksum is wrong are kept aside and told likewise.

        Raises:
            StoreError: the file cannot be read.
        """
        await self._see_through(self._tell())
        batch, damaged = await self._run(
            lambda connection: ledger.read(connection, limit, max_bytes, after, self._memory.acknowledged)
        )
        if damaged:
            self._log.error("%d rows of the outbox were damaged on the disk and are kept aside", damaged)
        self._taken = {row.name: row for row in batch.rows}
        return self._memory.extend(batch, limit, max_bytes)

    async def acknowledge(self, names: Iterable[RowName]) -> int:
        """Forget rows that the hub has stored and return how many were waiting; unknown names are nothing.

        On a full disk they are remembered as acknowledged and removed when it is possible.
        """
        return await self._see_through(self._acknowledge(list(names)))

    async def set_aside(self, refused: Mapping[RowName, str]) -> int:
        """Keep rows apart that the hub never will store, with its reason; return how many there were.

        Raises:
            StoreError: the file cannot be written.
        """
        return await self._see_through(self._run(lambda connection: ledger.keep_aside(connection, refused)))

    async def figures(self) -> Figures:
        """Return depth, age and counters."""
        now = self._clock()
        return await self._run(lambda connection: read_figures(connection, now, len(self._memory.rows)))

    async def salvaged(self) -> None:
        """Wait until everything readable of damaged files is carried over."""
        await self._salvager.wait()

    async def close(self) -> None:
        """Finish what was begun and try once more for rows that wait in memory; the store stays open."""
        if self._closed:
            return
        await self._salvager.close()
        if self._memory.rows:
            await self.put([])
        self._closed = True
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._memory.rows:
            self._log.error("%d rows could not be written and end with this process", len(self._memory.rows))

    async def _see_through(self, work: Coroutine[object, object, T]) -> T:
        """Run `work` to its end even if the caller is cancelled."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def _ended(self, task: asyncio.Task[T]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # a caller that was cancelled does not ask for it

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await self._store.run(work)
        finally:
            if not self._closed:
                self._salvager.look()

    def _name(self, row: NewRow, now: float) -> Named:
        name = RowName(self.epoch, next(self._numbers))
        return Named(name, row.kind, row.payload, int(row.weight), now, zlib.crc32(row.payload))

    async def _put(self, fresh: list[Named], also: Callable[[sqlite3.Connection], None] | None) -> Put:
        rows, gaps = self._memory.give(fresh)

        def write(connection: sqlite3.Connection) -> ledger.Written:
            if also is not None:
                also(connection)
            return ledger.write(connection, rows, gaps, self._store.cap_pages)

        try:
            written = await self._write(write, rows, gaps, alone=also is not None)
        except StoreError as error:
            dropped = self._memory.keep(rows, gaps, error)
            return Put(0, len(self._memory.rows), dropped)
        except Exception:  # of `also`: its rows are not at fault
            self._memory.hold(rows, gaps)
            raise
        self._memory.written()
        return Put(written.stored, 0, written.dropped.count)

    async def _write(
        self, write: Callable[[sqlite3.Connection], ledger.Written], rows: list[Named], gaps: Gaps, *, alone: bool
    ) -> ledger.Written:
        """Run `write`; with `alone`, rows are written by themselves if what goes with them finds no room."""
        try:
            return await self._run(write)
        except StoreFullError:
            if not alone:
                raise
        return await self._run(lambda connection: ledger.write(connection, rows, gaps, self._store.cap_pages))

    async def _tell(self) -> None:
        """Make an event of the gaps; named once, so that it is told once however often this fails."""
        try:
            if self._report is None:
                text = await self._run(lambda connection: get_meta(connection, ledger.GAPS))
                if not (gaps := Gaps.from_json(text)):
                    return
                now = self._clock()
                payload = gaps.event(now).SerializeToString()
                self._report = self._name(NewRow(ROW_KIND_EVENT, payload, Weight.REPORT), now), gaps
            row, told = self._report
            cap = self._store.cap_pages
            if await self._run(lambda connection: ledger.tell(connection, row, told, cap)):
                self._report = None
        except StoreError as error:
            self._log.debug("the report of what was dropped has to wait: %s", error)

    async def _acknowledge(self, names: list[RowName]) -> int:
        known = set(names)
        from_memory = self._memory.acknowledge(known)
        every, unwritten = self._memory.acknowledged | known, self._memory.delivered
        taken = {name: self._taken.pop(name) for name in known & self._taken.keys()}
        try:
            removed = await self._run(lambda connection: ledger.forget(connection, every, unwritten, taken))
        except StoreError as error:
            self._log.warning("acknowledged rows cannot be removed yet: %s", error)
            self._memory.keep_acknowledged(known)
            return len(known)
        self._memory.acknowledged.difference_update(every)
        self._memory.delivered -= unwritten
        return from_memory + removed

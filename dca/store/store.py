"""The state file's one connection, in its one thread."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from dca.errors import StoreDamagedError, StoreError
from dca.store.faults import damage, is_damage, translate
from dca.store.files import Lock, pending, place, prepare, set_aside
from dca.store.schema import PAGE_SIZE, migrate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["DEFAULT_CAP", "Store"]

DEFAULT_CAP = 256 << 20
"""Bytes of outbox rows; the rest of the file and its log come on top."""
_BESIDE = 64 << 20
"""Bytes that everything else may take: the registry of 10,000 devices with their snapshots."""
_WAL_KEPT = 8 << 20
"""Bytes of log that stay allocated: on a full disk small transactions still find room in it."""

_log = logging.getLogger(__name__)
T = TypeVar("T")


class Store:
    """One SQLite file; every access is a transaction in its worker thread.

    Made by `open`. A file that is found damaged, at opening or later, is put aside and a fresh
    one takes its place; `damaged()` lists what waits for `dca.store.salvage`.
    """

    def __init__(self, directory: Path, cap_bytes: int, clock: Callable[[], float], log: logging.Logger) -> None:
        """Only `open` calls this."""
        self.directory = directory
        self.cap_pages = max(cap_bytes // PAGE_SIZE, 64)
        """Pages for outbox rows, which the outbox sees to; the file itself ends at `_most_pages`."""
        self._most_pages = self.cap_pages + _BESIDE // PAGE_SIZE
        self._clock = clock
        self._log = log
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="dca-store")
        self._lock: Lock | None = None
        self._connection: sqlite3.Connection | None = None
        self._closed = False
        self.generation = 0
        """How many fresh files have taken a damaged one's place since `open`."""

    @classmethod
    async def open(
        cls,
        directory: Path,
        *,
        cap_bytes: int = DEFAULT_CAP,
        clock: Callable[[], float] = time.time,
        log: logging.Logger = _log,
    ) -> Store:
        """Open the state file in `directory`, made if need be.

        `cap_bytes` limits what outbox rows take of the file; `clock` gives Unix seconds.

        Raises:
            StoreError: the directory cannot be used, or another agent (named by its pid) uses it.
        """
        store = cls(directory, cap_bytes, clock, log)
        try:
            await store._call(store._open)
        except BaseException:
            await store.close()
            raise
        return store

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in the worker thread inside one IMMEDIATE transaction and return its result.

        An exception rolls back. `work` may be called a second time, on a fresh file, when the
        first call found the file damaged. A cancelled caller does not stop it half-way.

        Raises:
            StoreFullError: the cap or the disk is reached.
            StoreError: anything else that SQLite said.
        """
        return await self._call(lambda: self._transact(work))

    def damaged(self) -> list[Path]:
        """Return the set-aside files that wait to be salvaged, oldest first."""
        return pending(self.directory)

    async def close(self) -> None:
        """Close the file and give the directory free; whatever was asked before is done first."""
        if self._closed:
            return
        self._closed = True
        await asyncio.shield(asyncio.wrap_future(self._worker.submit(self._close)))
        self._worker.shutdown(wait=False)

    async def _call(self, work: Callable[[], T]) -> T:
        if self._closed:
            raise StoreError(f"the state file in {self.directory} is closed")
        return await asyncio.shield(asyncio.wrap_future(self._worker.submit(work)))

    # Below: in the worker thread only.

    def _open(self) -> None:
        prepare(self.directory)
        self._lock = Lock(self.directory)
        self._path = place(self.directory)
        try:
            self._connection = self._connect()
        except sqlite3.Error as error:
            if not is_damage(error):
                raise translate(error, self._path) from error
            self._start_anew(error)

    def _connect(self) -> sqlite3.Connection:
        _refuse_cut(self._path)
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=5)
        try:
            _set_up(connection)
            _check(connection)
            migrate(connection)
            self._cap(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _cap(self, connection: sqlite3.Connection) -> None:
        """Set the cap; a file that is larger than a lowered cap is made small if its rows allow."""
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        (free,) = connection.execute("PRAGMA freelist_count").fetchone()
        if pages > self._most_pages >= pages - free:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        (allowed,) = connection.execute(f"PRAGMA max_page_count = {self._most_pages}").fetchone()
        if allowed > self._most_pages:
            self._log.warning(
                "the state file %s is larger than the %d bytes that it may have; it will not grow, and shrinks at the "
                "first start after its rows are delivered",
                self._path,
                self._most_pages * PAGE_SIZE,
            )

    def _transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return self._attempt(work)
        except sqlite3.Error as error:
            if not is_damage(error):
                raise translate(error, self._path) from error
            self._start_anew(error)
        try:
            return self._attempt(work)
        except sqlite3.Error as error:
            raise translate(error, self._path) from error

    def _attempt(self, work: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._connection
        if connection is None:
            connection = self._connection = self._connect()
        try:
            connection.execute("BEGIN IMMEDIATE")
            result = work(connection)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
            raise
        return result

    def _start_anew(self, error: sqlite3.Error) -> None:
        """Put the damaged file aside and open a fresh one."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
        kept = set_aside(self._path, self._clock())
        self.generation += 1
        self._log.error(
            "the state file was damaged (%s); it is kept as %s, a fresh one is in use, and what can be read of "
            "the old one is carried over",
            error,
            kept,
        )
        try:
            place(self.directory)
            self._connection = self._connect()
        except sqlite3.Error as again:
            raise StoreDamagedError(f"a fresh state file cannot be used either: {again}; see to the disk") from again

    def _close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def _set_up(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise StoreError(
            f"the state directory is on a file system that SQLite cannot share memory on ({mode}): move it"
        )
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA journal_size_limit = {_WAL_KEPT}")
    # Changed pages stay in memory until COMMIT, so that SQLITE_FULL before it is the cap and at it the disk.
    connection.execute("PRAGMA cache_spill = OFF")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA cell_size_check = ON")


def _refuse_cut(path: Path) -> None:
    """Raise for an empty file with a log: SQLite would take it for new and delete the log."""
    log = path.with_name(path.name + "-wal")
    if path.stat().st_size == 0 and log.exists() and log.stat().st_size:
        raise damage("the file is empty beside a log that is not")


def _check(connection: sqlite3.Connection) -> None:
    """Raise SQLite's own error for a file that is only found damaged by looking (9 ms for 2.4 MB)."""
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise damage(found)

"""Read what can be read of a damaged state file, key by key.

The file itself is not touched. Where its first page is lost, a copy gets the first page of a fresh
file: the same schema puts its tables at the same pages.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import threading
from typing import TYPE_CHECKING, Literal, TypeAlias

from dca.store.schema import PAGE_SIZE, migrate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["Table", "Wreck"]

Table: TypeAlias = Literal["meta", "device", "outbox", "aside", "task"]
_INDEXES: dict[Table, tuple[str, ...]] = {
    "meta": ("sqlite_autoindex_meta_1",),
    "device": ("sqlite_autoindex_device_1",),
    "outbox": ("outbox_weight", "sqlite_autoindex_outbox_1"),
    "aside": (),
    "task": ("sqlite_autoindex_task_1",),
}
_FIRST: set[Table] = {"meta", "device", "outbox", "aside"}
"""The tables that every state file has; the others came later."""
_MOST_KEYS = 5_000_000
"""Keys that are tried at most, the newest ones: some 20 seconds of one core."""


class Wreck:
    """A damaged file that was put aside. One thread at a time has it; another waits."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._copy = path.with_name(path.name + ".copy")
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.Lock()

    def open(self) -> bool:
        """Tell whether anything of it can be read."""
        with self._lock:
            if self._path.is_file() and self._path.stat().st_size:  # SQLite deletes the log of an empty file
                self._connection = _connect(self._path, "ro")
            if self._connection is None:
                with contextlib.suppress(OSError):
                    self._mend()
                    self._connection = _connect(self._copy, "rw")
            return self._connection is not None

    def close(self) -> None:
        """Let go of it and remove the copy; the file stays."""
        with self._lock:
            if self._connection is not None:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.close()
                self._connection = None
            for suffix in ("", "-wal", "-shm"):
                self._copy.with_name(self._copy.name + suffix).unlink(missing_ok=True)

    def keys(self, table: Table) -> range:
        """Return the range of keys that `table` may have, whatever part of it can still be read."""
        with self._lock:
            low = self._scan(f"SELECT min(id) FROM {table}")  # noqa: S608 - one of five names, by its type
            high = low + self._scan(f"SELECT max(id) FROM {table}")  # noqa: S608 - as above
            high += self._scan(f"SELECT seq FROM sqlite_sequence WHERE name = '{table}'")  # noqa: S608 - as above
            for index in _INDEXES[table]:
                seen = self._scan(f"SELECT id FROM {table} INDEXED BY {index}")  # noqa: S608 - as above
                low += seen
                high += seen
        if not high:
            return range(0)
        return range(max(min(low, default=1), max(high) - _MOST_KEYS), max(high) + 1)

    def rows(self, table: Table, columns: Sequence[str], keys: range) -> tuple[list[tuple[object, ...]], int]:
        """Return the rows of these keys, and for how many keys the file could not be read."""
        with self._lock:
            if self._connection is None or not keys:
                return [], len(keys)
            query = f"SELECT {', '.join(columns)} FROM {table} WHERE id "  # noqa: S608 - our own names
            with contextlib.suppress(sqlite3.Error):
                return self._connection.execute(query + "BETWEEN ? AND ?", (keys[0], keys[-1])).fetchall(), 0
            found: list[tuple[object, ...]] = []
            unreadable = 0
            for key in keys:
                try:
                    found += self._connection.execute(query + "= ?", (key,)).fetchall()
                except sqlite3.Error:
                    unreadable += 1
            return found, unreadable

    def _scan(self, query: str) -> list[int]:
        """Return the lowest and highest key that `query` gives before it fails."""
        low = high = 0
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                for (key,) in self._connection.execute(query):
                    if isinstance(key, int) and key > 0:
                        low = min(low or key, key)
                        high = max(high, key)
        return [low, high] if high else []

    def _mend(self) -> None:
        """Copy the file and its log, and give the copy a first page."""
        shutil.copyfile(self._path, self._copy)
        log = self._path.with_name(self._path.name + "-wal")
        if log.exists():
            shutil.copyfile(log, self._copy.with_name(self._copy.name + "-wal"))
        size = max(self._copy.stat().st_size, PAGE_SIZE)
        with self._copy.open("r+b") as file:
            file.write(_first_page(size // PAGE_SIZE))
            file.truncate(size)


def _connect(path: Path, mode: str) -> sqlite3.Connection | None:
    try:
        connection = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False
        )
    except sqlite3.Error:
        return None
    try:
        # A file that is shorter than its header says is only read with this.
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        found = {str(name) for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error:
        connection.close()
        return None
    if not found >= _FIRST:
        connection.close()
        return None
    return connection


def _first_page(pages: int) -> bytes:
    """Return the first page of a fresh file in WAL mode that says it has `pages` pages."""
    fresh = sqlite3.connect(":memory:", isolation_level=None)
    try:
        fresh.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        migrate(fresh)
        page = bytearray(fresh.serialize()[:PAGE_SIZE])
    finally:
        fresh.close()
    page[18:20] = b"\x02\x02"  # write and read version: WAL
    page[24:28] = page[92:96] = b"\x00\x00\x00\x01"  # change counter, and the count the next field is valid for
    page[28:32] = pages.to_bytes(4, "big")
    page[32:40] = bytes(8)  # no free pages
    return bytes(page)

"""What SQLite's error codes mean to the agent."""

from __future__ import annotations

import sqlite3

from dca.errors import StoreDamagedError, StoreError, StoreFullError

__all__ = ["damage", "is_damage", "is_full", "translate"]


def _primary(error: BaseException) -> int:
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF


def is_damage(error: BaseException) -> bool:
    """Tell whether the file itself is broken (SQLITE_CORRUPT, SQLITE_NOTADB)."""
    return isinstance(error, sqlite3.Error) and _primary(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def damage(found: str) -> sqlite3.DatabaseError:
    """Return the error that SQLite would raise for damage that it was not asked to touch yet."""
    error = sqlite3.DatabaseError(found)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def is_full(error: BaseException) -> bool:
    """Tell whether the cap or the disk is reached (SQLITE_FULL)."""
    return isinstance(error, sqlite3.Error) and _primary(error) == sqlite3.SQLITE_FULL


def translate(error: sqlite3.Error, path: object) -> StoreError:
    """Return the dca error that says what SQLite said of the file `path`."""
    if is_full(error):
        return StoreFullError(f"the state file {path} cannot grow: its cap or the disk is full; free space there")
    if is_damage(error):
        return StoreDamagedError(f"the state file {path} is damaged: {error}")
    return StoreError(f"the state file {path} cannot be used: {error}; see to the disk and the rights on its directory")

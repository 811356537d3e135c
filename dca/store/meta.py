"""Single values by name: who the agent is, counters, dates."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import sqlite3

__all__ = ["MetaValue", "add_meta", "get_meta", "set_meta"]

MetaValue: TypeAlias = int | float | str | bytes | None


def get_meta(connection: sqlite3.Connection, key: str, default: MetaValue = None) -> MetaValue:
    """Return the value of `key`, or `default`."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    value: MetaValue = default if row is None else row[0]
    return value


def set_meta(connection: sqlite3.Connection, key: str, value: MetaValue) -> None:
    """Set `key` to `value`; None forgets it."""
    if value is None:
        connection.execute("DELETE FROM meta WHERE key = ?", (key,))
        return
    connection.execute(
        "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, value),
    )


def add_meta(connection: sqlite3.Connection, key: str, amount: int) -> None:
    """Add `amount` to the counter `key`; one that is not there counts from 0."""
    if amount:
        connection.execute(
            "INSERT INTO meta (key, value) VALUES (?, ?) "
            "ON CONFLICT (key) DO UPDATE SET value = value + excluded.value",
            (key, amount),
        )

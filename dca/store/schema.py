"""The tables of the state file, and how an older file becomes the present one.

A migration is a tuple of statements; `PRAGMA user_version` is how many of them the file has had.
Every table has an integer key, so that a damaged file can be read key by key (`dca.store.salvage`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dca.errors import StoreError

if TYPE_CHECKING:
    import sqlite3

__all__ = ["APPLICATION_ID", "MIGRATIONS", "PAGE_SIZE", "migrate"]

APPLICATION_ID = 0x64636131
"""`PRAGMA application_id` of a state file ("dca1"), for `file` and for us."""
PAGE_SIZE = 4096

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE meta (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, value)",
        """CREATE TABLE device (
            id INTEGER PRIMARY KEY,
            device_id TEXT NOT NULL UNIQUE,
            known TEXT NOT NULL,
            cells BLOB NOT NULL,
            snapshot BLOB,
            full_snapshot BLOB
        )""",
        # crc32 is the payload's and travels; seal covers the name and the kind and stays.
        """CREATE TABLE outbox (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            epoch BLOB NOT NULL,
            number INTEGER NOT NULL,
            kind INTEGER NOT NULL,
            weight INTEGER NOT NULL,
            at REAL NOT NULL,
            crc32 INTEGER NOT NULL,
            seal INTEGER NOT NULL,
            payload BLOB NOT NULL,
            UNIQUE (epoch, number)
        )""",
        "CREATE INDEX outbox_weight ON outbox (weight)",
        """CREATE TABLE aside (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            epoch BLOB NOT NULL,
            number INTEGER NOT NULL,
            kind INTEGER NOT NULL,
            at REAL NOT NULL,
            reason TEXT NOT NULL,
            payload BLOB NOT NULL
        )""",
    ),
    (
        # One row a task for as long as the hub could ask again; `body` goes when it has ended, `answer` stays.
        """CREATE TABLE task (
            id INTEGER PRIMARY KEY,
            task_id TEXT NOT NULL UNIQUE,
            number INTEGER NOT NULL,
            kind TEXT NOT NULL,
            state INTEGER NOT NULL,
            code TEXT NOT NULL,
            text TEXT NOT NULL,
            device_id TEXT NOT NULL,
            requested_by TEXT NOT NULL,
            role TEXT NOT NULL,
            reason TEXT NOT NULL,
            approved_by TEXT NOT NULL,
            begun INTEGER NOT NULL,
            issued_at REAL NOT NULL,
            expires_at REAL NOT NULL,
            received_at REAL NOT NULL,
            decided_at REAL NOT NULL,
            started_at REAL NOT NULL,
            ended_at REAL NOT NULL,
            told_at REAL NOT NULL,
            body BLOB NOT NULL,
            answer BLOB NOT NULL
        )""",
    ),
)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file up to the present schema, all in one transaction.

    Raises:
        StoreError: a newer dca wrote it.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise StoreError(
            f"the state file has schema {version}, this dca knows up to {len(MIGRATIONS)}: "
            "install the newer dca again, or give this one an empty state directory"
        )
    if version == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    for statements in MIGRATIONS[version:]:
        for statement in statements:
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    connection.execute("COMMIT")

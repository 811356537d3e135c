"""The state file seen by another process: `dca status` while the agent runs, or while it does not."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

from dca.errors import StoreError
from dca.store.faults import translate
from dca.store.files import DATABASE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["read_only"]


@contextlib.contextmanager
def read_only(directory: Path) -> Iterator[sqlite3.Connection]:
    """Open the state file of `directory` for reading, in one consistent view.

    The connection can neither write nor checkpoint, so it is no second writer to the agent
    (SQLite's WAL-reset defect, mended in 3.51.3, needs two of those). Keep it short: the log
    cannot shrink meanwhile.

    Raises:
        StoreError: there is no state file, or it cannot be read.
    """
    path = directory / DATABASE
    if not path.exists():
        raise StoreError(f"there is no state file at {path}: no agent has run with this state directory")
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=5)
    except sqlite3.Error as error:
        raise translate(error, path) from error
    try:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("BEGIN")
        yield connection
    except sqlite3.Error as error:
        raise translate(error, path) from error
    finally:
        connection.close()

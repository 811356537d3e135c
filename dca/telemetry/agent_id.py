"""Who this agent is: a UUID that the hub gave it, or, where there is no activation, that it made at its first start.

It is part of every row's name, so a damaged state file must not change it: it is kept in `meta` and,
for that case, in a small file beside.
"""

from __future__ import annotations

import contextlib
import logging
import os
import uuid
from typing import TYPE_CHECKING

from dca.store import get_meta, set_meta

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from pathlib import Path

    from dca.store import Store

__all__ = ["AGENT_ID", "agent_id"]

AGENT_ID = "agent.id"
"""Key in `meta`."""
_BESIDE = "agent-id"

_log = logging.getLogger(__name__)


async def agent_id(store: Store, entropy: Callable[[int], bytes] = os.urandom, known_as: str | None = None) -> str:
    """Return the agent's UUID: `known_as` if given, else the one that is there, else a new one.

    Raises:
        StoreError: it cannot be read, or not be written at the first start.
    """
    path = store.directory / _BESIDE
    made = uuid.UUID(bytes=entropy(16), version=4)

    def settle(connection: sqlite3.Connection) -> str:
        found = _valid(get_meta(connection, AGENT_ID))
        if known_as and known_as != found:
            set_meta(connection, AGENT_ID, known_as)
            return known_as
        if found:
            return found
        chosen = _read(path) or str(made)
        set_meta(connection, AGENT_ID, chosen)
        return chosen

    chosen = await store.run(settle)
    if _read(path) != chosen:
        _write(path, chosen)
    return chosen


def _valid(text: object) -> str:
    try:
        return str(uuid.UUID(str(text)))
    except ValueError:
        return ""


def _read(path: Path) -> str:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return _valid(path.read_text("ascii").strip())
    return ""


def _write(path: Path, chosen: str) -> None:
    part = path.with_name(path.name + ".part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
            file.write(chosen + "\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        _log.warning("the agent's id is in the state file only, its copy %s cannot be written: %s", path, error)

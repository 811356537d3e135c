"""What the outbox says of itself; `dca status` reads it from the file, the agent from memory too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dca.store import get_meta
from dca.telemetry.ledger import ACKNOWLEDGED, ASIDE, DROPPED, LOST, WRITTEN

if TYPE_CHECKING:
    import sqlite3

__all__ = ["Figures", "read_figures"]


@dataclass(frozen=True)
class Figures:
    """Rows since the agent's first start, except `depth` and `waiting`, which are now."""

    depth: int
    """Rows in the file."""
    oldest_age: float
    """Seconds since the oldest of them was put; 0 when there is none."""
    rows_written: int
    rows_acknowledged: int
    rows_dropped: dict[str, int]
    """By kind: what went for want of room."""
    rows_aside: int
    """Refused by the hub or damaged; the newest thousand are kept apart in the file."""
    rows_lost: int
    """Were in a damaged file and could not be read back, as far as that can be counted."""
    waiting: int = 0
    """Rows in memory because the disk is full: not safe."""


def read_figures(connection: sqlite3.Connection, now: float, waiting: int = 0) -> Figures:
    """Read the figures; `now` is Unix seconds."""
    (depth,) = connection.execute("SELECT count(*) FROM outbox").fetchone()
    oldest = connection.execute("SELECT at FROM outbox ORDER BY id LIMIT 1").fetchone()
    dropped = connection.execute("SELECT key, value FROM meta WHERE key GLOB ? ORDER BY key", (DROPPED + "*",))
    return Figures(
        depth=depth,
        oldest_age=max(0.0, now - oldest[0]) if oldest else 0.0,
        rows_written=_count(connection, WRITTEN),
        rows_acknowledged=_count(connection, ACKNOWLEDGED),
        rows_dropped={key.removeprefix(DROPPED): int(value) for key, value in dropped},
        rows_aside=_count(connection, ASIDE),
        rows_lost=_count(connection, LOST),
        waiting=waiting,
    )


def _count(connection: sqlite3.Connection, key: str) -> int:
    value = get_meta(connection, key, 0)
    return value if isinstance(value, int) else 0

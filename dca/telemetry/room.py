"""Room for a row: what is worth less goes, oldest first, when the rows' share of the file is used up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dca.telemetry.rows import Weight, kind_of

if TYPE_CHECKING:
    import sqlite3

    from dca.telemetry.gaps import Gaps
    from dca.telemetry.rows import Named

__all__ = ["make_room"]

_SLACK = 8
"""Pages that inserting a row may need besides its payload: splits of the table and of two indexes."""
_REGISTRY_PAGES = """
    SELECT total(CASE WHEN size > 2000 THEN (size + 4091) / 4092 ELSE size / 3000.0 END) FROM (
        SELECT 40 + length(known) + length(cells) + ifnull(length(snapshot), 0) + ifnull(length(full_snapshot), 0)
        AS size FROM device
    )
"""
"""About how many pages the devices take: two of more than half a page do not share one."""


def make_room(connection: sqlite3.Connection, row: Named, cap_pages: int, gaps: Gaps) -> bool:
    """Free the pages that `row` needs, counting what goes in `gaps`; tell whether there is room.

    Nothing goes that is worth more than the row, and no report of what went.
    """
    needed = len(row.payload) // 4000 + _SLACK
    count = 16
    while _free_pages(connection, cap_pages, needed) < needed:
        if not _shed(connection, min(row.weight, Weight.EVENT), count, gaps):
            return False
        count *= 2
    return True


def _free_pages(connection: sqlite3.Connection, cap_pages: int, needed: int) -> int:
    """Return how many of the rows' pages are free; what the registry takes is looked at only when it matters."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    left: int = cap_pages - pages + free
    if left < needed:
        (registry,) = connection.execute(_REGISTRY_PAGES).fetchone()
        left += int(registry)
    return left


def _shed(connection: sqlite3.Connection, up_to: int, count: int, gaps: Gaps) -> int:
    """Drop rows kept apart, then the oldest rows of the least weight up to `up_to`; return how many went."""
    apart = connection.execute("DELETE FROM aside WHERE id IN (SELECT id FROM aside ORDER BY id LIMIT ?)", (count,))
    if apart.rowcount:
        return apart.rowcount
    (least,) = connection.execute("SELECT min(weight) FROM outbox").fetchone()
    if least is None or least > up_to:
        return 0
    rows = connection.execute("SELECT id, at FROM outbox WHERE weight = ? ORDER BY id LIMIT ?", (least, count))
    found = rows.fetchall()
    connection.executemany("DELETE FROM outbox WHERE id = ?", [(row_id,) for row_id, _ in found])
    for _, at in found:
        gaps.add(kind_of(least), at)
    return len(found)

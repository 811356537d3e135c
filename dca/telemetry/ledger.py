"""The outbox's books, inside a transaction: rows in, rows out, and a count for each.

At every moment: written = acknowledged + dropped + aside + lost + rows in the file. The counts live
in `meta` and change in the same transaction as the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dca.store import add_meta, get_meta, set_meta
from dca.telemetry.gaps import Gaps
from dca.telemetry.room import make_room
from dca.telemetry.rows import MAX_PAYLOAD, Batch, Named, RowName, Stored, kind_of, seal
from dca.telemetry.verify import intact

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Mapping

__all__ = [
    "ACKNOWLEDGED",
    "ASIDE",
    "DROPPED",
    "GAPS",
    "LOST",
    "WRITTEN",
    "Written",
    "book",
    "forget",
    "insert",
    "keep_aside",
    "read",
    "tell",
    "write",
]

WRITTEN = "outbox.written"
ACKNOWLEDGED = "outbox.acknowledged"
ASIDE = "outbox.aside"
"""Refused by the hub, or found damaged: kept apart."""
LOST = "outbox.lost"
"""Were in a state file that was damaged and could not be read back."""
DROPPED = "outbox.dropped."
"""And the kind: dropped for want of room."""
GAPS = "outbox.gaps"
"""What was dropped and not told yet (`Gaps.to_json`)."""

_KEPT_ASIDE = 1000

_INSERT = (
    "INSERT OR IGNORE INTO outbox (epoch, number, kind, weight, at, crc32, seal, payload) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)


@dataclass(frozen=True)
class Written:
    """What became of the rows of one `write`."""

    stored: int
    dropped: Gaps
    """Among them may be older rows that had to go."""


def write(connection: sqlite3.Connection, rows: Iterable[Named], dropped: Gaps, cap_pages: int) -> Written:
    """Add rows, at the cost of what is worth no more; `dropped` counts rows that went before they came here."""
    gaps = dropped + Gaps()
    refused = inserted = 0
    last = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'").fetchone()
    for row in rows:
        if len(row.payload) > MAX_PAYLOAD:
            gaps.add("too_large", row.at)
            refused += 1
        elif not make_room(connection, row, cap_pages, gaps):
            gaps.add(kind_of(row.weight), row.at)
            refused += 1
        else:
            inserted += insert(connection, row)
    add_meta(connection, WRITTEN, inserted + refused + dropped.count)
    book(connection, gaps)
    if gaps:  # a row may have had to go for a later one of the same call
        left = connection.execute("SELECT count(*) FROM outbox WHERE id > ?", (last[0] if last else 0,))
        inserted = left.fetchone()[0]
    return Written(inserted, gaps)


def insert(connection: sqlite3.Connection, row: Named) -> int:
    """Add one row and return 1, or 0 if its name is there already."""
    values = (*row.name, row.kind, row.weight, row.at, row.crc32)
    sealed = seal(row.name, row.kind, row.weight, row.crc32)
    return connection.execute(_INSERT, (*values, sealed, row.payload)).rowcount


def book(connection: sqlite3.Connection, gaps: Gaps) -> None:
    """Count dropped rows and note that they are to be told."""
    if not gaps:
        return
    for kind, count in gaps.counts().items():
        add_meta(connection, DROPPED + kind, count)
    untold = Gaps.from_json(get_meta(connection, GAPS)) + gaps
    set_meta(connection, GAPS, untold.to_json())


def tell(connection: sqlite3.Connection, report: Named, told: Gaps, cap_pages: int) -> bool:
    """Add the report of what was dropped, which then counts as told; tell whether it found room."""
    held = connection.execute("SELECT 1 FROM outbox WHERE epoch = ? AND number = ?", report.name).fetchone()
    if held:  # by an earlier try whose outcome was not known
        return True
    gaps = Gaps()
    room = make_room(connection, report, cap_pages, gaps)
    if room:
        insert(connection, report)
        add_meta(connection, WRITTEN, 1)
        left = Gaps.from_json(get_meta(connection, GAPS)).without(told)
        set_meta(connection, GAPS, left.to_json() if left else None)
    book(connection, gaps)
    return room


def read(
    connection: sqlite3.Connection, limit: int, max_bytes: int, after: int, skip: Collection[RowName]
) -> tuple[Batch, int]:
    """Return the oldest rows behind `after` and how many were found damaged and kept aside."""
    rows: list[Stored] = []
    damaged: list[tuple[int, object]] = []
    size, last = 0, after
    (total,) = connection.execute("SELECT count(*) FROM outbox").fetchone()
    cursor = connection.execute(
        "SELECT id, epoch, number, kind, weight, at, crc32, seal, payload FROM outbox WHERE id > ? ORDER BY id",
        (after,),
    )
    for found in cursor:
        if not intact(found):
            damaged.append((found[0], found[5]))
            if len(damaged) >= limit:
                break
            continue
        row = Stored(found[0], RowName(found[1], found[2]), found[3], found[8], found[6], found[4], found[5])
        if row.name in skip:
            total -= 1
            continue
        if rows and size + len(row.payload) > max_bytes:
            break
        rows.append(row)
        size += len(row.payload)
        last = row.id
        if len(rows) >= limit:
            break
    cursor.close()
    _set_damaged_aside(connection, damaged)
    return Batch(tuple(rows), total - len(damaged) - len(rows), last), len(damaged)


def _set_damaged_aside(connection: sqlite3.Connection, damaged: list[tuple[int, object]]) -> None:
    if not damaged:
        return
    gaps = Gaps()
    for row_id, at in damaged:
        _move_aside(connection, "id = ?", (row_id,), "its checksum is wrong: damaged on the disk")
        gaps.add("damaged", at)
    add_meta(connection, ASIDE, len(damaged))
    _trim_aside(connection)
    untold = Gaps.from_json(get_meta(connection, GAPS)) + gaps
    set_meta(connection, GAPS, untold.to_json())


def forget(
    connection: sqlite3.Connection, names: Iterable[RowName], unwritten: int, taken: Mapping[RowName, Stored]
) -> int:
    """Remove acknowledged rows and return how many were waiting; `unwritten` ones were never in the file.

    A row of `taken` that is gone was dropped while it was on its way: it has arrived, so the drop is taken back.
    """
    gone, late = 0, Gaps()
    for name in names:
        found = connection.execute("DELETE FROM outbox WHERE epoch = ? AND number = ?", name).rowcount
        if not found and name in taken:
            late.add(kind_of(taken[name].weight), taken[name].at)
        gone += found
    for kind, count in late.counts().items():
        add_meta(connection, DROPPED + kind, -count)
    if late:
        left = Gaps.from_json(get_meta(connection, GAPS)).without(late)
        set_meta(connection, GAPS, left.to_json() if left else None)
    add_meta(connection, WRITTEN, unwritten)
    add_meta(connection, ACKNOWLEDGED, gone + late.count + unwritten)
    return gone + late.count


def keep_aside(connection: sqlite3.Connection, refused: Mapping[RowName, str]) -> int:
    """Move refused rows out of the way, with the reason, and return how many were there."""
    moved = sum(
        _move_aside(connection, "epoch = ? AND number = ?", name, reason[:500]) for name, reason in refused.items()
    )
    add_meta(connection, ASIDE, moved)
    _trim_aside(connection)
    return moved


def _move_aside(connection: sqlite3.Connection, where: str, values: tuple[object, ...], reason: str) -> int:
    connection.execute(
        "INSERT INTO aside (epoch, number, kind, at, reason, payload) "  # noqa: S608 - `where` is one of two literals
        f"SELECT epoch, number, kind, at, ?, payload FROM outbox WHERE {where}",
        (reason, *values),
    )
    return connection.execute(f"DELETE FROM outbox WHERE {where}", values).rowcount  # noqa: S608 - as above


def _trim_aside(connection: sqlite3.Connection) -> None:
    """Keep the newest thousand: they are for a person to look at, the count tells the rest."""
    connection.execute(
        "DELETE FROM aside WHERE id <= (SELECT id FROM aside ORDER BY id DESC LIMIT 1 OFFSET ?)", (_KEPT_ASIDE,)
    )

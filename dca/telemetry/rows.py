"""A row of the outbox: what is given, what it is called, what is kept."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

__all__ = ["MAX_PAYLOAD", "Batch", "Named", "NewRow", "RowName", "Stored", "Weight", "kind_of", "seal"]

MAX_PAYLOAD = 256 << 10
"""Bytes, as the hub has it; the largest snapshots seen are near 20 kB."""


class Weight(IntEnum):
    """What a row is worth when not all can stay: the lowest goes first."""

    STATUS_UNCHANGED = 0
    STATUS = 1
    SUPPLIES = 2
    FULL = 3
    """Full readings and everything that carries meters."""
    EVENT = 4
    REPORT = 5
    """Says what was dropped or damaged; never dropped itself."""


class NewRow(NamedTuple):
    """What a reader puts into the outbox."""

    kind: int
    """`RowKind` (report.proto)."""
    payload: bytes
    """A serialized message of that kind."""
    weight: Weight


class RowName(NamedTuple):
    """What a row is called for ever, within its agent."""

    epoch: bytes
    number: int


@dataclass(frozen=True, slots=True)
class Named:
    """A row that has its name and is not in the file yet."""

    name: RowName
    kind: int
    payload: bytes
    weight: int
    at: float
    """Unix seconds, when it was put."""
    crc32: int
    """CRC-32 (IEEE) of the payload."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A row as it was found in the file, its checksums verified."""

    id: int
    """Its key in the file; 0 while it is in memory only."""
    name: RowName
    kind: int
    payload: bytes
    crc32: int
    weight: int
    at: float


@dataclass(frozen=True)
class Batch:
    """The oldest rows, for one call."""

    rows: tuple[Stored, ...]
    backlog: int
    """Rows that wait besides these."""
    last: int
    """Pass it as `after` to `take` for the rows behind these."""

    def head(self, count: int) -> Batch:
        """Return the first `count` of these rows as a batch of their own."""
        rows = self.rows[:count]
        last = next((row.id for row in reversed(rows) if row.id), self.last)
        return Batch(rows, self.backlog + len(self.rows) - len(rows), last)


def seal(name: RowName, kind: int, weight: int, crc32: int) -> int:
    """Return the CRC-32 over what is not payload: a name that changed on the disk must not be sent."""
    return zlib.crc32(struct.pack("<16sQqqI", name.epoch, name.number, kind, weight, crc32))


def kind_of(weight: int) -> str:
    """Return the name that rows of this weight are counted under."""
    try:
        return Weight(weight).name.lower()
    except ValueError:
        return f"weight_{weight}"

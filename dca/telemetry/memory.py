"""What the outbox holds in memory while the disk takes nothing: bounded, and said once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dca.telemetry.gaps import Gaps
from dca.telemetry.rows import Batch, Named, RowName, Stored, kind_of

if TYPE_CHECKING:
    import logging
    from collections.abc import Collection

    from dca.errors import StoreError

__all__ = ["MAX_ACKNOWLEDGED", "MAX_BYTES", "Memory"]

MAX_BYTES = 16 << 20
"""Of payload; some 8,000 full readings."""
MAX_ACKNOWLEDGED = 100_000
"""Names; beyond them rows are sent again, which the hub stores once."""


class Memory:
    """Rows that could not be written, and names that could not be removed."""

    def __init__(self, log: logging.Logger) -> None:
        self.rows: list[Named] = []
        self.acknowledged: set[RowName] = set()
        self.delivered = 0
        """Rows that the hub stored before the disk did; not in the counters yet."""
        self._gaps = Gaps()
        self._log = log
        self._said = False

    def give(self, fresh: list[Named]) -> tuple[list[Named], Gaps]:
        """Hand out everything that waits, `fresh` after it, and the drops that nobody has booked."""
        rows, gaps = [*self.rows, *fresh], self._gaps
        self.rows, self._gaps = [], Gaps()
        return rows, gaps

    def keep(self, rows: list[Named], gaps: Gaps, error: StoreError) -> int:
        """Take back what could not be written and return how many had to go for it."""
        self.rows = [*rows, *self.rows]
        dropped = self._trim()
        self._gaps = gaps + self._gaps + dropped
        if not self._said:
            self._said = True
            self._log.error("%s; %d rows wait in memory, where a stop of the agent loses them", error, len(self.rows))
        return dropped.count

    def hold(self, rows: list[Named], gaps: Gaps) -> None:
        """Take back rows that the next call writes: the disk is not at fault."""
        self.rows = [*rows, *self.rows]
        self._gaps = gaps + self._gaps

    def written(self) -> None:
        """Say that the disk takes rows again, if it did not."""
        if self._said:
            self._said = False
            self._log.warning("the state file can be written again; nothing waits in memory any more")

    def extend(self, batch: Batch, limit: int, max_bytes: int) -> Batch:
        """Fill a batch up with rows that are in memory only."""
        rows = list(batch.rows)
        size = sum(len(row.payload) for row in rows)
        for row in self.rows:
            size += len(row.payload)
            if len(rows) >= limit or (rows and size > max_bytes):
                break
            rows.append(Stored(0, row.name, row.kind, row.payload, row.crc32, row.weight, row.at))
        behind = len(self.rows) - (len(rows) - len(batch.rows))
        return Batch(tuple(rows), batch.backlog + behind, batch.last)

    def acknowledge(self, names: Collection[RowName]) -> int:
        """Drop rows that the hub has stored before the disk did; return how many there were."""
        left = [row for row in self.rows if row.name not in names]
        gone = len(self.rows) - len(left)
        self.rows = left
        self.delivered += gone
        return gone

    def keep_acknowledged(self, names: Collection[RowName]) -> None:
        """Remember names whose rows could not be removed."""
        room = MAX_ACKNOWLEDGED - len(self.acknowledged)
        self.acknowledged.update(list(names)[: max(room, 0)])

    def _trim(self) -> Gaps:
        """Drop the oldest of the least worth until the bound holds."""
        gaps = Gaps()
        excess = sum(len(row.payload) for row in self.rows) - MAX_BYTES
        if excess <= 0:
            return gaps
        gone: set[RowName] = set()
        for row in sorted(self.rows, key=lambda row: row.weight):
            gone.add(row.name)
            gaps.add(kind_of(row.weight), row.at)
            excess -= len(row.payload)
            if excess <= 0:
                break
        self.rows = [row for row in self.rows if row.name not in gone]
        return gaps

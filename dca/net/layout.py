"""Which owner each address has, at each port: disjoint intervals, found by bisection.

Small for many addresses and quick to ask: a /16 is one interval, and an answer takes about a microsecond.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from dca.net.addresses import NEVER
from dca.net.intervals import Interval, intersect, merge, size, subtract

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Claimed", "Layout", "Overlap", "Span", "Table", "TableKey"]

Span: TypeAlias = tuple[str, Interval]
"""(zone, addresses)."""
TableKey: TypeAlias = tuple[int, str]
"""(port, zone)."""


class Table(NamedTuple):
    """Disjoint intervals in ascending order, and the owner of each."""

    starts: list[int]
    ends: list[int]
    owners: list[int]

    def owner(self, number: int) -> int | None:
        """Return who owns `number`, None for nobody."""
        place = bisect_right(self.starts, number) - 1
        return self.owners[place] if place >= 0 and number <= self.ends[place] else None


class Overlap(NamedTuple):
    """Addresses that a claim did not get, for an earlier one has them."""

    owner: int
    shared: int
    zone: str
    first: int


class Claimed(NamedTuple):
    """What a claim got."""

    total: int
    overlaps: list[Overlap]


class Layout:
    """Give out addresses to owners: the first claim wins, and what is denied nobody gets."""

    def __init__(self, denied: Iterable[Span]) -> None:
        zones: dict[str, list[Interval]] = {"": list(NEVER)}
        for zone, interval in denied:
            zones.setdefault(zone, []).append(interval)
        # Denied without a zone is denied on every link.
        self._denied = {zone: merge([*zones[""], *intervals]) for zone, intervals in zones.items()}
        self._claims: dict[TableKey, list[tuple[int, list[Interval]]]] = {}

    def claim(self, owner: int, port: int, wanted: Iterable[Span]) -> Claimed:
        """Give `owner` what is wanted at `port` and is still free."""
        zones: dict[str, list[Interval]] = {}
        for zone, interval in wanted:
            zones.setdefault(zone, []).append(interval)
        total = 0
        overlaps: dict[int, Overlap] = {}
        for zone, intervals in zones.items():
            free = subtract(merge(intervals), self._denied.get(zone, self._denied[""]))
            claims = self._claims.setdefault((port, zone), [])
            for other, theirs in claims:
                shared = intersect(free, theirs)
                if shared:
                    before = overlaps.get(other, Overlap(other, 0, zone, shared[0][0]))
                    overlaps[other] = before._replace(shared=before.shared + size(shared))
                    free = subtract(free, theirs)
            claims.append((owner, free))
            total += size(free)
        return Claimed(total, list(overlaps.values()))

    def tables(self) -> Mapping[TableKey, Table]:
        """Return who owns what."""
        tables: dict[TableKey, Table] = {}
        for key, claims in self._claims.items():
            rows = sorted((first, last, owner) for owner, intervals in claims for first, last in intervals)
            tables[key] = Table([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])
        return tables

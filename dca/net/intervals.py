"""Sets of whole numbers as sorted, disjoint intervals: small for millions of addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Interval", "intersect", "merge", "size", "subtract"]

Interval: TypeAlias = tuple[int, int]
"""(first, last), both included."""


def merge(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the union: sorted, disjoint, touching ones joined."""
    merged: list[Interval] = []
    for first, last in sorted(intervals):
        if merged and first <= merged[-1][1] + 1:
            if last > merged[-1][1]:
                merged[-1] = (merged[-1][0], last)
        else:
            merged.append((first, last))
    return merged


def subtract(these: list[Interval], those: list[Interval]) -> list[Interval]:
    """Return what is in `these` and not in `those`; both as `merge` returns them."""
    left: list[Interval] = []
    position = 0
    for first, last in these:
        at = first
        while position < len(those) and those[position][1] < at:
            position += 1
        scan = position
        while scan < len(those) and those[scan][0] <= last:
            if those[scan][0] > at:
                left.append((at, those[scan][0] - 1))
            at = max(at, those[scan][1] + 1)
            scan += 1
        if at <= last:
            left.append((at, last))
    return left


def intersect(these: list[Interval], those: list[Interval]) -> list[Interval]:
    """Return what is in both; both as `merge` returns them."""
    both: list[Interval] = []
    left = right = 0
    while left < len(these) and right < len(those):
        first, last = max(these[left][0], those[right][0]), min(these[left][1], those[right][1])
        if first <= last:
            both.append((first, last))
        if these[left][1] < those[right][1]:
            left += 1
        else:
            right += 1
    return both


def size(intervals: Iterable[Interval]) -> int:
    """Return how many numbers the disjoint intervals hold."""
    return sum(last - first + 1 for first, last in intervals)

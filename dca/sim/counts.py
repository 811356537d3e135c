"""The lifetime counters of a device, and the meters that follow from them: they always agree with each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["METERS", "Counts"]


@dataclass(slots=True)
class Counts:
    """What was counted, in impressions (scans: originals)."""

    print_mono: int = 0
    print_color: int = 0
    copy_mono: int = 0
    copy_color: int = 0
    fax: int = 0
    list: int = 0
    duplex: int = 0
    """Of all impressions, those on sheets that were printed on both sides."""
    large: int = 0
    """Of all impressions, those on A3."""
    scan_copy: int = 0
    scan_fax: int = 0
    scan_send: int = 0
    jams: int = 0

    @property
    def total(self) -> int:
        """Return all impressions."""
        return self.print_mono + self.print_color + self.copy_mono + self.copy_color + self.fax + self.list

    @property
    def total_color(self) -> int:
        """Return the impressions in colour."""
        return self.print_color + self.copy_color


METERS: dict[str, Callable[[Counts], int]] = {
    "total": lambda c: c.total,
    "total_mono": lambda c: c.total - c.total_color,
    "total_color": lambda c: c.total_color,
    "total_large": lambda c: c.large,
    "total_small": lambda c: c.total - c.large,
    "print": lambda c: c.print_mono + c.print_color,
    "print_mono": lambda c: c.print_mono,
    "print_color": lambda c: c.print_color,
    "copy": lambda c: c.copy_mono + c.copy_color,
    "copy_mono": lambda c: c.copy_mono,
    "copy_color": lambda c: c.copy_color,
    "fax": lambda c: c.fax,
    "list": lambda c: c.list,
    "duplex": lambda c: c.duplex,
    "duplex_sheets": lambda c: c.duplex // 2,
    "simplex": lambda c: c.total - c.duplex,
    "scan": lambda c: c.scan_copy + c.scan_fax + c.scan_send,
    "scan_copy": lambda c: c.scan_copy,
    "scan_fax": lambda c: c.scan_fax,
    "scan_send": lambda c: c.scan_send,
    "jams": lambda c: c.jams,
}
"""Meters by name, computed from the counts."""

"""What was dropped and not told yet: how many of each kind, and over which time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from dca.wire.report_pb2 import Event

__all__ = ["Gap", "Gaps"]


@dataclass(frozen=True)
class Gap:
    """Dropped rows of one kind; the times are Unix seconds of the oldest and newest of them."""

    count: int
    first: float
    last: float

    def __add__(self, other: Gap) -> Gap:
        return Gap(self.count + other.count, min(self.first, other.first), max(self.last, other.last))


class Gaps:
    """`Gap` by kind: the weight's name, ``too_large`` or ``damaged``."""

    def __init__(self, gaps: dict[str, Gap] | None = None) -> None:
        self._gaps = dict(gaps or {})

    def __bool__(self) -> bool:
        return bool(self._gaps)

    @property
    def count(self) -> int:
        """How many rows in all."""
        return sum(gap.count for gap in self._gaps.values())

    def counts(self) -> dict[str, int]:
        """Return how many rows by kind."""
        return {kind: gap.count for kind, gap in self._gaps.items()}

    def add(self, kind: str, at: object) -> None:
        """Count a row that was put at `at`, Unix seconds; a damaged file may hold anything there."""
        seconds = float(at) if isinstance(at, int | float) else 0.0
        gap = Gap(1, seconds, seconds)
        self._gaps[kind] = self._gaps[kind] + gap if kind in self._gaps else gap

    def __add__(self, other: Gaps) -> Gaps:
        summed = Gaps(self._gaps)
        for kind, gap in other._gaps.items():
            summed._gaps[kind] = summed._gaps[kind] + gap if kind in summed._gaps else gap
        return summed

    def without(self, told: Gaps) -> Gaps:
        """Return what is left to tell after `told` has been."""
        left = {}
        for kind, gap in self._gaps.items():
            said = told._gaps.get(kind)
            if said is None:
                left[kind] = gap
            elif gap.count > said.count:
                left[kind] = Gap(gap.count - said.count, max(gap.first, said.last), gap.last)
        return Gaps(left)

    def to_json(self) -> str:
        """Return the text that `from_json` reads."""
        return json.dumps({kind: [gap.count, gap.first, gap.last] for kind, gap in self._gaps.items()})

    @classmethod
    def from_json(cls, text: object) -> Gaps:
        """Read what `to_json` wrote; anything else is nothing."""
        try:
            found = json.loads(text) if isinstance(text, str) else {}
            return cls({str(kind): Gap(int(g[0]), float(g[1]), float(g[2])) for kind, g in found.items()})
        except (ValueError, TypeError, AttributeError, IndexError):
            return cls()

    def event(self, now: float) -> Event:
        """Return the ``rows_dropped`` event that tells of it."""
        first = min(gap.first for gap in self._gaps.values())
        last = max(gap.last for gap in self._gaps.values())
        kinds = ", ".join(f"{gap.count} {kind}" for kind, gap in sorted(self._gaps.items()))
        span = f"{_iso(first)} to {_iso(last)}"
        event = Event(
            name="rows_dropped",
            text=f"{self.count} rows of {span} were dropped before they were acknowledged: {kinds}",
            details={kind: str(gap.count) for kind, gap in self._gaps.items()},
        )
        event.details.update({"count": str(self.count), "first": _iso(first), "last": _iso(last)})
        event.at.FromMicroseconds(int(now * 1e6))
        return event


def _iso(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return "unknown"

"""Durations as people write them ("90s", "6h"), kept as seconds."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from dca.config.kinds import BadValueError, Context, type_name

__all__ = ["Duration", "duration_text"]

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_FORM = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?) ?(ms|s|m|h|d)", re.ASCII)


def duration_text(seconds: float) -> str:
    """Write seconds with the largest unit that leaves a whole number: 5400.0 -> "90m"."""
    for unit in ("d", "h", "m", "s", "ms"):
        amount = seconds / _UNITS[unit]
        if amount >= 1 and abs(amount - round(amount)) < 1e-9:  # noqa: PLR2004 - rounding of a float division
            return f"{round(amount)}{unit}"
    return f"{seconds:g}s"


@dataclass(frozen=True)
class Duration:
    """A duration within bounds, both included and in seconds."""

    least: float
    most: float

    @property
    def allowed(self) -> str:
        """Word it."""
        return f"a duration from {duration_text(self.least)} to {duration_text(self.most)} (ms, s, m, h, d)"

    def parse(self, raw: object, context: Context) -> float:  # noqa: ARG002 - the kind's common signature
        """Return seconds."""
        if not isinstance(raw, str):
            raise BadValueError(f'is {type_name(raw)}; allowed is {self.allowed}, in quotes, e.g. "90s"')
        match = _FORM.fullmatch(raw.strip())
        if match is None:
            raise BadValueError(f'{json.dumps(raw)[:40]} is no duration; allowed is {self.allowed}, e.g. "90s"')
        seconds = float(match[1]) * _UNITS[match[2]]
        if not self.least <= seconds <= self.most:
            raise BadValueError(f"{json.dumps(raw)[:40]} is outside the bounds; allowed is {self.allowed}")
        return seconds

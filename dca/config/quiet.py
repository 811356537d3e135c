"""Quiet hours: when the agent leaves the devices alone. Local time of the machine."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dca.config.kinds import BadValueError, Context, ListOf, type_name

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["QuietHours", "QuietHoursKind", "Window"]

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = f"(?:{'|'.join(_DAYS)})"
_SPAN = f"{_DAY}(?:-{_DAY})?"
_FORM = re.compile(rf"(?:({_SPAN}(?:, ?{_SPAN})*) )?([0-9]{{2}}):([0-9]{{2}})-([0-9]{{2}}):([0-9]{{2}})", re.ASCII)
_MIDNIGHT = 24 * 60
_MOST = 50


@dataclass(frozen=True)
class Window:
    """One stretch of a day, in minutes since midnight; it runs into the next day when it ends before it starts."""

    days: frozenset[int]
    """The days it begins on, Monday is 0."""
    start: int
    end: int

    def contains(self, day: int, minute: int) -> bool:
        """Tell whether minute `minute` of weekday `day` lies in it; the start does, the end does not."""
        if self.start < self.end:
            return day in self.days and self.start <= minute < self.end
        return (day in self.days and minute >= self.start) or ((day - 1) % 7 in self.days and minute < self.end)


@dataclass(frozen=True)
class QuietHours:
    """The windows together; no window means never quiet."""

    windows: tuple[Window, ...] = ()

    def contains(self, moment: datetime) -> bool:
        """Tell whether `moment` is quiet: a naive one is local time, an aware one is turned into it."""
        if not self.windows:
            return False
        local = moment if moment.tzinfo is None else moment.astimezone()
        return any(window.contains(local.weekday(), local.hour * 60 + local.minute) for window in self.windows)


@dataclass(frozen=True)
class QuietHoursKind:
    """A list of windows."""

    @property
    def allowed(self) -> str:
        """Word it."""
        return ListOf(_WindowKind(), most=_MOST).allowed

    def parse(self, raw: object, context: Context) -> QuietHours:
        """Return the windows together."""
        return QuietHours(ListOf(_WindowKind(), most=_MOST).parse(raw, context))


@dataclass(frozen=True)
class _WindowKind:
    """One window, as ``22:00-06:00`` or ``sat,sun 00:00-24:00``."""

    @property
    def allowed(self) -> str:
        """Word it."""
        return '"HH:MM-HH:MM", local time, with weekdays before it if not every day ("mon-fri 18:00-07:00")'

    def parse(self, raw: object, context: Context) -> Window:  # noqa: ARG002 - the kind's common signature
        """Return the window."""
        if not isinstance(raw, str):
            raise BadValueError(f"is {type_name(raw)}; allowed is {self.allowed}")
        match = _FORM.fullmatch(raw.strip().lower())
        if match is None:
            raise BadValueError(f"{json.dumps(raw)[:60]} is no time window; allowed is {self.allowed}")
        start, end = _minute(match[2], match[3]), _minute(match[4], match[5])
        if start is None or end is None or start == _MIDNIGHT:
            raise BadValueError(f"{json.dumps(raw)} names a time that no day has; allowed is {self.allowed}")
        if start == end:
            raise BadValueError(f"{json.dumps(raw)} begins as it ends; write 00:00-24:00 for the whole day")
        return Window(_days(match[1]), start, end)


def _minute(hour: str, minute: str) -> int | None:
    total = int(hour) * 60 + int(minute)
    return total if int(minute) < 60 and total <= _MIDNIGHT else None  # noqa: PLR2004 - minutes of an hour


def _days(text: str | None) -> frozenset[int]:
    if text is None:
        return frozenset(range(7))
    days: set[int] = set()
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        begin = _DAYS.index(first)
        span = (_DAYS.index(last or first) - begin) % 7
        days.update((begin + step) % 7 for step in range(span + 1))
    return frozenset(days)

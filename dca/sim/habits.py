"""How a device is used: what its people print, and how soon they look after it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Habits"]

_MINUTE, _HOUR = 60.0, 3600.0


@dataclass(frozen=True)
class Habits:
    """Rates and shares; all times are the office's seconds unless they say otherwise."""

    jobs_per_hour: float = 12.0
    pages_per_job: float = 6.0
    """Mean."""
    color: float = 0.4
    """Share of the jobs in colour, where the model has it; likewise those below."""
    duplex: float = 0.4
    large: float = 0.06
    copy: float = 0.25
    fax: float = 0.04
    scan: float = 0.3
    refill: tuple[float, float] = (15 * _MINUTE, 75 * _MINUTE)
    """How long an empty tray stays empty: from, to."""
    replace: tuple[float, float] = (30 * _MINUTE, 150 * _MINUTE)
    """How long an empty cartridge or a full waste box stays in."""
    cover: tuple[float, float] | None = None
    """A cover stands open (every, for) so long."""
    sleep: tuple[float, float] | None = None
    """It is (awake, silent) for so long, in turn."""
    wake_delay: float = 0.0
    """Real seconds that the first answer after a sleep takes."""

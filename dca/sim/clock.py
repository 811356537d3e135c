"""The time that simulated devices live in: real seconds for the protocol, quicker ones for the office."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Clock"]


class Clock:
    """Time since the start, as it is (`real`) and as the office lives it (`now`), both in seconds.

    sysUpTime and SNMPv3's engine time follow `real`, for a client measures them with its own clock;
    jobs, refills and sleep follow `now`, which runs `speed` times as fast.
    """

    __slots__ = ("_source", "_start", "speed")

    def __init__(self, speed: float = 1.0, source: Callable[[], float] = time.monotonic) -> None:
        if speed <= 0:
            raise ValueError(f"the speed-up factor is {speed}; it has to be above 0")
        self._source = source
        self._start = source()
        self.speed = speed

    @property
    def real(self) -> float:
        """Return the real seconds since the start."""
        return self._source() - self._start

    @property
    def now(self) -> float:
        """Return the office's seconds since the start."""
        return self.real * self.speed

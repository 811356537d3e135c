"""When to try again, and by which route. No clock, no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dca.channel.terms import Limits, Route

__all__ = ["Pace", "Ways"]


class Ways:
    """Which route is next: the first one, and after some failures in a row the one behind it, round and round."""

    def __init__(self, routes: Sequence[Route], switch_after: int) -> None:
        self._routes = tuple(routes)
        self._switch_after = switch_after
        self._at = 0
        self._failures = 0

    @property
    def current(self) -> Route:
        """Return the route to take."""
        return self._routes[self._at]

    @property
    def first(self) -> Route:
        """Return the route that is preferred."""
        return self._routes[0]

    @property
    def on_fallback(self) -> bool:
        """Tell whether the present route is not the preferred one."""
        return self._at != 0

    def failed(self) -> None:
        """Note that the present route did not lead to the broker."""
        self._failures += 1
        if self._failures >= self._switch_after:
            self._at = (self._at + 1) % len(self._routes)
            self._failures = 0

    def arrived(self) -> None:
        """Note that the present route leads to the broker."""
        self._failures = 0

    def back(self) -> None:
        """Take the preferred route again."""
        self._at = self._failures = 0


class Pace:
    """How long to wait; jittered, so that a fleet does not come back in step."""

    def __init__(self, limits: Limits, random: Callable[[], float]) -> None:
        self._limits = limits
        self._random = random
        self._failures = 0
        self._refusals = 0
        self._short = 0

    @property
    def taken(self) -> bool:
        """Tell whether somebody else seems to log in with the same client id, over and over."""
        return self._short >= self._limits.taken_after

    def arrived(self) -> None:
        """Note a connection that came about."""
        self._failures = 0

    def failed(self) -> float:
        """Return the seconds to wait after one that did not."""
        self._short = 0  # whoever is thrown out by another gets in again at once
        self._failures += 1
        return self._jittered(self._limits.first_wait, self._failures, self._limits.longest_wait)

    def refused(self) -> float:
        """Return the seconds to wait after what no hurry cures: the broker said no, or is not fit to listen to."""
        self._short = 0
        self._refusals += 1
        return self._jittered(self._limits.refused_wait, self._refusals, self._limits.longest_refused_wait)

    def lost(self, stay: float, *, closed_by_broker: bool) -> float:
        """Return the seconds to wait after a connection that held `stay` seconds."""
        self._refusals = 0
        self._short = self._short + 1 if closed_by_broker and stay < self._limits.short_stay else 0
        if self.taken:
            least, most = self._limits.taken_wait
            return least + (most - least) * self._random()
        return self._jittered(self._limits.first_wait, 1, self._limits.longest_wait)

    def _jittered(self, first: float, times: int, most: float) -> float:
        whole: float = min(most, first * 2 ** min(times - 1, 20))
        return whole * (0.5 + self._random() / 2)

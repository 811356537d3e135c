"""What happens to a device as time goes by: jobs, empty trays and cartridges, refills, an open cover, sleep.

Events come from a seeded random source in the order of their times, so that a device's state at a time depends
on its seed and on that time alone, never on when somebody looked.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from dca.sim.ailments import check_supply, check_tray, is_blocked
from dca.sim.jobs import run_job

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from dca.sim.habits import Habits
    from dca.sim.state import State

__all__ = ["Life"]

_RETRY = 240.0
"""After how many seconds a job that could not run is tried again."""


class Life:
    """One device's future: a queue of events that `advance` lets happen."""

    __slots__ = ("_habits", "_queue", "_random", "_serial", "state")

    def __init__(self, state: State, habits: Habits, random: Random) -> None:
        self.state = state
        self._habits = habits
        self._random = random
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._serial = 0
        if state.model.printer:
            self._begin()

    def _begin(self) -> None:
        self._next_job()
        for index in self.state.supplies:
            self._look_at_supply(index)
        for index in self.state.trays:
            self._look_at_tray(index)
        if self._habits.cover and self.state.model.covers:
            self._after(self._habits.cover[0] * self._random.uniform(0.1, 0.4), self._open_cover)
        if self._habits.sleep:
            self._after(self._habits.sleep[0], self._fall_asleep)

    def advance(self, now: float) -> None:
        """Let everything happen that is due at `now`, the office's seconds since the start."""
        queue, state = self._queue, self.state
        while queue and queue[0][0] <= now:
            at, _, happen = heapq.heappop(queue)
            state.moment = at
            happen()
        state.moment = max(state.moment, now)

    def _after(self, seconds: float, happen: Callable[[], None]) -> None:
        self._serial += 1
        heapq.heappush(self._queue, (self.state.moment + seconds, self._serial, happen))

    def _next_job(self) -> None:
        if self._habits.jobs_per_hour > 0:
            self._after(self._random.expovariate(self._habits.jobs_per_hour / 3600), self._job)

    def _job(self) -> None:
        state = self.state
        if state.asleep or is_blocked(state):
            self._after(_RETRY, self._job)
            return
        seconds = run_job(state, self._habits, self._random)
        if seconds:
            state.printing = True
            state.version += 1
            self._after(seconds, self._job_done)
        for index in state.supplies:
            self._look_at_supply(index)
        for index in state.trays:
            self._look_at_tray(index)
        self._next_job()

    def _job_done(self) -> None:
        self.state.printing = False
        self.state.version += 1

    def _look_at_supply(self, index: int) -> None:
        if check_supply(self.state, index):
            self._after(self._random.uniform(*self._habits.replace), lambda: self._replace(index))

    def _replace(self, index: int) -> None:
        filling = self.state.supplies[index]
        filling.left = 1.0
        filling.changed += 1
        filling.chip = f"{self._random.randrange(10**9):09}"
        self.state.version += 1
        check_supply(self.state, index)

    def _look_at_tray(self, index: int) -> None:
        if check_tray(self.state, index):
            self._after(self._random.uniform(*self._habits.refill), lambda: self._refill(index))

    def _refill(self, index: int) -> None:
        paper = self.state.trays[index]
        paper.sheets = paper.spec.capacity
        self.state.version += 1
        check_tray(self.state, index)

    def _open_cover(self) -> None:
        state = self.state
        cover = self._random.choice(state.model.covers)
        state.open_covers.add(cover.index)
        state.raise_alert(
            ("cover", cover.index), "critical", "coverOpen", state.model.panel.cover.format(name=cover.description)
        )
        assert self._habits.cover is not None
        self._after(self._habits.cover[1], lambda: self._close_cover(cover.index))

    def _close_cover(self, index: int) -> None:
        self.state.open_covers.discard(index)
        self.state.clear_alert(("cover", index))
        assert self._habits.cover is not None
        self._after(self._habits.cover[0] * self._random.uniform(0.7, 1.3), self._open_cover)

    def _fall_asleep(self) -> None:
        assert self._habits.sleep is not None
        self.state.asleep = True
        self.state.version += 1
        self._after(self._habits.sleep[1], self._wake)

    def _wake(self) -> None:
        assert self._habits.sleep is not None
        self.state.asleep = False
        self.state.version += 1
        self._after(self._habits.sleep[0], self._fall_asleep)

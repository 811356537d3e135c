"""What runs when: fixed points of the clock, kept through clock steps in both directions.

APScheduler waits for a wall-clock time. When the clock steps back by an hour it therefore does nothing for
that hour, so a watcher compares wall and monotonic clock and arms every job anew.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from dca.errors import DcaError
from dca.service.logs import StateLog, duration
from dca.telemetry import phase

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

__all__ = ["Clock", "Job", "Schedule"]

log = logging.getLogger(__name__)

WATCH = 3.0
"""Seconds between two looks at the clocks."""
STEP = 5.0
"""Seconds that the wall clock must leave the monotonic one to count as a step."""
NEARLY = 0.99
"""Of its interval, how long a run must have lasted to be late: points come a little early and late."""
OVERDUE = 60.0
"""Seconds after which a job that was not started counts as forgotten by the scheduler."""


@dataclass(frozen=True)
class Clock:
    """The two clocks: `wall` is Unix seconds and may step, `monotonic` never does."""

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic


@dataclass(frozen=True)
class Job:
    """Something to do every so many seconds."""

    name: str
    every: float
    run: Callable[[], Awaitable[None]] = field(repr=False)
    rests: bool = False
    """Left out during quiet hours."""


class _Points(BaseTrigger):  # type: ignore[misc]  # apscheduler has no types
    """The points ``k * every + offset`` of Unix time, whatever ran before."""

    def __init__(self, every: float, offset: float) -> None:
        self._every = every
        self._offset = offset

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """Return the first point after now: after a step of years there is no backlog to count through."""
        del previous
        passed = (now.timestamp() - self._offset) // self._every
        return datetime.fromtimestamp(self._offset + (passed + 1) * self._every, UTC)


class Schedule:
    """Run jobs at their points, one run of each at a time, and stop them in order.

    `quiet` tells whether a local time lies in the quiet hours; `on_step` hears of each clock step, seconds;
    `beat` is called while the scheduler does its work (see `dca.service.notify.Heartbeats`).
    A job that raises is logged once per kind of failure and runs again at its next point.
    """

    def __init__(
        self,
        agent_id: str,
        *,
        quiet: Callable[[datetime], bool] = lambda _: False,
        on_step: Callable[[float], None] = lambda _: None,
        beat: Callable[[], None] = lambda: None,
        clock: Clock | None = None,
    ) -> None:
        self.overlaps: Counter[str] = Counter()
        """Points that were left out because the run before was still going on, by job."""
        self._agent_id = agent_id
        self._quiet = quiet
        self._on_step = on_step
        self._beat = beat
        self._clock = clock or Clock()
        self._jobs: dict[str, Job] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._began: dict[str, float] = {}
        self._again: set[str] = set()
        self._held_back: set[str] = set()
        self._states = StateLog(log)
        self._scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )

    def start(self, jobs: Iterable[Job]) -> None:
        """Begin; must be called within the running loop."""
        self._scheduler.start()
        self.replace(jobs)

    def replace(self, jobs: Iterable[Job], *, quiet: Callable[[datetime], bool] | None = None) -> None:
        """Take these jobs instead of the former ones (after a reload); what runs goes on."""
        self._quiet = quiet or self._quiet
        self._jobs = {job.name: job for job in jobs}
        self._scheduler.remove_all_jobs()
        for job in self._jobs.values():
            trigger = _Points(job.every, phase(f"{self._agent_id}/{job.name}", job.every))
            self._scheduler.add_job(self._fire, trigger, args=[job.name], id=job.name)

    def run_now(self, name: str) -> None:
        """Start a job at once, beside its points, unless quiet hours make it rest; if it runs, once more after that."""
        job = self._jobs.get(name)
        if job is None or self._rests(job):
            return
        if name in self._running:
            self._again.add(name)
        else:
            self._begin(job)

    def next_times(self) -> dict[str, float]:
        """Return when each job is due next, Unix seconds."""
        return {job.id: job.next_run_time.timestamp() for job in self._scheduler.get_jobs()}

    async def watch_clock(self) -> None:
        """Arm every job anew whenever the wall clock steps; runs until cancelled."""
        wall, monotonic = self._clock.wall(), self._clock.monotonic()
        while True:
            await asyncio.sleep(WATCH)
            now, passed = self._clock.wall(), self._clock.monotonic() - monotonic
            step = now - wall - passed
            wall, monotonic = now, monotonic + passed
            if abs(step) > STEP:
                log.warning("the clock stepped %s %s", "forward" if step > 0 else "back", duration(abs(step)))
                self._arm_anew()
                self._on_step(step)
            elif self._astray(now):
                self._arm_anew()
            self._make_up()
            self._beat()

    async def stop(self, grace: float) -> None:
        """Take no more points, cancel what runs and wait up to `grace` seconds for it to end."""
        self._jobs = {}
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
            await asyncio.sleep(0)  # its shutdown is a callback of the loop
        tasks = set(self._running.values())
        for task in tasks:
            task.cancel()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=grace)
            for task in late:
                log.warning("%s did not stop within %s", task.get_name(), duration(grace))

    def _astray(self, now: float) -> bool:
        """Tell whether a job waits for a time that is no point of its: forgotten, or beyond its interval.

        The latter is what a step leaves that fell between the arming of a job and the first look at the clocks.
        """
        return any(
            not now - OVERDUE <= due <= now + self._jobs[name].every + STEP
            for name, due in self.next_times().items()
            if name in self._jobs  # none is after the stop
        )

    def _arm_anew(self) -> None:
        now = datetime.fromtimestamp(self._clock.wall(), UTC)
        for job in self._scheduler.get_jobs():
            # A point that the clock jumped over is made up for at once; else the next point by the new clock.
            due = now if job.next_run_time <= now else job.trigger.get_next_fire_time(None, now)
            job.modify(next_run_time=due)

    async def _fire(self, name: str) -> None:
        job = self._jobs.get(name)
        if job is None or self._rests(job):
            return
        if name not in self._running:
            self._begin(job)
            return
        self.overlaps[name] += 1
        if self._clock.monotonic() - self._began[name] < job.every * NEARLY:
            return  # begun beside its points, and not late
        words = "%s takes longer than its interval of %s: left out until it has ended"
        self._states.note(f"overlap {name}", "late", logging.WARNING, words, name, duration(job.every))

    def _is_quiet(self) -> bool:
        return self._quiet(datetime.fromtimestamp(self._clock.wall(), UTC).astimezone())

    def _rests(self, job: Job) -> bool:
        """Tell whether quiet hours hold a job back; it is remembered until they are over."""
        if not job.rests or not self._is_quiet():
            return False
        self._held_back.add(job.name)
        self._states.note("quiet", "quiet", logging.INFO, "quiet hours: discovery and readings rest")
        return True

    def _make_up(self) -> None:
        """After quiet hours run the most thorough of the jobs that they held back."""
        if not self._held_back or self._is_quiet():
            return
        held = [job for job in self._jobs.values() if job.name in self._held_back]
        self._held_back.clear()
        self._states.note("quiet", "ok", logging.INFO, "quiet hours are over")
        if held:
            self.run_now(max(held, key=lambda job: job.every).name)

    def _begin(self, job: Job) -> None:
        task = asyncio.create_task(self._guard(job), name=job.name)
        self._running[job.name] = task
        self._began[job.name] = self._clock.monotonic()
        task.add_done_callback(lambda _: self._ended(job.name))

    def _ended(self, name: str) -> None:
        del self._running[name]
        if name in self._again:
            self._again.discard(name)
            self.run_now(name)

    async def _guard(self, job: Job) -> None:
        began = self._clock.monotonic()
        try:
            await job.run()
        except DcaError as error:
            self._states.note(job.name, str(error), logging.ERROR, "%s: %s", job.name, error)
        except Exception as error:  # a job that failed once must run again at its next point
            if self._states.note(job.name, repr(error), logging.ERROR, "%s failed unexpectedly: %r", job.name, error):
                log.exception("this is a bug; where it happened:", exc_info=error)
        else:
            self._states.note(job.name, "ok", logging.INFO, "%s works again", job.name)
            if self._clock.monotonic() - began < job.every:
                self._states.note(f"overlap {job.name}", "ok", logging.INFO, "%s keeps its interval again", job.name)

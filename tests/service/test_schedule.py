"""Schedules on a loop whose time is ours: points, quiet hours, both clock steps, an orderly end."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime

import pytest

from dca.errors import DeliveryError
from dca.service.schedule import Clock, Job, Schedule
from dca.telemetry import phase

NOON = 1_800_000_000.0
AGENT = "5f0c8a1e-0000-4000-8000-000000000001"


class Bench:
    """A schedule with one job every 300 s, and the monotonic times at which the job ran."""

    def __init__(self, fake_time) -> None:
        self.time = fake_time
        self.steps: list[float] = []
        self.beats = 0
        self.ran: list[float] = []
        self.quiet_from = 1e18
        self.schedule: Schedule

    def beat(self) -> None:
        self.beats += 1

    async def job(self) -> None:
        self.ran.append(self.time.monotonic)

    def run(self, scenario, **job):
        async def main() -> None:
            self.schedule = Schedule(
                AGENT,
                quiet=lambda moment: moment.timestamp() >= self.quiet_from,
                on_step=self.steps.append,
                beat=self.beat,
                clock=Clock(self.time.wall, lambda: self.time.monotonic),
            )
            self.schedule.start([Job("delivery", 300.0, self.job, **job)])
            watcher = asyncio.create_task(self.schedule.watch_clock())
            try:
                await scenario()
            finally:
                watcher.cancel()
                await self.schedule.stop(2)

        self.time.run(main())

    def gaps(self) -> list[float]:
        return [round(later - earlier, 3) for earlier, later in zip(self.ran, self.ran[1:], strict=False)]


@pytest.fixture
def bench(fake_time):
    return Bench(fake_time)


def test_points_are_kept_without_drift(bench) -> None:
    bench.run(lambda: asyncio.sleep(86_400))
    assert len(bench.ran) == 288
    assert set(bench.gaps()) == {300.0}
    assert bench.beats > 20_000
    first = bench.ran[0] + bench.time.offset
    assert first % 300 == pytest.approx(phase(f"{AGENT}/delivery", 300), abs=0.01)


@pytest.mark.parametrize("step", [-3600.0, -30 * 86_400.0, 3600.0, 10_000.0, 40 * 365 * 86_400.0])
def test_a_clock_step_never_stalls_and_never_piles_up(bench, step) -> None:
    async def scenario() -> None:
        await asyncio.sleep(3000)
        bench.time.offset += step
        await asyncio.sleep(3000)

    bench.run(scenario)
    assert bench.steps == [pytest.approx(step, abs=0.1)]
    assert max(bench.gaps()) <= 304
    assert 20 <= len(bench.ran) <= 22


@pytest.mark.parametrize("step", [-90_000.0, 90_000.0])
def test_a_step_that_nobody_watched_stalls_nothing(bench, step) -> None:
    async def scenario() -> None:
        bench.time.offset += step  # the jobs are armed, and the watcher has not looked at the clocks yet
        await asyncio.sleep(3000)

    bench.run(scenario)
    assert bench.ran[0] - 1000 <= 304
    assert max(bench.gaps()) <= 304


def test_a_small_correction_is_no_step(bench) -> None:
    async def scenario() -> None:
        await asyncio.sleep(1000)
        bench.time.offset -= 4
        await asyncio.sleep(1000)

    bench.run(scenario)
    assert bench.steps == []
    assert max(bench.gaps()) <= 304


def test_quiet_hours_rest_what_may_rest(bench) -> None:
    async def scenario() -> None:
        bench.quiet_from = NOON + 1500
        await asyncio.sleep(3000)

    bench.run(scenario, rests=True)
    assert len(bench.ran) == 5
    assert bench.ran[-1] + bench.time.offset < NOON + 1500


def test_what_quiet_hours_held_back_is_made_up_for_once(bench) -> None:
    async def scenario() -> None:
        bench.quiet_from = 0
        bench.schedule.run_now("delivery")
        await asyncio.sleep(2000)
        assert bench.ran == []
        bench.quiet_from = 1e18
        await asyncio.sleep(4)
        assert len(bench.ran) == 1

    bench.run(scenario, rests=True)


def test_quiet_hours_do_not_touch_the_rest(bench) -> None:
    bench.quiet_from = NOON
    bench.run(lambda: asyncio.sleep(3000))
    assert len(bench.ran) == 10


def test_a_long_run_is_not_doubled(bench, caplog) -> None:
    caplog.set_level(logging.INFO)

    async def long() -> None:
        bench.ran.append(bench.time.monotonic)
        await asyncio.sleep(1000 if len(bench.ran) < 4 else 10)

    bench.job = long
    bench.run(lambda: asyncio.sleep(6000))
    assert bench.gaps()[:4] == [1200.0, 1200.0, 1200.0, 300.0]
    assert bench.schedule.overlaps["delivery"] == 9
    assert caplog.text.count("takes longer than its interval") == 1
    assert caplog.text.count("keeps its interval again") == 1


def test_a_point_within_a_short_run_is_no_delay(bench, caplog) -> None:
    async def short() -> None:
        bench.ran.append(bench.time.monotonic)
        await asyncio.sleep(100)

    async def scenario() -> None:
        bench.schedule.run_now("delivery")
        await asyncio.sleep(60)

    bench.job = short
    bench.time.offset += 290 - bench.time.wall() % 300 + phase(f"{AGENT}/delivery", 300)
    bench.run(scenario)
    assert len(bench.ran) == 1
    assert bench.schedule.overlaps["delivery"] == 1
    assert caplog.text == ""


def test_run_now_beside_the_points(bench) -> None:
    async def scenario() -> None:
        bench.schedule.run_now("delivery")
        await asyncio.sleep(0)
        assert len(bench.ran) == 1

    bench.run(scenario)


def test_run_now_while_it_runs_means_once_more(bench, caplog) -> None:
    async def long() -> None:
        bench.ran.append(bench.time.monotonic)
        await asyncio.sleep(10)

    async def scenario() -> None:
        bench.schedule.run_now("delivery")
        await asyncio.sleep(1)
        bench.schedule.run_now("delivery")
        bench.schedule.run_now("delivery")
        await asyncio.sleep(25)

    bench.job = long
    bench.time.offset += 1 - bench.time.wall() % 300 + phase(f"{AGENT}/delivery", 300)
    bench.run(scenario)
    assert bench.ran == [1000.0, 1010.0]
    assert caplog.text == ""


def test_a_failing_job_is_said_once_and_runs_on(bench, caplog) -> None:
    caplog.set_level(logging.INFO)

    async def failing() -> None:
        bench.ran.append(bench.time.monotonic)
        if len(bench.ran) < 4:
            raise DeliveryError("the hub is away")
        if len(bench.ran) < 7:
            raise ZeroDivisionError

    bench.job = failing
    bench.run(lambda: asyncio.sleep(3000))
    assert len(bench.ran) == 10
    assert caplog.text.count("the hub is away") == 1
    assert caplog.text.count("failed unexpectedly") == 1
    assert caplog.text.count("works again") == 1


def test_replacing_keeps_what_runs_and_takes_the_new_interval(bench) -> None:
    async def scenario() -> None:
        bench.schedule.replace([Job("delivery", 60.0, bench.job)])
        await asyncio.sleep(600)
        assert set(bench.schedule.next_times()) == {"delivery"}

    bench.run(scenario)
    assert len(bench.ran) == 10


def test_stop_cancels_and_waits(bench) -> None:
    ended = []

    async def long() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(1)
            ended.append(bench.time.monotonic)

    async def scenario() -> None:
        bench.schedule.run_now("delivery")
        await asyncio.sleep(10)

    bench.job = long
    bench.run(scenario)
    assert ended == [1011.0]


def test_stop_does_not_wait_for_ever(bench, caplog) -> None:
    async def stubborn() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(50)

    async def scenario() -> None:
        bench.schedule.run_now("delivery")
        await asyncio.sleep(10)
        await bench.schedule.stop(2)
        assert bench.time.monotonic == 1012

    bench.job = stubborn
    bench.run(scenario)
    assert "did not stop within 2 s" in caplog.text


def test_next_times_are_unix_seconds(bench) -> None:
    async def scenario() -> None:
        assert NOON < bench.schedule.next_times()["delivery"] <= NOON + 300
        assert datetime.fromtimestamp(bench.schedule.next_times()["delivery"]).year == 2027  # noqa: DTZ006  # any zone

    bench.run(scenario)

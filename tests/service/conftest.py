"""An event loop whose time passes at once, with a wall clock beside it that can be stepped."""

from __future__ import annotations

import asyncio
import selectors
from datetime import datetime

import pytest


class FakeSelector(selectors.DefaultSelector):
    """Never waits: the time it was asked to wait for has passed."""

    def __init__(self, time: FakeTime) -> None:
        super().__init__()
        self._time = time

    def select(self, timeout=None):
        events = super().select(0)
        if not events:
            assert timeout is not None, "everything waits for something that never comes"
            self._time.monotonic += max(timeout, 0)
        return events


class FakeTime:
    """Monotonic seconds, and the wall clock at an offset to them."""

    def __init__(self, wall: float) -> None:
        self.monotonic = 1000.0
        self.offset = wall - self.monotonic

    def wall(self) -> float:
        return self.monotonic + self.offset

    def datetime(self):
        time = self

        class Datetime(datetime):
            @classmethod
            def now(cls, tz=None):
                return datetime.fromtimestamp(time.wall(), tz)

        return Datetime

    def run(self, main):
        loop = asyncio.SelectorEventLoop(FakeSelector(self))
        loop.time = lambda: self.monotonic
        loop.slow_callback_duration = 1e9
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            return runner.run(main)


@pytest.fixture
def fake_time(monkeypatch) -> FakeTime:
    time = FakeTime(1_800_000_000.0)
    monkeypatch.setattr("apscheduler.schedulers.base.datetime", time.datetime())
    return time

"""The demo from its start to its end: the parts in their order, the picture of them, and the last look."""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dca.cli.demo.parts import PartError, Parts
from dca.cli.demo.scene import Scene, Watch
from dca.cli.demo.setting import FIRST, LAST, start_agent, start_hub, start_office

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import FrameType

    from dca.cli.demo.parts import Part
    from dca.cli.demo.screens import Screen

__all__ = ["Stage", "signals_end_it", "signals_wait"]

_LOOK = 0.5
"""Seconds between two pictures."""
_DELIVERY = 60.0
"""Seconds within which something has to be acknowledged."""
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Stage:
    """Plays the demo in a private folder, on a screen."""

    def __init__(self, folder: Path, screen: Screen) -> None:
        self._started = time.monotonic()
        self._folder = folder
        self._screen = screen
        self._parts = Parts(folder, self._draw)
        self._agent: Part | None = None
        self._watch: Watch | None = None
        self._scene = Scene()

    @property
    def elapsed(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self._started

    def play(self, seconds: float | None) -> None:
        """Start everything and show it for `seconds`, or until KeyboardInterrupt.

        Raises:
            PartError: a part ended or did not start, or nothing was delivered in time.
        """
        with self._screen:
            self._screen.say("starting the simulated office")
            port = start_office(self._parts)
            self._screen.say("starting the hub, with PostgreSQL and NATS from their packages")
            hub = start_hub(self._parts, self._folder)
            self._screen.page = hub.page
            self._screen.say(f"the hub is ready; its page: {hub.page}")
            state, self._agent = start_agent(self._parts, self._folder, hub, port)
            self._screen.say(f"the agent looks for printers on {FIRST} to {LAST}, UDP port {port}")
            self._watch = Watch(state)
            self._go_on(seconds)

    def _go_on(self, seconds: float | None) -> None:
        assert self._watch is not None
        assert self._agent is not None
        began = time.monotonic()
        while True:
            self._parts.check()
            self._scene = self._watch.look()
            self._draw()
            for_so_long = time.monotonic() - began
            over = seconds is not None and for_so_long >= seconds
            if not self._scene.acknowledged and (over or for_so_long >= _DELIVERY):
                raise PartError(f"nothing was delivered to the hub in {for_so_long:.0f} s{self._agent.last_lines()}")
            if over:
                return
            time.sleep(_LOOK)

    def _draw(self) -> None:
        self._screen.show(self._scene, self.elapsed)

    def end(self) -> Scene:
        """Stop everything, the agent first, and return what it had done by then."""
        if self._agent is not None and self._watch is not None:
            self._agent.stop()
            self._scene = self._watch.look()
        self._parts.stop()
        return self._scene


@contextmanager
def signals_end_it() -> Iterator[None]:
    """Make every signal that ends a program a KeyboardInterrupt while the block runs."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with _handled(end):
        yield


@contextmanager
def signals_wait() -> Iterator[None]:
    """Ignore those signals while the block runs: it tidies up, and soon ends by itself."""

    def wait(_number: int, _frame: FrameType | None) -> None:
        return

    with _handled(wait):
        yield


@contextmanager
def _handled(handler: object) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in _SIGNALS}  # type: ignore[arg-type]  # see above
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)

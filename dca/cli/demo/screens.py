"""Where the demo shows itself: a live picture on a terminal, plain lines anywhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

from rich.console import Console
from rich.live import Live

from dca.cli.demo.view import draw, summary_lines
from dca.cli.render import number, status_text, supplies_text

if TYPE_CHECKING:
    from types import TracebackType

    from dca.cli.demo.scene import Row, Scene

__all__ = ["Lines", "Picture", "Screen", "screen_for"]

_EVERY = 10.0
"""Seconds between two summaries in plain lines."""


class Screen(Protocol):
    """What shows the demo."""

    page: str

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def say(self, text: str) -> None:
        """Tell what is being started, or what has happened."""

    def show(self, scene: Scene, elapsed: float) -> None:
        """Show the scene; `elapsed` is seconds since the demo's start."""


def screen_for(*, color: bool) -> Screen:
    """Return the screen for standard output."""
    console = Console(highlight=False, markup=False, emoji=False, no_color=None if color else True)
    return Picture(console) if console.is_terminal and not console.is_dumb_terminal else Lines(console)


class Picture:
    """The whole terminal, drawn anew each time; what was there before comes back at the end."""

    def __init__(self, console: Console) -> None:
        self.page = ""
        self._console = console
        self._stage = ""
        self._live = Live(console=console, screen=True, auto_refresh=False, vertical_overflow="crop")

    def __enter__(self) -> Self:
        self._live.start(refresh=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def say(self, text: str) -> None:
        """Show it until there are devices."""
        self._stage = text

    def show(self, scene: Scene, elapsed: float) -> None:
        """Draw the scene."""
        width, height = self._console.size
        picture = draw(scene, width=width, height=height, elapsed=elapsed, page=self.page, stage=self._stage)
        self._live.update(picture, refresh=True)


class Lines:
    """A line for each thing that changes."""

    def __init__(self, console: Console) -> None:
        self.page = ""
        self._console = console
        self._known: dict[str, str] = {}
        self._next = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def say(self, text: str) -> None:
        """Print it."""
        self._print(f"demo: {text}")

    def show(self, scene: Scene, elapsed: float) -> None:
        """Print what is new: devices, changes of their state, and now and then the summary."""
        for row in scene.rows:
            state = row.why_silent or status_text(row.picture).plain
            if not row.picture.host or self._known.get(row.host) == state:
                continue
            new = row.host not in self._known
            self._known[row.host] = state
            self._print(_described(row, state) if new else f"{row.host:12} {row.name}: {state}")
        if scene.rows and elapsed >= self._next:
            self._next = elapsed + _EVERY
            for line in summary_lines(scene):
                self._print(f"demo:{line.plain}")

    def _print(self, text: str) -> None:
        self._console.print(text, soft_wrap=True)
        self._console.file.flush()


def _described(row: Row, state: str) -> str:
    supplies = supplies_text(row.picture.supplies, 4).plain
    pages = f", {number(row.pages)} pages" if row.pages is not None else ""
    return f"{row.host:12} {row.name}: {state}{pages}  {supplies}"

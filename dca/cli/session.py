"""What `dca scan` and `dca read` share: the pace, the collected snapshots, the progress bar, the exit code."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Self

import typer

from dca.cli.jsonlines import json_line
from dca.cli.render import console_for, plain
from dca.cli.tables import READ

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from rich.progress import Progress as RichProgress

    from dca.cli.options import V3Options
    from dca.config import Config
    from dca.model import SnmpVersion
    from dca.snmp.client import SnmpClient
    from dca.wire.snapshot_pb2 import Snapshot

__all__ = ["Bar", "Exit", "Pace", "Sheet", "complain", "load_config"]


class Exit(IntEnum):
    """What the exit code says."""

    ALL_READ = 0
    SOME_FAILED = 1
    WRONG_USE = 2
    NOTHING_FOUND = 3


@dataclass(frozen=True)
class Pace:
    """How fast devices are asked: by the options, else the config file, else fit for one person and one look."""

    timeout: float
    retries: int
    rate: int
    rate_per_24: int
    in_flight: int

    @classmethod
    def of(
        cls,
        config: Config | None,
        *,
        timeout: float | None = None,
        retries: int | None = None,
        rate: int | None = None,
        in_flight: int | None = None,
    ) -> Pace:
        """Return the pace; a `rate` that is given holds for each /24 as well."""
        base = cls(1.0, 2, 5000, 5000, 128)
        if config is not None:
            limits = config.limits
            base = cls(
                limits.timeout,
                limits.retries,
                limits.packets_per_second,
                limits.packets_per_second_per_24,
                limits.devices_in_flight,
            )
        return cls(
            timeout if timeout is not None else base.timeout,
            retries if retries is not None else base.retries,
            rate or base.rate,
            rate or base.rate_per_24,
            in_flight or base.in_flight,
        )

    def client(self, allowed: Callable[[str, int], bool]) -> SnmpClient:
        """Return a client that keeps this pace and asks `allowed` before each address."""
        from dca.snmp.client import SnmpClient  # noqa: PLC0415  # --help does without the protocol

        return SnmpClient(
            allowed=allowed,
            timeout=self.timeout,
            retries=self.retries,
            in_flight=self.in_flight,
            packets_per_second=self.rate,
            packets_per_second_per_24=self.rate_per_24,
        )


class Sheet:
    """The snapshots as they come: printed at once as JSON lines, or kept for the table."""

    def __init__(self, *, as_json: bool, write: Callable[[str], Any] | None = None) -> None:
        self.snapshots: list[Snapshot] = []
        self.failed = 0
        self.count = 0
        self.as_json = as_json
        self._write = write or sys.stdout.write

    def add(self, snapshot: Snapshot) -> None:
        """Take one snapshot."""
        self.count += 1
        self.failed += snapshot.outcome not in READ
        if self.as_json:
            self._write(json_line(snapshot) + "\n")
            sys.stdout.flush()
        else:
            self.snapshots.append(snapshot)

    def exit_code(self) -> Exit:
        """Say what came of it."""
        if not self.count:
            return Exit.NOTHING_FOUND
        return Exit.SOME_FAILED if self.failed else Exit.ALL_READ


class Bar:
    """A progress bar on stderr with rate and remaining time; nothing where no person would see it."""

    def __init__(self, what: str, unit: str, *, as_json: bool) -> None:
        self._what = what
        self._unit = unit
        # JSON lines and a bar on the same terminal would overwrite each other.
        self._shown = sys.stderr.isatty() and not (as_json and sys.stdout.isatty())
        self._bar: RichProgress | None = None
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        if self._shown:
            self._bar = _rich_bar()
            self._task = self._bar.add_task(self._what, total=None, rate="", found="")
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, done: int, total: int | None, found: str = "") -> None:
        """Show how far it is."""
        if self._bar is None:
            return
        rate = done / max(time.monotonic() - self._began, 0.1)
        self._bar.update(self._task, completed=done, total=total, rate=f"{rate:,.0f} {self._unit}/s", found=found)


def _rich_bar() -> RichProgress:
    from rich.progress import (  # noqa: PLC0415  # only where a person watches
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}", style="dim"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[found]}", style="green"),
        console=console_for("stderr"),
        transient=True,
    )


def load_config(
    path: Path | None, *, communities: Sequence[str] | None, version: SnmpVersion | None, v3: V3Options
) -> Config | None:
    """Load the config file if one is given; its ranges bring their own credentials, so none may be given beside.

    Raises:
        ConfigError: it cannot be used.
        typer.BadParameter: credentials are given as well.
    """
    if path is None:
        return None
    if communities or version or v3.given():
        raise typer.BadParameter(
            "the config file says the credentials; give the one or the other", param_hint="--config"
        )
    from dca.config import load  # noqa: PLC0415  # most calls do without

    return load(path)


def complain(text: str) -> None:
    """Tell a person something on stderr that does not end the command."""
    console_for("stderr").print(plain(text), style="yellow")

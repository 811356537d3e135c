"""The demo's three processes: started in a group of their own each, watched, and stopped without a trace."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from dca.cli.demo.child import COMMAND
from dca.errors import DcaError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

__all__ = ["Part", "PartError", "Parts"]

_PATIENCE = 8.0
"""Seconds that a part has for an orderly stop."""
_LOOK = 0.05
"""Seconds between two looks at a part."""
_TAIL = 12
"""Lines of a part's log that are shown when it has failed."""


class PartError(DcaError):
    """A part of the demo ended or did not start; the message has its last log lines."""


@dataclass
class Part:
    """One process, writing into its own log file."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    _file: IO[bytes] = field(repr=False)
    _stopped: bool = False

    def check(self) -> None:
        """Raise PartError if it has ended."""
        code = self._exit_code()
        if code is not None:
            how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
            raise PartError(f"the {self.name} {how}{self.last_lines()}")

    def _exit_code(self) -> int | None:
        """Return the exit code, negative for a signal, or None while it runs.

        It is left unreaped, so that its process group's number stays its own until `stop`.
        """
        if not hasattr(os, "waitid"):
            return self.process.poll()
        ended = os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is None:
            return None
        return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status

    def last_lines(self) -> str:
        """Return the end of its log, to be put behind a message."""
        lines = self.log.read_text("utf-8", "replace").splitlines()[-_TAIL:]
        return "\n".join(["; its last lines:", *lines]) if lines else "; it wrote nothing"

    def stop(self) -> None:
        """Ask it to stop, and end its group by force if it does not; what it has started must not stay behind."""
        if self._stopped:
            return
        self._stopped = True
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + _PATIENCE
        while self._exit_code() is None and time.monotonic() < deadline:
            time.sleep(_LOOK)
        self._signal(signal.SIGKILL)
        self.process.wait()
        self._file.close()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)


class Parts:
    """All parts, in the order of their start; they stop in the opposite order."""

    def __init__(self, folder: Path, while_waiting: Callable[[], None]) -> None:
        self._folder = folder
        self._while_waiting = while_waiting
        self._parts: list[Part] = []

    def start(self, name: str, arguments: Sequence[str]) -> Part:
        """Start `dca` with these arguments, as a part of this name."""
        log = self._folder / f"{name.replace(' ', '-')}.log"
        file = log.open("wb")
        process = subprocess.Popen(  # noqa: S603 - our own command
            [*COMMAND, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            cwd=self._folder,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"},
        )
        part = Part(name, process, log, file)
        self._parts.append(part)
        return part

    def check(self) -> None:
        """Raise PartError if any part has ended."""
        for part in self._parts:
            part.check()

    def wait_for(self, ready: Callable[[], bool], seconds: float, what: str) -> None:
        """Wait until `ready`.

        Raises:
            PartError: a part has ended, or the time is up.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise PartError(f"{what} is not ready after {seconds:.0f} s{self._parts[-1].last_lines()}")
            self._while_waiting()
            time.sleep(_LOOK)

    def stop(self) -> None:
        """Stop them all, the last one first."""
        for part in reversed(self._parts):
            part.stop()
        self._parts.clear()

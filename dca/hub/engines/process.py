"""One program that the hub runs: started, watched, started again when it falls, ended with the hub.

The programs run in a session of their own, so that Ctrl-C in a terminal reaches the hub only and it can
stop them in order; and the kernel signals them when the hub dies (prctl(2), PR_SET_PDEATHSIG), so that a
killed hub leaves nothing behind (`leash`). What is left all the same is found by its working folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dca.errors import HubError
from dca.hub.engines import leash

if TYPE_CHECKING:
    import signal
    from collections.abc import Awaitable, Callable, Mapping

    from dca.hub.engines.account import Account

__all__ = ["Program", "Watched", "end_leftovers", "need_linux", "processes_in"]

log = logging.getLogger(__name__)

RAN_WELL = 60.0
"""Seconds after which a fallen program is started again without waiting longer than at first."""
LOG_LIMIT = 8 << 20
"""A program's log is set aside as ``.1`` at the next start when it is longer (bytes)."""


def need_linux() -> None:
    """Raise HubError where the embedded engines cannot be run."""
    if sys.platform != "linux":
        raise HubError("the embedded PostgreSQL and NATS need Linux: give --database-url and --nats-url")


@dataclass(frozen=True)
class Program:
    """How one program is started."""

    name: str
    """Its command name, as the kernel shows it."""
    command: tuple[str, ...]
    folder: Path
    """Its working folder, by which it is recognised."""
    log_file: Path
    account: Account | None
    """Whom it runs as; None for the hub's own user."""
    stop_signal: signal.Signals
    hard_signal: signal.Signals
    """When it has not ended in time."""
    environment: Mapping[str, str]

    async def start(self) -> asyncio.subprocess.Process:
        """Start it; call this in the main thread, for the kernel watches the thread that started it.

        Raises: HubError when it cannot be started.
        """
        _set_aside(self.log_file)
        uid, gid = (self.account.uid, self.account.gid) if self.account else (-1, -1)
        ends = (str(os.getpid()), str(int(self.stop_signal)), str(uid), str(gid))
        try:
            with self.log_file.open("ab") as output:
                return await asyncio.create_subprocess_exec(
                    *(sys.executable, "-I", "-S", leash.__file__, *ends, *self.command),
                    cwd=self.folder,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env=dict(self.environment),
                    start_new_session=True,
                )
        except OSError as error:
            raise HubError(f"{self.command[0]} cannot be started: {error}") from error

    def tail(self, lines: int = 5) -> str:
        """Return the last lines of its log, for an error message."""
        try:
            return "\n".join(self.log_file.read_text("utf-8", "replace").splitlines()[-lines:])
        except OSError:
            return "(no log)"


def _set_aside(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > LOG_LIMIT:
            path.replace(path.with_name(path.name + ".1"))


def processes_in(folder: Path, name: str) -> set[int]:
    """Return the processes of this name whose working folder this is (Linux; own ones, or all as root)."""
    found = set()
    wanted = str(folder.resolve())
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if os.readlink(entry / "cwd") == wanted and (entry / "comm").read_text().strip() == name:  # noqa: PTH115
                found.add(int(entry.name))
    return found


def end_leftovers(program: Program, first: int | None, seconds: float = 10.0) -> None:
    """End what a previous hub left running in the program's folder.

    `first` is the process to signal, where one of them leads the others; others follow it.
    Raises: HubError when they do not end.
    """
    deadline = time.monotonic() + seconds
    for attempt, sign in enumerate((program.stop_signal, program.hard_signal)):
        left = processes_in(program.folder, program.name)
        if not left:
            return
        log.info("ending %s of a previous run (process %s)", program.name, min(left))
        for pid in {first} & left if first in left else left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
        until = deadline if attempt else deadline - seconds / 2
        while processes_in(program.folder, program.name) and time.monotonic() < until:
            time.sleep(0.05)
    if left := processes_in(program.folder, program.name):
        raise HubError(f"{program.name} of a previous run (process {min(left)}) does not end: stop it by hand")


class Watched:
    """A started program that is started again when it falls."""

    def __init__(self, program: Program, ready: Callable[[], Awaitable[bool]], seconds: float) -> None:
        """`ready` tells whether it can be used; it has these seconds to become so."""
        self._program = program
        self._ready = ready
        self._seconds = seconds
        self._process: asyncio.subprocess.Process | None = None
        self._watcher: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def start(self) -> None:
        """Start it and wait until it is ready.

        Raises: HubError when it ends before, or takes too long.
        """
        await self._launch()
        self._watcher = asyncio.create_task(self._watch(), name=f"watch {self._program.name}")

    async def _launch(self) -> None:
        program = self._program
        self._process = await program.start()
        deadline = time.monotonic() + self._seconds
        while not await self._ready():
            if (code := self._process.returncode) is not None:
                raise HubError(
                    f"{program.name} ended at once (code {code}); {program.log_file} says:\n{program.tail()}"
                )
            if time.monotonic() > deadline:
                await self._end(2.0)
                raise HubError(f"{program.name} is not ready after {self._seconds:.0f} s; see {program.log_file}")
            await asyncio.sleep(0.05)

    async def _watch(self) -> None:
        pause = 1.0
        while True:
            started = time.monotonic()
            if self._process is not None:
                await self._process.wait()
            if time.monotonic() - started > RAN_WELL:
                pause = 1.0
            log.warning("%s has ended; starting it again in %.0f s", self._program.name, pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 30.0)
            try:
                await self._launch()
            except HubError as error:
                log.error("%s", error)  # noqa: TRY400 - the message says it; the trace would not help
            else:
                log.info("%s runs again", self._program.name)

    async def stop(self, seconds: float) -> None:
        """Stop it in order, and hard after these seconds."""
        if self._watcher is not None:
            self._watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watcher
            self._watcher = None
        await self._end(seconds)

    async def _end(self, seconds: float) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        for sign in (self._program.stop_signal, self._program.hard_signal):
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(sign)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), seconds)
                return
        log.error("%s (process %s) does not end", self._program.name, process.pid)

"""Run programs and measure them: wall, CPU with all children, the largest memory of one process.

Every program here ends by itself: `timeout` (coreutils) stands before it, so that nothing is left even when the
benchmark itself is killed.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from tests.bench.sheet import FailedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["ROOT", "Ran", "background", "cpu_seconds", "run", "worker"]

ROOT = Path(__file__).resolve().parents[2]


class Ran(NamedTuple):
    """How a program ran."""

    code: int
    wall: float
    """Seconds."""
    cpu: float
    """Seconds of user and system time, with the children it waited for."""
    rss_mb: float
    """Of its largest process; at least that of the benchmark itself, for a fork counts."""
    out: str
    err: str


def _bounded(command: Sequence[str | Path], limit: float) -> list[str]:
    return ["timeout", "--kill-after=2", str(limit), *map(str, command)]


def run(command: Sequence[str | Path], *, limit: float = 120, env: Mapping[str, str] | None = None) -> Ran:
    """Run a program to its end, at most `limit` seconds."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        child = subprocess.Popen(
            _bounded(command, limit),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            cwd=ROOT,
            env={**os.environ, **(env or {})},
        )
        try:
            _, status, usage = os.wait4(child.pid, 0)
        except BaseException:
            child.terminate()
            child.wait()
            raise
        wall = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        cpu = usage.ru_utime + usage.ru_stime
        return Ran(child.returncode, wall, cpu, usage.ru_maxrss / 1024, _text(out), _text(err))


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")


def worker(module: str, what: str, prefix: Sequence[str] = (), **arguments: Any) -> dict[str, Any]:
    """Call a function of a module of this folder in a process of its own and return its JSON object."""
    command = [*prefix, sys.executable, "-m", f"tests.bench.{module}", what, json.dumps(arguments)]
    ran = run(command, limit=300)
    if ran.code:
        raise FailedError(f"{module} {what} failed (exit {ran.code}): {ran.err.strip()[-300:]}")
    found: dict[str, Any] = json.loads(ran.out.splitlines()[-1])
    return found


@contextmanager
def background(
    command: Sequence[str | Path], *, ready: str | None = None, limit: float = 900, patience: float = 20
) -> Iterator[int]:
    """Run a program beside and give its process id; `ready` is what its first line of output begins with."""
    child = subprocess.Popen(
        _bounded(command, limit),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if ready is not None else subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
    )
    try:
        if ready is not None:
            _await_line(child, ready, patience)
        yield _only_child(child.pid)
    finally:
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _await_line(child: subprocess.Popen[bytes], ready: str, patience: float) -> None:
    assert child.stdout is not None
    there, _, _ = select.select([child.stdout], [], [], patience)
    line = child.stdout.readline().decode("utf-8", "replace") if there else ""
    if not line.startswith(ready):
        raise FailedError(f"{child.args!r} did not start: {line.strip() or 'no output'}")


def _only_child(pid: int) -> int:
    """Return the process that `timeout` runs."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        with suppress(OSError, IndexError):
            return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
        time.sleep(0.005)
    return pid


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a running process so far, all its threads, seconds."""
    return time.clock_gettime((~pid << 3) | 2)  # clock_getcpuclockid(3)

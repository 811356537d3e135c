"""What a process has used so far, and what others use of the machine."""

from __future__ import annotations

import resource
import time
from pathlib import Path

__all__ = ["cpu", "peak_mb", "rss_mb", "wait_until_quiet"]


def cpu() -> float:
    """Return the CPU seconds of this process, user and system."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def rss_mb() -> float:
    """Return the memory of this process now, MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / (1 << 20)


def peak_mb(pid: int | str = "self") -> float:
    """Return the largest memory of a running process, MB; exec() resets it, so nothing of a parent is in it."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(f"process {pid} has ended")


def wait_until_quiet(limit: float) -> bool:
    """Wait until others leave 85 % of the machine idle, at most `limit` seconds; tell whether they did."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        before = _times()
        time.sleep(1)
        after = _times()
        if after[1] - before[1] > 0.85 * (after[0] - before[0]):
            return True
    return False


def _times() -> tuple[int, int]:
    """Return the machine's jiffies so far: all, and idle."""
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    return sum(fields[:8]), fields[3] + fields[4]

"""A sweep in a process of its own, measured from inside: `python -m tests.bench.sweeper sweep JSON`."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from pathlib import Path

from dca.discovery.ranges import Ranges, parse_ranges
from dca.discovery.sweep import Progress
from dca.discovery.sweep import sweep as sweeping
from dca.model import Credential, Secret
from dca.printers.profiles import load_profiles
from dca.snmp.client import SnmpClient

__all__ = ["sweep"]


def _peak_mb() -> float:
    """Return the largest memory of this process; exec() resets it, so nothing of a parent is in it."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def _sweep(texts: list[str], port: int, timeout: float, rate: float) -> dict[str, object]:
    community = Credential("public", "2c", Secret("public"))
    ranges = Ranges(parse_ranges(texts, port=port, credentials=[community]))
    profiles = load_profiles()
    progress = Progress()
    client = SnmpClient(
        allowed=ranges.allows,
        timeout=timeout,
        retries=1,
        packets_per_second=rate,
        packets_per_second_per_24=rate,
    )
    async with client:
        cpu, start = _cpu(), time.perf_counter()
        found = [found async for found in sweeping(client, ranges, profiles, progress=progress)]
        wall, spent = time.perf_counter() - start, _cpu() - cpu
    return {
        "wall": wall,
        "cpu": spent,
        "rss_mb": _peak_mb(),
        "found": sum(bool(one.identity and one.identity.is_printer) for one in found),
        "total": progress.total,
        "packets": progress.packets,
    }


def sweep(texts: list[str], port: int, timeout: float = 1.0, rate: float = 0) -> dict[str, object]:
    """Sweep the ranges with v2c `public`, one retry; `rate` is the budget in packets per second, 0 for none."""
    return asyncio.run(_sweep(texts, port, timeout, rate))


if __name__ == "__main__":
    print(json.dumps({"sweep": sweep}[sys.argv[1]](**json.loads(sys.argv[2]))))

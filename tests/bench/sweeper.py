"""A sweep in a process of its own, measured from inside: `python -m tests.bench.sweeper sweep JSON`."""

from __future__ import annotations

import asyncio
import json
import sys
import time

from dca.discovery.ranges import Ranges
from dca.discovery.sweep import Progress
from dca.discovery.sweep import sweep as sweeping
from dca.model import Credential, Range, Secret
from dca.printers.profiles import load_profiles
from dca.snmp.client import SnmpClient
from tests.bench.usage import cpu, peak_mb

__all__ = ["sweep"]


async def _sweep(texts: list[str], port: int, patience: float, rate: float) -> dict[str, object]:
    community = Credential("public", "2c", Secret("public"))
    ranges = Ranges([Range("bench", tuple(texts), credentials=(community,), port=port)])
    profiles = load_profiles()
    progress = Progress()
    client = SnmpClient(
        allowed=ranges.allows,
        timeout=patience,
        retries=1,
        packets_per_second=rate,
        packets_per_second_per_24=rate,
    )
    async with client:
        before, start = cpu(), time.perf_counter()
        found = [found async for found in sweeping(client, ranges, profiles, progress=progress)]
        wall, spent = time.perf_counter() - start, cpu() - before
    return {
        "wall": wall,
        "cpu": spent,
        "rss_mb": peak_mb(),
        "found": sum(bool(one.identity and one.identity.is_printer) for one in found),
        "total": progress.total,
        "packets": progress.packets,
    }


def sweep(texts: list[str], port: int, patience: float = 1.0, rate: float = 0) -> dict[str, object]:
    """Sweep the ranges with v2c `public` and one retry.

    `patience` is the timeout in seconds, `rate` the budget in packets per second, 0 for none.
    """
    return asyncio.run(_sweep(texts, port, patience, rate))


if __name__ == "__main__":
    print(json.dumps({"sweep": sweep}[sys.argv[1]](**json.loads(sys.argv[2]))))

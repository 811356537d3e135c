"""Finding printers among many addresses that are silent: time, CPU and memory."""

from __future__ import annotations

import json
import resource

from tests.bench.bench import Bench, Entry, Values, alternating
from tests.bench.processes import run, worker
from tests.bench.sheet import FailedError

__all__ = ["ENTRIES"]

_ADDRESSES = 4096
_RATE = 5000


def _sweep_4096(bench: Bench) -> Values:
    """5 % alive, timeout 1 s and one retry, no budget: what cli.c calls D."""
    _allow_sockets(_ADDRESSES + 64)
    walls: list[float] = []
    found: list[int] = []
    with bench.snmpbench.responder("-mod", "20") as port:

        def ours() -> float:
            swept = worker("sweeper", "sweep", texts=["127.3.0.0-127.3.15.255"], port=port)
            walls.append(swept["wall"])
            found.append(swept["found"])
            return float(swept["cpu"])

        def theirs() -> float:
            swept = json.loads(
                run([bench.snmpbench.client, "D", "-p", str(port), "-c", str(_ADDRESSES), "-n", str(_ADDRESSES)]).out
            )
            if swept["ok"] < min(found, default=0):
                raise FailedError(f"the C client found only {swept['ok']} of 205 (too few open files allowed?)")
            return float(swept["cpu"])

        cpu = alternating(bench.pick(1, 5), dca=ours, c=theirs)
    return {
        "sweep_4096_s": sorted(walls)[len(walls) // 2],
        "sweep_4096_cpu": cpu["dca"] / cpu["c"],
        "sweep_4096_found": min(found),
    }


def _allow_sockets(wanted: int) -> None:
    """Let the children open that many sockets: the C library opens one for each address."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if hard < 0 else min(wanted, hard), hard))


def _sweep_65536(bench: Bench) -> Values:
    """5,000 packets a second, 5 % alive; the last address' last wait (1 s) belongs to no packet.

    Quick: 8,192 addresses, and the time beside that wait is scaled to all of them.
    """
    texts = ["127.5.0.0-127.5.31.255"] if bench.quick else ["127.5.0.0/16"]
    with bench.snmpbench.responder("-mod", "20") as port:
        swept = worker("sweeper", "sweep", texts=texts, port=port, rate=_RATE)
    times = 65536 / swept["total"]
    wall = (swept["wall"] - 1) * times + 1
    return {
        "sweep_65536_over_budget": wall / (swept["packets"] * times / _RATE),
        "sweep_65536_rss_mb": swept["rss_mb"],
    }


ENTRIES = (
    Entry("sweep_4096", ("sweep_4096_s", "sweep_4096_cpu", "sweep_4096_found"), _sweep_4096, alongside=True),
    Entry("sweep_65536", ("sweep_65536_over_budget", "sweep_65536_rss_mb"), _sweep_65536, alongside=True),
)

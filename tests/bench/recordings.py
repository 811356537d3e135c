"""Recorded printers and slow ones: how many requests a record costs, how true it is, how latency is hidden."""

from __future__ import annotations

import json
import statistics
import sys
from typing import TYPE_CHECKING

from tests.bench.bench import Bench, Entry, Values
from tests.bench.lab import dca
from tests.bench.processes import background, run, worker
from tests.bench.shared_tools import free_port, shared
from tests.bench.sheet import FailedError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ENTRIES"]

_VENDORS = {
    "hp": ("jetdirect",),
    "kyocera": ("kyocera", "utax"),
    "epson": ("epson",),
}
"""How the recordings of a vendor are called."""


def _requests(bench: Bench) -> Values:
    port = free_port()
    mapping = bench.scratch / "fleet.json"
    server = shared("tools", "walkserver.py")
    walks = shared("walks", "corpus")
    command: list[str | Path] = [sys.executable, server, "--walks", walks, "--port", str(port)]
    with background([*command, "--fleet", "127.30.0.0/24", "--map", mapping], ready="ready"):
        hosts: dict[str, str] = {}
        for host, name in json.loads(mapping.read_text()).items():
            hosts.setdefault(name, host)
        read = worker("visits", "visits", hosts=list(hosts.values()), port=port)["devices"]
    full = {name: read[host]["full"] for name, host in hosts.items()}
    status = {name: read[host]["status"] for name, host in hosts.items() if read[host]["status_kept"]}
    figures: dict[str, float | str] = {
        "full_record_requests_median": statistics.median(full.values()),
        "full_record_requests_most": max(full.values()),
        "status_poll_requests_most": max(status.values()),
        "status_poll_recordings": len(status),
    }
    for vendor, names in _VENDORS.items():
        for figure, counts in (("full_record_requests", full), ("status_poll_requests", status)):
            theirs = [count for name, count in counts.items() if any(part in name for part in names)]
            figures[f"{figure}_{vendor}"] = max(theirs) if theirs else f"no recording of {vendor} has anything to poll"
    return figures


def _latency(bench: Bench) -> Values:
    hosts = [f"127.6.0.{number}" for number in range(1, 65)]
    with bench.snmpbench.responder("-delay", "20000") as port:
        walls = []
        for _ in range(bench.pick(2, 7)):
            ran = run([dca(), "read", "--json", "--community", "public", "--port", str(port), *hosts])
            read = [json.loads(line) for line in ran.out.splitlines()]
            if sum(one["outcome"] == "OUTCOME_OK" for one in read) < len(hosts):
                raise FailedError(f"not all of the 64 slow printers were read: {ran.err[-300:]}")
            walls.append(ran.wall)
    return {"latency_64_at_20ms_s": statistics.median(walls)}


def _truth(bench: Bench) -> Values:
    script = shared("tools", "score_walks.py")
    shared("walks", "expected")
    out = bench.scratch / "score.json"
    ran = run([sys.executable, script, "--dca", dca(), "--json", out])
    if ran.code or not out.exists():
        raise FailedError(f"score_walks.py ended with {ran.code}: {ran.err[-300:]}")
    score = json.loads(out.read_text())
    right, asked = score["right"], score["asked"]
    return {
        "walks_answered": 100 * right["answered"] / asked["answered"],
        "walks_supplies": 100 * right["supplies"] / asked["supplies"],
        "walks_all": 100 * sum(right.values()) / sum(asked.values()),
    }


ENTRIES = (
    Entry(
        "requests",
        (
            *(f"full_record_requests_{what}" for what in (*_VENDORS, "median", "most")),
            *(f"status_poll_requests_{what}" for what in (*_VENDORS, "most")),
            "status_poll_recordings",
        ),
        _requests,
        alongside=True,
    ),
    Entry("latency", ("latency_64_at_20ms_s",), _latency),
    Entry("walks", ("walks_answered", "walks_supplies", "walks_all"), _truth, alongside=True),
)

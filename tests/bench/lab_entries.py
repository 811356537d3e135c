"""Reading and finding in the lab: `dca` itself, and what a user would use instead, in the same run."""

from __future__ import annotations

import json
import statistics
from contextlib import ExitStack
from typing import TYPE_CHECKING

from tests.bench import peers
from tests.bench.bench import Bench, Entry, Values, alternating
from tests.bench.lab import PRINTERS, Lab, complete, dca, lab
from tests.bench.processes import Ran, worker
from tests.bench.shared_tools import need
from tests.bench.sheet import FailedError, SkippedError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ENTRIES"]

_SILENT = "127.0.2.0/24"
_NOTHING_FOUND = 3
"""The exit code that says so."""
_FIRST, _LAST = "127.0.1.215", "127.0.2.214"


def _snapshots(ran: Ran) -> list[dict[str, object]]:
    return [json.loads(line) for line in ran.out.splitlines() if line.startswith("{")]


def _read(place: Lab) -> tuple[Ran, list[dict[str, object]]]:
    ran = place.run([dca(), "read", "--json", "--community", "public", *PRINTERS])
    found = _snapshots(ran)
    if len(found) != len(PRINTERS):
        raise FailedError(f"dca read brought {len(found)} of {len(PRINTERS)} (exit {ran.code}): {ran.err[-300:]}")
    return ran, found


def _reading(bench: Bench) -> Values:
    walls: list[float] = []
    memory: list[float] = []
    whole: list[int] = []
    lacking: dict[str, str] = {}
    with lab() as place, ExitStack() as stack:

        def ours() -> float:
            ran, found = _read(place)
            walls.append(ran.wall)
            memory.append(ran.rss_mb)
            whole.append(sum(map(complete, found)))
            return ran.cpu / len(PRINTERS) * 1000

        programs: dict[str, peers.Peer] = {"dca": ours}
        try:
            programs["exporter"] = stack.enter_context(peers.exporter(place))
        except SkippedError as missing:
            lacking["exporter"] = str(missing)
        try:
            need("snmpbulkwalk", "snmp")
            programs["walk"] = lambda: peers.walk(place)
        except SkippedError as missing:
            lacking["walk"] = str(missing)
        cpu: dict[str, float] = alternating(bench.pick(1, 7), **programs)
        try:
            cpu["fusioninventory"] = peers.inventory(place, bench.pick(2, 8))
        except SkippedError as missing:
            lacking["fusioninventory"] = str(missing)
        known = worker("visits", "visits", place.prefix, hosts=PRINTERS, repeats=bench.pick(3, 10))
    figures: dict[str, float | str] = {
        "lab_254_full_s": statistics.median(walls),
        "lab_254_full_cpu_ms": cpu["dca"],
        "lab_254_full_complete": min(whole),
        "lab_254_full_rss_mb": max(memory),
        "full_reading_ms": known["cpu"]["full"] * 1000,
        "status_poll_ms": known["cpu"]["status"] * 1000,
        "full_record_requests_snmpd": max(one["full"] for one in known["devices"].values()),
        "status_poll_requests_snmpd": max(one["status"] for one in known["devices"].values()),
    }
    for peer in ("exporter", "walk", "fusioninventory"):
        figures[f"lab_254_{peer}_cpu_ms"] = cpu.get(peer, lacking.get(peer, ""))
        figures[f"lab_254_vs_{peer}"] = cpu["dca"] / cpu[peer] if peer in cpu else lacking.get(peer, "")
    return figures


def _finding(bench: Bench) -> Values:
    scan: list[str | Path] = [dca(), "scan", "--json", "--community", "public"]
    rounds = bench.pick(1, 3)
    with lab() as place:
        silent = [place.run([*scan, _SILENT]) for _ in range(rounds)]
        mixed = [place.run([*scan, f"{_FIRST}-{_LAST}"]) for _ in range(rounds)]
        ours = statistics.median(ran.wall for ran in mixed)
        theirs = _other_scan(bench, place)
    if any(ran.code != _NOTHING_FOUND for ran in silent):
        raise FailedError(f"scanning silent addresses ended with {silent[0].code}: {silent[0].err[-300:]}")
    return {
        "silent_24_s": statistics.median(ran.wall for ran in silent),
        "silent_24_rss_mb": max(ran.rss_mb for ran in silent),
        "scan_40_of_256_s": ours,
        "scan_40_of_256_found": min(sum(map(complete, _snapshots(ran))) for ran in mixed),
        "scan_40_of_256_vs_fusioninventory": theirs if isinstance(theirs, str) else theirs / ours,
    }


def _other_scan(bench: Bench, place: Lab) -> float | str:
    """Return the wall seconds of fusioninventory for the same scan, or why there are none."""
    if bench.quick:
        return "takes most of a minute: only without --quick"
    try:
        return peers.fusioninventory_scan(place, _FIRST, _LAST)
    except SkippedError as missing:
        return str(missing)


def _losing(percent: int, rounds: int) -> dict[str, float | str]:
    whole, partial, cut = [], [], []
    with lab(lose=percent) as place:
        for _ in range(rounds):
            _, found = _read(place)
            whole.append(sum(map(complete, found)))
            partial.append(sum(one["outcome"] == "OUTCOME_PARTIAL" and bool(one.get("missing")) for one in found))
            cut.append(sum(one["outcome"] == "OUTCOME_OK" and not complete(one) for one in found))
            cut[-1] += sum(one["outcome"] == "OUTCOME_PARTIAL" and not one.get("missing") for one in found)
    return {
        f"loss_{percent}_percent_silent_cuts": max(cut),
        f"loss_{percent}_percent_complete": statistics.median(whole),
        f"loss_{percent}_percent_partial": statistics.median(partial),
    }


def _loss_30(bench: Bench) -> Values:
    if bench.quick:
        raise SkippedError("waits for many answers that never come: only without --quick")
    return _losing(30, 3)


def _names(*parts: str) -> tuple[str, ...]:
    return tuple(f"lab_254_{part}" for part in parts)


ENTRIES = (
    Entry(
        "lab_254",
        (
            *_names("full_s", "full_cpu_ms", "full_complete", "full_rss_mb"),
            *_names("exporter_cpu_ms", "vs_exporter", "walk_cpu_ms", "vs_walk"),
            *_names("fusioninventory_cpu_ms", "vs_fusioninventory"),
            "full_reading_ms",
            "status_poll_ms",
            "full_record_requests_snmpd",
            "status_poll_requests_snmpd",
        ),
        _reading,
    ),
    Entry(
        "lab_find",
        (
            "silent_24_s",
            "silent_24_rss_mb",
            "scan_40_of_256_s",
            "scan_40_of_256_found",
            "scan_40_of_256_vs_fusioninventory",
        ),
        _finding,
        alongside=True,
    ),
    Entry(
        "loss_2",
        ("loss_2_percent_silent_cuts", "loss_2_percent_complete", "loss_2_percent_partial"),
        lambda bench: _losing(2, bench.pick(1, 7)),
        alongside=True,
    ),
    Entry(
        "loss_30",
        ("loss_30_percent_silent_cuts", "loss_30_percent_complete", "loss_30_percent_partial"),
        _loss_30,
    ),
)

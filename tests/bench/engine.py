"""The engine against net-snmp's C library on the same PDUs, and what must hold of it whatever the load."""

from __future__ import annotations

import json
from typing import Any

from tests.bench.bench import Bench, Entry, Values, alternating
from tests.bench.processes import run, worker
from tests.bench.sheet import FailedError

__all__ = ["ENTRIES"]

_IN_FLIGHT = 64


def _c_cpu(bench: Bench, port: int, workload: str, *options: object) -> float:
    """Return the CPU seconds of one run of the client on net-snmp's C library."""
    ran = run([bench.snmpbench.client, workload, "-p", str(port), *map(str, options)])
    found = json.loads(ran.out)
    if found["fail"]:
        raise FailedError(f"the C client missed {found['fail']} answers")
    return float(found["cpu"])


def _dca_cpu(what: str, **arguments: Any) -> float:
    found = worker("polls", what, **arguments)
    if found["fail"]:
        raise FailedError(f"{found['fail']} polls failed: {found['failures']}")
    return float(found["cpu"])


def _polls(bench: Bench) -> Values:
    devices = bench.pick(1000, 2000)
    with bench.snmpbench.responder() as port:

        def dca(kind: str, rounds: int = 1) -> float:
            spent = _dca_cpu("poll", port=port, kind=kind, devices=devices, in_flight=_IN_FLIGHT, rounds=rounds)
            return spent / devices / rounds

        cpu = alternating(
            bench.pick(3, 9),
            c=lambda: _c_cpu(bench, port, "C", "-c", _IN_FLIGHT, "-n", devices) / devices,
            full=lambda: dca("full"),
            ask=lambda: dca("ask"),
            columns=lambda: dca("columns"),
            steady=lambda: dca("steady", rounds=5),  # 20 ms would be too short to measure
        )
    return {
        "engine_full_poll": cpu["full"] / cpu["c"],
        "engine_full_poll_us": cpu["full"] * 1e6,
        "engine_full_poll_c_us": cpu["c"] * 1e6,
        "engine_ask_poll": cpu["ask"] / cpu["c"],
        "engine_columns_poll": cpu["columns"] / cpu["c"],
        "steady_poll": cpu["steady"] / cpu["c"],
    }


def _v3_warm(bench: Bench) -> Values:
    repeats = bench.pick(1500, 6000)
    with bench.snmpbench.responder() as port:
        cpu = alternating(
            bench.pick(2, 7),
            c_get=lambda: _c_cpu(bench, port, "A", "-v3", "-r", repeats),
            get=lambda: _dca_cpu("warm", port=port, kind="get", repeats=repeats),
            c_walk=lambda: _c_cpu(bench, port, "B", "-v3", "-r", repeats),
            walk=lambda: _dca_cpu("warm", port=port, kind="walk", repeats=repeats),
        )
    return {
        "engine_v3_warm": (cpu["get"] + cpu["walk"]) / (cpu["c_get"] + cpu["c_walk"]),
        "engine_v3_warm_get": cpu["get"] / cpu["c_get"],
        "engine_v3_warm_walk": cpu["walk"] / cpu["c_walk"],
    }


def _v3_fleet(bench: Bench) -> Values:
    engines = 1000  # the C library looks its engines up in a list: fewer cost it less each
    with bench.snmpbench.responder() as port:
        cpu = alternating(
            bench.pick(2, 7),
            c=lambda: _c_cpu(bench, port, "C", "-v3", "-c", _IN_FLIGHT, "-n", engines),
            dca=lambda: _dca_cpu("poll", port=port, kind="full", devices=engines, in_flight=_IN_FLIGHT, v3=True),
        )
    return {"engine_v3_fleet": cpu["dca"] / cpu["c"]}


def _idle(_bench: Bench) -> Values:
    found = worker("polls", "idle", hours=[0.05, 0.1, 1, 12, 24, 24 * 40])
    return {"v3_datagrams_after_idle": max(found["datagrams"])}


def _false_timeouts(bench: Bench) -> Values:
    with bench.snmpbench.responder() as port:
        found = worker(
            "polls", "poll", port=port, kind="full", devices=1024, in_flight=512, rounds=bench.pick(3, 30), retries=0
        )
    return {"false_timeouts_512": found["fail"], "false_timeouts_512_pdus": found["pdus"]}


def _memory(bench: Bench) -> Values:
    with bench.snmpbench.responder() as port:
        pdus = worker("polls", "memory_pdus", port=port, pdus=bench.pick(28_000, 200_000))
        devices = worker("polls", "memory_devices", port=port, devices=bench.pick(1_500, 10_000))
        v3 = worker("polls", "memory_devices", port=port, devices=bench.pick(1_000, 10_000), v3=True)
    return {
        "memory_growth_pdus_mb": pdus["growth_mb"],
        "memory_growth_devices_mb": devices["growth_mb"],
        "memory_growth_v3_devices_mb": v3["growth_mb"],
    }


ENTRIES = (
    Entry(
        "engine_polls",
        (
            "engine_full_poll",
            "engine_full_poll_us",
            "engine_full_poll_c_us",
            "engine_ask_poll",
            "engine_columns_poll",
            "steady_poll",
        ),
        _polls,
    ),
    Entry("engine_v3_warm", ("engine_v3_warm", "engine_v3_warm_get", "engine_v3_warm_walk"), _v3_warm),
    Entry("engine_v3_fleet", ("engine_v3_fleet",), _v3_fleet),
    Entry("v3_idle", ("v3_datagrams_after_idle",), _idle, alongside=True),
    Entry("false_timeouts", ("false_timeouts_512", "false_timeouts_512_pdus"), _false_timeouts),
    Entry(
        "memory",
        ("memory_growth_pdus_mb", "memory_growth_devices_mb", "memory_growth_v3_devices_mb"),
        _memory,
        alongside=True,
    ),
)

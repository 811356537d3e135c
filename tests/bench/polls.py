"""What the engine is measured at, run in a process of its own: `python -m tests.bench.polls NAME JSON`.

The same PDUs as `cli.c`: C is a GET of 12 objects and GETBULK 25 walks of three tables, A the GET, B one table.
"""

from __future__ import annotations

import gc
import json
import random
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from dca.model import AuthProtocol, Credential, PrivProtocol, Secret
from dca.snmp.ask import columns, get
from dca.snmp.engine import Engine, growing_waits
from dca.snmp.oids import oid
from dca.snmp.sockets import UdpWire
from dca.snmp.types import Conversation, Pdu, Peer, Request, Tag

_MIB = "1.3.6.1.2.1"
GET12 = tuple(
    oid(f"{_MIB}.{tail}")
    for tail in (
        "1.1.0 1.2.0 1.3.0 1.5.0 1.6.0 25.3.2.1.3.1 25.3.2.1.5.1 25.3.5.1.1.1 25.3.5.1.2.1 "
        "43.5.1.1.17.1 43.10.2.1.4.1.1 43.16.5.1.2.1.1"
    ).split()
)
SUPPLIES, TRAYS, ALERTS = (oid(f"{_MIB}.43.{tail}") for tail in ("11.1.1", "8.2.1", "18.1.1"))
TABLES = (SUPPLIES, TRAYS, ALERTS)
_COLUMNS = {SUPPLIES: range(2, 10), TRAYS: (*range(2, 14), 18), ALERTS: range(2, 10)}
COLUMNS = tuple(tuple(table + bytes((column,)) for column in _COLUMNS[table]) for table in TABLES)
DYNAMIC = (
    *(SUPPLIES + bytes((9, 1, supply)) for supply in range(1, 7)),
    *(TRAYS + bytes((10, 1, tray)) for tray in range(1, 5)),
    *(ALERTS + bytes((8, 1, alert)) for alert in range(1, 4)),
)
KNOWN_CELLS = (*GET12, *DYNAMIC)
"""The 25 cells whose values change: a status poll of a known device."""
REPETITIONS = 25
V2C = Credential("public", "2c", Secret("public"))
V3 = Credential(
    "bench",
    "3",
    user="bench",
    auth=AuthProtocol.SHA256,
    auth_password=Secret("authpass12345"),
    priv=PrivProtocol.AES128,
    priv_password=Secret("privpass12345"),
)
Poll = Callable[[Peer], Conversation[int]]


def walk(table: bytes) -> Conversation[int]:
    """Walk a table from its root as cli.c does; return how many cells it has."""
    at, cells = table, 0
    while True:
        reply = yield Request(Pdu.GETBULK, (at,), 0, REPETITIONS)
        for name, tag, _ in reply.varbinds:
            if not name.startswith(table) or tag == Tag.END_OF_MIB_VIEW:
                return cells
            cells += 1
            at = name


def full(_peer: Peer) -> Conversation[int]:
    """Poll with the very PDUs of workload C: 7 of them."""
    reply = yield Request(Pdu.GET, GET12)
    cells = len(reply.varbinds)
    for table in TABLES:
        cells += yield from walk(table)
    return cells


def ask(peer: Peer) -> Conversation[int]:
    """Poll with the same PDUs through `dca.snmp.ask`, which does the errors and odd devices too."""
    cells = len((yield from get(peer, GET12)))
    for table in TABLES:
        cells += len((yield from columns(peer, [table], rows=1000))[table])
    return cells


def side_by_side(peer: Peer) -> Conversation[int]:
    """Poll the same cells as the reader does: all columns of a table in one GETBULK."""
    cells = len((yield from get(peer, GET12)))
    for wanted in COLUMNS:
        cells += sum(map(len, (yield from columns(peer, wanted)).values()))
    return cells


def steady(peer: Peer) -> Conversation[int]:
    """Poll the cells that are known: one GET of 25."""
    return len((yield from get(peer, KNOWN_CELLS)))


POLLS: dict[str, tuple[Poll, int]] = {
    "full": (full, 136),
    "ask": (ask, 136),
    "columns": (side_by_side, 136),
    "steady": (steady, 25),
}


class Runner:
    """An engine, and how to run many conversations through it."""

    def __init__(
        self, port: int, *, v3: bool = False, in_flight: int = 64, retries: int = 1, timeout: float = 1.0
    ) -> None:
        self._port = port
        self._v3 = v3
        self.failures: list[str] = []
        self.results: dict[Any, int] = {}
        self.requests = 0
        self.engine = Engine(
            UdpWire(),
            allowed=lambda address, _port: address.startswith("127."),
            clock=time.monotonic,
            random_id=lambda: random.getrandbits(31),
            waits=growing_waits(timeout, retries),
            in_flight=in_flight,
        )
        self._in_flight = in_flight

    def peer(self, address: str) -> Peer:
        """Return a device of the responder."""
        if self._v3:
            return Peer(address, self._port, V3, "3", V3.auth, V3.priv, max_repetitions=REPETITIONS)
        return Peer(address, self._port, V2C, max_repetitions=REPETITIONS)

    def run(self, poll: Poll, addresses: Iterator[str]) -> None:
        """Poll every address, a new one as soon as one is done, as a schedule does."""

        def begin() -> None:
            address = next(addresses, None)
            if address is None:
                return
            peer = self.peer(address)

            def done(result: object, error: BaseException | None) -> None:
                self.requests += peer.requests
                if error is not None:
                    self.failures.append(str(error))
                else:
                    self.results[result] = self.results.get(result, 0) + 1
                begin()

            self.engine.submit(peer, poll(peer), done)

        for _ in range(self._in_flight):
            begin()
        self.engine.run()


def _addresses(network: int, count: int) -> Iterator[str]:
    return (f"127.{network}.{n >> 8}.{n & 255}" for n in range(1, count + 1))


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _rss_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / (1 << 20)


def _measured(runner: Runner, work: Callable[[], object]) -> dict[str, object]:
    runner.requests, runner.failures, runner.results = 0, [], {}
    gc.collect()
    cpu, start = _cpu(), time.perf_counter()
    work()
    wall, spent = time.perf_counter() - start, _cpu() - cpu
    return {
        "wall": wall,
        "cpu": spent,
        "pdus": runner.requests,
        "ok": sum(runner.results.values()),
        "cells": sorted(map(str, runner.results)),
        "fail": len(runner.failures),
        "failures": runner.failures[:3],
        "rss_mb": _rss_mb(),
    }


def poll(
    port: int, kind: str, devices: int, in_flight: int = 64, v3: bool = False, rounds: int = 1, retries: int = 1
) -> dict[str, object]:
    """Poll `devices` devices `rounds` times; 64 others before, so that imports and caches are not measured."""
    conversation, _ = POLLS[kind]
    runner = Runner(port, v3=v3, in_flight=in_flight, retries=retries)
    runner.run(conversation, _addresses(4, 64))

    def work() -> None:
        for _ in range(rounds):
            runner.run(conversation, _addresses(2, devices))

    return _measured(runner, work)


def warm(port: int, kind: str, repeats: int) -> dict[str, object]:
    """Ask one v3 device again and again, one request at a time, as workloads A and B do."""
    runner = Runner(port, v3=True, in_flight=1)

    def again(_peer: Peer, times: int = repeats) -> Conversation[int]:
        cells = 0
        for _ in range(times):
            if kind == "get":
                cells += len((yield Request(Pdu.GET, GET12)).varbinds)
            else:
                cells += yield from walk(SUPPLIES)
        return cells

    runner.run(lambda peer: again(peer, 50), iter(["127.0.0.1"]))
    return _measured(runner, lambda: runner.run(again, iter(["127.0.0.1"])))


def memory_pdus(port: int, pdus: int) -> dict[str, object]:
    """Tell how the memory grows over many PDUs to the same 200 devices, after a warm-up with a tenth."""
    runner = Runner(port)
    per_round = 200 * 7

    def some(count: int) -> None:
        for _ in range(max(1, count // per_round)):
            runner.run(full, _addresses(2, 200))

    some(pdus // 10)
    return _growth(runner, lambda: some(pdus))


def memory_devices(port: int, devices: int, v3: bool = False) -> dict[str, object]:
    """Tell how the memory grows over so many devices, each polled once, after a warm-up with a tenth of others."""
    runner = Runner(port, v3=v3)
    runner.run(steady if v3 else full, _addresses(64, devices // 10))
    return _growth(runner, lambda: runner.run(steady if v3 else full, _addresses(128, devices)))


def _growth(runner: Runner, work: Callable[[], object]) -> dict[str, object]:
    gc.collect()
    before = _rss_mb()
    found = _measured(runner, work)
    gc.collect()
    return {**found, "growth_mb": _rss_mb() - before}


def idle(hours: list[float]) -> dict[str, object]:
    """Count the datagrams that a v3 poll costs after each of these idle times; the clock is set on, nobody waits."""
    from dca.sim import V3_USER, Clock, fleet  # noqa: PLC0415 - the only one that needs it

    wire = _MemoryWire()
    device = fleet(Clock(1.0, wire.clock), count=1, first="127.21.0.1", v3=True)[0]
    wire.answer = device.answer
    peer = Peer(device.address, 161, V3_USER, "3", V3_USER.auth, V3_USER.priv)
    engine = Engine(wire, allowed=lambda _a, _p: True, clock=wire.clock, random_id=lambda: 1)
    counts = []
    for pause in [0.0, *hours]:
        wire.now += pause * 3600
        before, outcome = wire.sent, []
        engine.submit(
            peer, get(peer, GET12[:5]), lambda result, error, outcome=outcome: outcome.append(error or len(result))
        )
        engine.run()
        assert outcome == [5], outcome
        counts.append(wire.sent - before)
    return {"first": counts[0], "datagrams": counts[1:]}


class _MemoryWire:
    """One device in memory; time passes only where the benchmark says so."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.sent = 0
        self.answer: Callable[[bytes], bytes | None] = lambda _data: None
        self._inbox: list[tuple[bytes, tuple[str, int]]] = []

    def clock(self) -> float:
        return self.now

    def send(self, data: bytes, address: str, port: int) -> None:
        self.sent += 1
        reply = self.answer(data)
        if reply is not None:
            self._inbox.append((reply, (address, port)))

    def receive(self) -> tuple[bytes, tuple[str, int]] | None:
        return self._inbox.pop() if self._inbox else None

    def wait(self, seconds: float) -> None:
        if not self._inbox:
            self.now += seconds


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](**json.loads(sys.argv[2]))))

"""The engine at work, in a process of its own: `python -m tests.bench.polls NAME JSON`."""

from __future__ import annotations

import gc
import json
import random
import sys
import time
from typing import TYPE_CHECKING, Any

from dca.snmp.ask import get
from dca.snmp.engine import Engine, growing_waits
from dca.snmp.sockets import UdpWire
from dca.snmp.types import Conversation, Pdu, Peer, Request
from tests.bench.usage import cpu, rss_mb
from tests.bench.workload import GET12, POLLS, REPETITIONS, SUPPLIES, V2C, V3, full, steady, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.bench.workload import Poll


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


def _measured(runner: Runner, work: Callable[[], object]) -> dict[str, object]:
    runner.requests, runner.failures, runner.results = 0, [], {}
    gc.collect()
    before, start = cpu(), time.perf_counter()
    work()
    wall, spent = time.perf_counter() - start, cpu() - before
    return {
        "wall": wall,
        "cpu": spent,
        "pdus": runner.requests,
        "ok": sum(runner.results.values()),
        "cells": sorted(map(str, runner.results)),
        "fail": len(runner.failures),
        "failures": runner.failures[:3],
        "rss_mb": rss_mb(),
    }


def poll(
    *, port: int, kind: str, devices: int, in_flight: int = 64, v3: bool = False, rounds: int = 1, retries: int = 1
) -> dict[str, object]:
    """Poll `devices` devices `rounds` times; 64 others before, so that imports and caches are not measured."""
    conversation = POLLS[kind]
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
    before = rss_mb()
    found = _measured(runner, work)
    gc.collect()
    return {**found, "growth_mb": rss_mb() - before}


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
        before = wire.sent
        outcome: list[object] = []

        def done(result: Any, error: BaseException | None, outcome: list[object] = outcome) -> None:
            outcome.append(error or len(result))

        engine.submit(peer, get(peer, GET12[:5]), done)
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

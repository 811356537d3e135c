"""The whole agent with 1,000 simulated devices, and the hub's ingest."""

from __future__ import annotations

import json
import statistics
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench.bench import Bench, Entry, Values
from tests.bench.lab import dca
from tests.bench.processes import background, cpu_seconds, run
from tests.bench.shared_tools import free_port
from tests.bench.sheet import FailedError, SkippedError
from tests.bench.usage import peak_mb

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["ENTRIES"]

_DEVICES = 1000
_RANGE = "127.21.0.1-127.21.3.232"
_CYCLE = 300.0
"""Seconds of the five-minute schedule."""
_SHORT = 5.0
"""Seconds of the shortened one."""
_STEP = 0.1
"""Seconds between two looks at the agent's CPU time."""
_QUIET, _PAUSE = 0.1, 0.5
"""The share of a core that idling stays below, and seconds to see it."""
_CONFIG = """
[hub]
address = "127.0.0.1:{hub}"
plaintext_on_loopback = true
[agent]
state_dir = "{folder}/state"
[schedule]
status = "{status}"
delivery = "{delivery}"
[limits]
packets_per_second = 5000
packets_per_second_per_24 = 5000
[[credential]]
name = "public"
community = "public"
[[range]]
label = "simulated"
include = ["{addresses}"]
credentials = ["public"]
port = {port}
"""


@dataclass(frozen=True)
class _Agent:
    """A running agent whose hub only counts."""

    pid: int
    began: float
    log: Path

    @property
    def cpu(self) -> float:
        return cpu_seconds(self.pid)

    def reports(self) -> list[int]:
        """Return how many rows came with each report so far."""
        return [int(line.split()[1]) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def rows(self) -> int:
        """Return how many rows the hub has acknowledged."""
        return sum(self.reports())

    def wait_until_quiet(self, patience: float) -> None:
        """Wait until it has used nearly no CPU for half a second."""
        end, before = time.monotonic() + patience, 0.0
        while self.cpu - before > _QUIET * _PAUSE and time.monotonic() < end:
            before = self.cpu
            time.sleep(_PAUSE)

    def wait_for_rows(self, wanted: int, patience: float) -> None:
        """Wait until the hub has so many rows."""
        end = time.monotonic() + patience
        while self.rows() < wanted:
            if time.monotonic() > end:
                raise FailedError(f"the agent delivered {self.rows()} of {wanted} rows within {patience:.0f} s")
            time.sleep(0.05)


@contextmanager
def _running(bench: Bench, *, status: str, delivery: str) -> Iterator[_Agent]:
    """Run 1,000 simulated devices, a hub that only counts, and the agent."""
    port, hub = free_port(), free_port()
    folder = bench.scratch / f"fleet-{status}"
    folder.mkdir()
    log, config = folder / "reports", folder / "config.toml"
    config.write_text(
        _CONFIG.format(hub=hub, folder=folder, status=status, delivery=delivery, addresses=_RANGE, port=port)
    )
    devices: list[str | Path] = [dca(), "sim", "fleet", "--count", str(_DEVICES), "--port", str(port)]
    with (
        background(devices, ready="ready", patience=60),
        background([sys.executable, "-m", "tests.bench.hub_stub", str(hub), log], ready="ready"),
        background([dca(), "run", "--config", config]) as pid,
    ):
        yield _Agent(pid, time.monotonic(), log)


def _fleet(bench: Bench) -> Values:
    """Measure rounds of a shortened schedule; what comes more rarely counts by how rarely it comes.

    In five minutes: one status round with its delivery, a twelfth of a supplies round (as dear), a forty-eighth of a
    full one and a seventy-second of a discovery (both together at most what the start costs), and idling.
    """
    with _running(bench, status=f"{_SHORT:.0f}s", delivery=f"{_SHORT:.0f}s") as agent:
        agent.wait_for_rows(_DEVICES, 60)
        agent.wait_until_quiet(30)
        first = agent.cpu
        one, idle = _rounds(agent, bench.pick(1, 6))
        peak = peak_mb(agent.pid)
    whole = one * (1 + 1 / 12) + first * (1 / 48 + 1 / 72) + idle * _CYCLE
    return {
        "fleet_1000_rss_mb": peak,
        "fleet_1000_core_percent": 100 * whole / _CYCLE,
        "fleet_1000_round_s": one,
        "fleet_1000_idle_percent": 100 * idle,
        "fleet_1000_first_s": first,
    }


def _rounds(agent: _Agent, wanted: int) -> tuple[float, float]:
    """Return the CPU seconds of one round and its delivery, and of an idle second.

    From one quiet moment to another, so many intervals later, there are so many of each, whatever their phases.
    """
    steps: list[float] = []
    rows, before, last = agent.rows(), agent.cpu, agent.cpu
    end = time.monotonic() + wanted * _SHORT
    while time.monotonic() < end:
        time.sleep(_STEP)
        now = agent.cpu
        steps.append(now - last)
        last = now
    agent.wait_until_quiet(_SHORT)
    spent, delivered = agent.cpu - before, agent.rows() - rows
    if delivered < 0.9 * wanted * _DEVICES:
        raise FailedError(f"the agent delivered {delivered} rows in {wanted} rounds of {_DEVICES}")
    quiet = [step for step in steps if step < _QUIET * _STEP]
    idle = statistics.fmean(quiet) / _STEP if quiet else 0.0
    return spent / wanted - idle * _SHORT, idle


def _fleet_real(bench: Bench) -> Values:
    """Watch the agent for five minutes on its true schedule."""
    if bench.quick:
        raise SkippedError("watches the agent for five minutes: only without --quick")
    with _running(bench, status="5m", delivery="5m") as agent:
        end = time.monotonic() + 30
        while time.monotonic() < end:  # the first discovery, and the round that follows it
            time.sleep(1)
        before = agent.cpu
        rows = agent.rows()
        time.sleep(_CYCLE)
        if agent.rows() - rows < _DEVICES:
            raise FailedError(f"only {agent.rows() - rows} rows were delivered in five minutes")
        return {
            "fleet_1000_real_core_percent": 100 * (agent.cpu - before) / _CYCLE,
            "fleet_1000_real_rss_mb": peak_mb(agent.pid),
        }


def _hub(bench: Bench) -> Values:
    seconds = bench.pick(2, 20)
    program = (
        "import asyncio, json; from tests.bench.hub_ingest import measure; "
        f"print(json.dumps(asyncio.run(measure({seconds}))))"
    )
    ran = run([sys.executable, "-c", program], limit=120)
    if ran.code:
        raise FailedError(f"the hub's benchmark ended with {ran.code}: {ran.err.strip()[-300:]}")
    found: dict[str, float] = json.loads(ran.out.splitlines()[-1])
    return {"hub_snapshots_per_s": found["hub_snapshots_per_s"]}


ENTRIES = (
    Entry(
        "fleet",
        (
            "fleet_1000_rss_mb",
            "fleet_1000_core_percent",
            "fleet_1000_round_s",
            "fleet_1000_idle_percent",
            "fleet_1000_first_s",
        ),
        _fleet,
        alongside=True,
    ),
    Entry("fleet_real", ("fleet_1000_real_core_percent", "fleet_1000_real_rss_mb"), _fleet_real),
    Entry("hub", ("hub_snapshots_per_s",), _hub),
)

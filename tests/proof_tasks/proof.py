"""The proof: how soon tasks begin, with the channel and without; and that chaos does none twice and loses none."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.proof_tasks.chaos import Chaos
from tests.proof_tasks.errands import Errands
from tests.proof_tasks.latency import measure_calls, measure_commands, measure_quiet
from tests.proof_tasks.rival import measure_rival
from tests.proof_tasks.site import Site
from tests.proof_tasks.verdict import OPEN, judge

if TYPE_CHECKING:
    from pathlib import Path

    from tests.proof_tasks.latency import Quiet
    from tests.proof_tasks.rival import Rival
    from tests.proof_tasks.verdict import Verdict

__all__ = ["FULL", "QUICK", "TINY", "Proof", "Scale"]


@dataclass(frozen=True)
class Scale:
    """How much of everything."""

    devices: int
    quiet: int
    """Tasks that are timed."""
    commands: int
    """More of them, each asked for by a program that starts for it."""
    by_call: int
    """Tasks while the channel is cut."""
    interval: int
    """Seconds between two calls of the agent."""
    errands: int
    strikes: int
    pause: float
    """Seconds between two strikes, at most."""
    longest: float
    """Seconds that a line is disturbed, at most."""
    drain: float
    """Seconds to come to an end afterwards."""
    budget: float = float("inf")
    """Seconds after which nothing more strikes: a machine that is busy with other things gets a smaller proof."""


FULL = Scale(96, 200, 20, 8, 5, errands=1000, strikes=100, pause=2.0, longest=2.5, drain=240.0)
QUICK = Scale(48, 40, 5, 2, 3, errands=60, strikes=8, pause=0.8, longest=0.8, drain=60.0, budget=28.0)
TINY = Scale(48, 5, 1, 1, 2, errands=20, strikes=3, pause=0.4, longest=0.4, drain=60.0)


class Proof:
    def __init__(self, folder: Path, scale: Scale, seed: int) -> None:
        self.folder = folder
        self.scale = scale
        self.chance = random.Random(seed)
        self.site = Site(folder, scale.devices, scale.interval)
        self.started = time.monotonic()

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self.started:6.1f} s  {text}", file=sys.stderr, flush=True)

    async def run(self) -> dict[str, object]:
        """Run it all and return the figures."""
        site, scale = self.site, self.scale
        try:
            await site.begin()
            self.say(f"hub, {scale.devices} devices and an agent run; the channel is up")
            quiet = await measure_quiet(site, scale.quiet)
            command = await measure_commands(site, scale.commands)
            rival = await measure_rival(self.folder / "mosquitto", scale.quiet)
            self.say(f"quiet: {quiet}; by command: {command:.0f} ms; mosquitto: {rival}")
            by_call = await measure_calls(site, scale.by_call, scale.interval)
            self.say(f"without the channel: {', '.join(f'{seconds:.2f} s' for seconds in by_call)}")
            chaos, errands = await self._chaos()
            verdict = await self._end(scale.quiet + scale.commands + scale.by_call + errands.count)
            figures = self._figures(verdict, chaos, errands)
            speed = _speed(quiet, command, rival)
            return figures | speed | {"by_call_s": round(max(by_call), 2), "interval_s": scale.interval}
        finally:
            await site.end()

    async def _chaos(self) -> tuple[Chaos, Errands]:
        scale = self.scale
        errands = Errands(self.site, self.chance, scale.errands)
        chaos = Chaos(self.site, self.chance, scale.strikes, scale.longest)
        for turn in range(scale.strikes):
            if time.monotonic() - self.started > scale.budget:
                break
            pause = asyncio.create_task(asyncio.sleep(self.chance.uniform(0.0, scale.pause)))
            asking = asyncio.create_task(errands.ask_until((turn + 1) / scale.strikes, scale.pause / 2))
            await asyncio.sleep(self.chance.uniform(0.0, scale.pause / 2))
            await chaos.strike()
            await asyncio.gather(pause, asking)
            if turn % 10 == 9:
                open_ = await self.site.asker.value(OPEN)
                self.say(f"{turn + 1} strikes, {errands.asked} tasks asked for, {open_} of them are open")
        await errands.done()
        await chaos.over()
        self.say(f"it is over: {dict(chaos.happened)}, {errands.called_off} tasks called off")
        return chaos, errands

    async def _end(self, expected: int) -> Verdict:
        """Let every task come to its end, let every row go to the hub, and judge."""
        site = self.site
        end = time.monotonic() + self.scale.drain
        while await site.asker.value(OPEN) or site.agent.depth():
            if time.monotonic() > end:
                self.say(f"not everything has come to its end after {self.scale.drain:.0f} s")
                break
            await asyncio.sleep(0.2)
        await site.agent.stop()
        verdict = await judge(site, expected)
        for note in verdict.notes:
            self.say(f"note: {note}")
        self.say(f"ends: {dict(verdict.ends)}; of those not done: {dict(verdict.codes)}")
        return verdict

    def _figures(self, verdict: Verdict, chaos: Chaos, errands: Errands) -> dict[str, object]:
        happened = chaos.happened
        return {
            "tasks": verdict.tasks,
            "done": verdict.ends["done"],
            "expired": verdict.ends["expired"],
            "cancelled": verdict.ends["cancelled"],
            "refused": verdict.ends["refused"],
            "failed": verdict.ends["failed"],
            "interrupted": verdict.codes["failed/interrupted"],
            "lost": verdict.lost,
            "twice": verdict.twice,
            "untrue": verdict.untrue,
            "called_off": errands.called_off,
            "strikes": happened.total(),
            "agent_kills": happened["agent"],
            "hub_kills": happened["hub"],
            "broker_kills": happened["broker"],
            "line_faults": happened["calls"] + happened["channel"] + happened["fallback"],
            "seconds": round(time.monotonic() - self.started, 1),
        }


def _speed(quiet: Quiet, command: float, rival: Rival | None) -> dict[str, object]:
    figures: dict[str, object] = {
        "median_ms": round(quiet.median, 1),
        "p95_ms": round(quiet.worst_of_twenty, 1),
        "to_device_ms": round(quiet.device, 1),
        "command_ms": round(command, 1),
        "ratio_mosquitto": None,
    }
    if rival is not None:
        figures |= {
            "ratio_mosquitto": round(command / rival.started, 2),
            "mosquitto_ms": round(rival.started, 1),
            "mosquitto_connected_ms": round(rival.connected, 2),
            "ratio_connected": round(quiet.median / rival.connected, 1),
        }
    return figures

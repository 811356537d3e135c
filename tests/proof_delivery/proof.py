"""The proof: one hub, one fleet, two agents, and everything that may happen to them."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from dca.store.files import DATABASE
from tests.proof_delivery.clocks import JUMPS, jump_clocks
from tests.proof_delivery.oracle import Journal, Verdict, compare
from tests.proof_delivery.processes import Fleet, Hub
from tests.proof_delivery.relay import Fault
from tests.proof_delivery.side import Side
from tests.proof_delivery.steps import NEAR, day_without_a_hub, step_out_of_dates
from tests.proof_delivery.wallclock import PACKAGE

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FULL", "QUICK", "TINY", "Proof", "Scale"]

PAGE = 4096


@dataclass(frozen=True)
class Scale:
    """How much of everything."""

    kills: int
    devices: int
    """That the first agent reads."""
    full_devices: int
    """That the agent with the small state file reads; 0 leaves it out."""
    strides: int
    """In which the agent's clock goes through the 24 hours that the hub is away."""
    out_of_dates: int
    """How often it steps to where the hub's certificate is not valid."""
    damages: int
    pause: float
    """Seconds between two kills, at most."""
    budget: float = float("inf")
    """Seconds after which no more are killed: a machine that is busy with other things gets a smaller proof."""


FULL = Scale(kills=60, devices=80, full_devices=400, strides=24, out_of_dates=2, damages=4, pause=3.0)
QUICK = Scale(kills=12, devices=30, full_devices=400, strides=2, out_of_dates=1, damages=2, pause=0.8, budget=9.0)
TINY = Scale(kills=3, devices=10, full_devices=0, strides=2, out_of_dates=0, damages=1, pause=0.7, budget=30.0)


class Proof:
    def __init__(self, folder: Path, scale: Scale, seed: int) -> None:
        self.folder = folder
        self.scale = scale
        self.chance = random.Random(seed)
        self.hub = Hub(folder)
        self.fleet = Fleet(folder, max(scale.devices, scale.full_devices))
        self.started = time.monotonic()

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self.started:6.1f} s  {text}", file=sys.stderr, flush=True)

    async def run(self) -> dict[str, object]:
        """Run it all and return the figures."""
        main, small = Side(self.folder, "agent", self.hub), Side(self.folder, "small", self.hub)
        try:
            await self._begin(main)
            filling = asyncio.create_task(self._fill(small)) if self.scale.full_devices else None
            await self._kill_phase(main)
            await self._day_phase(main)
            await self._damage_phase(main)
            jumped = await self._clock_phase(main)
            verdict = jumped + await self._end(main)
            if filling is not None:
                await filling
                verdict += await self._end(small)
            return self._figures(verdict, [main, small])
        finally:
            for side in (main, small):
                await side.close()
            await self.fleet.stop()
            await self.hub.stop()

    def _figures(self, verdict: Verdict, sides: list[Side]) -> dict[str, object]:
        for note in verdict.notes:
            self.say(f"note: {note}")
        agent_kills = sum(side.agent.kills for side in sides)
        return {
            "kills": agent_kills + self.hub.kills,
            "cuts": sum(side.relay.cuts for side in sides),
            "read": verdict.read,
            "stored": verdict.stored,
            "lost": verdict.lost,
            "twice": verdict.twice,
            "seconds": round(time.monotonic() - self.started, 1),
            "told": verdict.told,
            "agent_kills": agent_kills,
            "hub_kills": self.hub.kills,
            "damages": self.scale.damages,
            "clock_jumps": sum(side.agent.clock.steps for side in sides),
            "clock_jumps_in_process": 2 * len(JUMPS),
        }

    async def _begin(self, side: Side) -> None:
        if not side.agent.clock.steppable:
            if os.environ.get("CI") == "true":
                raise RuntimeError(f"{PACKAGE} is not installed: the agent's clock cannot be stepped")
            self.say(f"{PACKAGE} is not installed: the clock jumps in this process only (tests/setup peers as root)")
        await asyncio.gather(self.hub.start(), self.fleet.start())
        await self.hub.serving()
        await self.hub.command("site", "add", "proof")
        await self._start(side, self.scale.devices, outbox_mb=64)
        assert await side.until(lambda figures: figures.rows_acknowledged > 0, 60), (
            f"nothing arrives: {side.agent.tail()}"
        )
        self.say(f"hub, {self.fleet.count} devices and an agent run; rows arrive")

    async def _start(self, side: Side, devices: int, outbox_mb: int) -> None:
        await side.relay.open()
        side.agent.configure(
            self.fleet,
            devices=devices,
            relay=side.relay.port,
            code=await self.hub.code("proof"),
            outbox_mb=outbox_mb,
        )
        await side.agent.start()

    async def _kill_phase(self, side: Side) -> None:
        """kill -9 at any moment, start-up and recovery included, while clock and line are disturbed."""
        faults: list[asyncio.Task[None]] = []
        for turn in range(self.scale.kills):
            if time.monotonic() - self.started > self.scale.budget:
                break
            if not faults or faults[-1].done():
                fault: Fault = self.chance.choice(get_args(Fault))
                faults.append(asyncio.create_task(side.relay.disturb(fault, self.chance.uniform(0.1, 1.5))))
            await asyncio.sleep(self.chance.uniform(0.0, self.scale.pause))
            if self.chance.random() < 0.4:
                side.agent.clock.step_to(self.chance.choice(NEAR))
            victim = self.hub if self.chance.random() < 0.4 else side.agent
            await victim.kill()
            await victim.start()
            if turn % 10 == 9:
                await self.hub.serving()
                before = side.journal.figures().rows_acknowledged
                moved = await side.until(lambda figures, before=before: figures.rows_acknowledged > before, 60)
                self.say(f"{turn + 1} kills, {len(side.journal.seen)} rows seen{'' if moved else ', nothing arrives!'}")
        await asyncio.gather(*faults)
        await self.hub.serving()
        self.say(f"kills done: {side.agent.kills} of the agent, {self.hub.kills} of the hub, {side.relay.cuts} cuts")

    async def _day_phase(self, side: Side) -> None:
        """The hub is away for a day."""
        depth = await day_without_a_hub(side, self.hub, self.scale.strides, self.scale.devices // 2)
        self.say(f"the hub was away for a day of the agent's clock and is back; {depth} rows waited")

    async def _damage_phase(self, side: Side) -> None:
        """The state file is damaged while rows wait in it; the agent starts all the same and tells what is gone."""
        for turn in range(self.scale.damages):
            await side.relay.close()
            await side.until(lambda figures: figures.depth >= self.scale.devices, 30)
            await side.agent.stop()
            await asyncio.to_thread(side.journal.look)
            self._spoil(side, whole_page=turn % 2 == 1)
            await side.agent.start()
            await self._salvaged(side, turn + 1)
            await side.relay.open()
            side.relay.cuts += 1
        self.say(f"{self.scale.damages} damaged state files salvaged")

    def _spoil(self, side: Side, *, whole_page: bool) -> None:
        """Zero the header, which costs nothing, or the page of a row that waits, which costs its rows."""
        path = side.agent.state / DATABASE
        pages = [0]
        if whole_page:
            payload = self.chance.choice(side.journal.payloads())
            image = path.read_bytes()
            pages = [at for at in range(PAGE, len(image), PAGE) if payload in image[at : at + PAGE]]
        with path.open("r+b") as file:
            for page in pages:
                file.seek(page)
                file.write(bytes(PAGE if whole_page else 100))
            os.fsync(file.fileno())

    async def _salvaged(self, side: Side, count: int) -> None:
        for _ in range(150):
            if len(list(side.agent.state.glob("*.salvaged"))) >= count:
                return
            await asyncio.sleep(0.1)
        raise RuntimeError("the damage was not noticed, or not salvaged")

    async def _clock_phase(self, side: Side) -> Verdict:
        """The certificate's dates in the real agent; then, in this process, jumps that no certificate survives."""
        await step_out_of_dates(side, self.scale.devices // 2, self.scale.out_of_dates)
        self.say(f"{side.agent.clock.steps} steps of the agent's clock")
        state = self.folder / "clocks-state"
        put = await jump_clocks(state, side.relay.port, await self.hub.code("proof"))
        journal = Journal(state)
        verdict = await compare(journal, self.hub.data)
        verdict.lost += put - verdict.read if put > verdict.read else 0
        self.say(f"clock jumps (in process): {put} rows put, {verdict.stored} stored")
        return verdict

    async def _fill(self, side: Side) -> None:
        """A state file of 1 MiB, a hub out of reach, and more readings than fit."""
        await side.relay.open()
        side.agent.configure(
            self.fleet,
            devices=self.scale.full_devices,
            relay=side.relay.port,
            code=await self.hub.code("proof"),
            outbox_mb=1,
        )
        await side.activated()
        await side.relay.close()
        full = await side.until(lambda figures: sum(figures.rows_dropped.values()) > 0, 90)
        await side.agent.kill()
        await side.agent.start()
        figures = side.figures()
        dropped = sum(figures.rows_dropped.values()) if figures else 0
        self.say(f"the small state file is {'full' if full else 'NOT full'}: {dropped} rows dropped and counted")
        await side.agent.stop()  # until it is drained: its reading would slow down all the rest
        await side.relay.open()

    async def _end(self, side: Side) -> Verdict:
        await self.hub.serving()
        await side.drain()
        side.journal.look()
        verdict = await compare(side.journal, self.hub.data)
        self.say(
            f"{side.agent.log.stem}: {verdict.read} read, {verdict.stored} stored, {verdict.told} told of, "
            f"{verdict.lost} lost, {verdict.twice} twice"
        )
        return verdict

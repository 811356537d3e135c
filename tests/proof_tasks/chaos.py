"""What may happen to agent, hub, broker and the lines between them, one thing after the other."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from typing import TYPE_CHECKING, get_args

from dca.hub.engines.process import processes_in
from tests.proof_delivery.relay import Fault

if TYPE_CHECKING:
    from random import Random

    from tests.proof_tasks.site import Site

__all__ = ["Chaos"]

WHAT = ("agent", "hub", "broker", "calls", "channel", "agent", "fallback")


class Chaos:
    def __init__(self, site: Site, chance: Random, strikes: int, longest: float) -> None:
        """`longest` is how many seconds a line is disturbed, at most."""
        self.happened: Counter[str] = Counter()
        self._plan = [WHAT[turn % len(WHAT)] for turn in range(strikes)]
        chance.shuffle(self._plan)
        self._site = site
        self._chance = chance
        self._longest = longest
        self._hub_comes: asyncio.Task[None] | None = None

    async def strike(self) -> None:
        """Do one thing, and begin to make it good again."""
        what = self._plan.pop()
        self.happened[what] += 1
        if what == "agent":
            await self._kill_agent()
        elif what == "hub":
            await self._kill_hub()
        elif what == "broker":
            self._kill_broker()
        else:
            fault: Fault = self._chance.choice(get_args(Fault))
            relay = getattr(self._site.lines, what)
            await relay.disturb(fault, self._chance.uniform(0.1, self._longest))

    async def over(self) -> None:
        """Wait until the hub serves."""
        if self._hub_comes is not None:
            await self._hub_comes
        if not self._site.agent.running:
            raise RuntimeError(f"the agent ended by itself:\n{self._site.agent.tail()}")

    async def _kill_agent(self) -> None:
        agent = self._site.agent
        if not agent.running:
            raise RuntimeError(f"the agent ended by itself:\n{agent.tail()}")
        await agent.kill()
        await asyncio.sleep(self._chance.choice((0.0, 0.0, 0.5)))
        await agent.start()

    async def _kill_hub(self) -> None:
        if self._hub_comes is not None:
            await self._hub_comes
        await self._site.hub.kill()
        await self._site.hub.start()
        self._hub_comes = asyncio.create_task(self._site.hub.serving())

    def _kill_broker(self) -> None:
        """kill -9 of the NATS server that works in the hub's data folder."""
        for pid in processes_in(self._site.hub.data / "nats", "nats-server"):
            os.kill(pid, signal.SIGKILL)

"""The many tasks: of mixed kinds, some short-lived, some called off, each asked for once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.proof_tasks.asker import Wanted

if TYPE_CHECKING:
    from random import Random
    from uuid import UUID

    from tests.proof_tasks.site import Site

__all__ = ["Errands"]

SHORT = (1.0, 5.0)
"""Seconds that some of them may wait."""
SHORT_SHARE, CALLED_OFF_SHARE, PANEL_SHARE = 0.15, 0.1, 0.4


class Errands:
    def __init__(self, site: Site, chance: Random, count: int) -> None:
        self.asked = 0
        self.count = count
        self.called_off = 0
        self._site = site
        self._chance = chance
        self._wanted = [self._make(number) for number in range(count)]
        for device in site.victims:
            number = chance.randrange(count)
            self._wanted[number] = Wanted(f"errand {number}", "device_restart", {"how": "warm"}, device.id)
        self._calling_off: set[asyncio.Task[None]] = set()

    async def ask_until(self, share: float, seconds: float = 0.0) -> None:
        """Ask for more of them until this share of all is asked for, spread over about so many seconds."""
        wanted_now = min(self.count, round(self.count * share))
        pause = seconds / max(wanted_now - self.asked, 1)
        while self.asked < wanted_now:
            await asyncio.sleep(self._chance.uniform(0.0, 2 * pause))
            wanted = self._wanted[self.asked]
            self.asked += 1
            task = await self._site.asker.ask(wanted)
            if self._chance.random() < CALLED_OFF_SHARE:
                calling = asyncio.create_task(self._call_off(task, self._chance.uniform(0.0, 1.0)))
                self._calling_off.add(calling)

    async def done(self) -> None:
        """Ask for the rest, and wait until those that are to be called off are."""
        await self.ask_until(1.0)
        await asyncio.gather(*self._calling_off)

    async def _call_off(self, task: UUID, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.called_off += await self._site.asker.cancel(task)

    def _make(self, number: int) -> Wanted:
        chance, site, mark = self._chance, self._site, f"errand {number}"
        life = chance.uniform(*SHORT) if chance.random() < SHORT_SHARE else 3600.0
        if chance.random() < PANEL_SHARE:
            return Wanted(mark, "panel_message", {"text": mark}, chance.choice(site.panels).id, life)
        kind, parameters = chance.choice(
            (
                ("read", {"full": False}),
                ("read", {"full": True}),
                ("ping", {"count": 5, "interval": 0.2}),
                ("ports", {"ports": [80, 443]}),
            )
        )
        return Wanted(mark, kind, parameters, chance.choice(site.others).id, life)

"""One agent of the proof with its line to the hub, its clock and the journal of its outbox."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from dca.errors import StoreError
from tests.proof_delivery.oracle import Journal
from tests.proof_delivery.processes import Agent
from tests.proof_delivery.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dca.telemetry import Figures
    from tests.proof_delivery.processes import Hub

__all__ = ["Side"]


class Side:
    def __init__(self, folder: Path, name: str, hub: Hub) -> None:
        self.agent = Agent(folder, name)
        self.relay = Relay(lambda: hub.port)
        self.journal = Journal(self.agent.state)
        self.watching = asyncio.create_task(self.journal.watch())

    def figures(self) -> Figures | None:
        try:
            return self.journal.figures(patience=0.0)
        except StoreError:
            return None

    async def until(self, reached: Callable[[Figures], bool], seconds: float) -> bool:
        """Wait until the outbox's figures are so; tell whether they became so in time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if (figures := self.figures()) is not None and reached(figures):
                return True
            if not self.agent.running:
                raise RuntimeError(f"an agent ended by itself:\n{self.agent.tail()}")
            await asyncio.sleep(0.1)
        return False

    async def activated(self, seconds: float = 60.0) -> None:
        """Start the agent until it has an identity and reads: like a service manager, again when the hub was away."""
        end = time.monotonic() + seconds
        while (figures := self.figures()) is None or not figures.rows_written:
            if time.monotonic() > end:
                raise RuntimeError(f"the agent is not activated:\n{self.agent.tail()}")
            if not self.agent.running:
                await self.agent.start()
            await asyncio.sleep(0.2)

    async def reads_on(self, rows: int, seconds: float = 60.0) -> None:
        """Wait until it has written so many rows more."""
        before = self.journal.figures().rows_written
        if not await self.until(lambda figures: figures.rows_written >= before + rows, seconds):
            raise RuntimeError(f"the agent reads no more, its clock {self._off}:\n{self.agent.tail()}")

    async def delivers_on(self, seconds: float = 60.0) -> None:
        """Wait until the hub has acknowledged more."""
        before = self.journal.figures().rows_acknowledged
        if not await self.until(lambda figures: figures.rows_acknowledged > before, seconds):
            raise RuntimeError(f"the agent delivers no more, its clock {self._off}:\n{self.agent.tail()}")

    @property
    def _off(self) -> str:
        return f"{self.agent.clock.offset:+.0f} s off"

    async def drain(self) -> None:
        """Let everything go to the hub and stop the agent in order."""
        for _ in range(4):
            if not self.agent.running:
                await self.agent.start()
            await self.until(lambda figures: figures.depth == 0 and figures.rows_acknowledged > 0, 60)
            await self.agent.stop()
            if not self.journal.waiting():
                return

    async def close(self) -> None:
        self.watching.cancel()
        await asyncio.gather(self.watching, return_exceptions=True)
        await self.agent.kill()
        await self.relay.close()

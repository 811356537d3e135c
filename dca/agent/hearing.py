"""How tasks come in and results go out while one config holds: the channel, watched, and the call to the hub."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import TYPE_CHECKING

from dca.agent.asked import open_channel

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dca.agent.badge import Badge
    from dca.agent.parts import Parts
    from dca.channel import Channel
    from dca.config import Config
    from dca.tasks.desk import Desk

__all__ = ["Hearing"]

LOOK = 2.0
"""Seconds between two looks at the channel, half as much at least: a fleet that lost its hub does not call at once."""
GATHER = 0.02
"""Seconds in which results of tasks are gathered for one report."""


class Hearing:
    """Listens by the channel; `call` calls the hub now, `note` leaves word for `dca status`."""

    def __init__(
        self,
        config: Config,
        parts: Parts,
        *,
        call: Callable[[], None],
        note: Callable[[], Awaitable[None]],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._config = config
        self._parts = parts
        self._call = call
        self._note = note
        self._chance = chance
        self._anew = asyncio.Event()
        self._channel: Channel | None = None

    @property
    def state(self) -> str:
        """How tasks are heard of: wss, mqtts, down, or off where there is no channel."""
        return self._channel.state if self._channel is not None else "off"

    @property
    def fault(self) -> str:
        """Why the channel is down; empty while it is not."""
        return self._channel.last_error if self._channel is not None and self._channel.state == "down" else ""

    def start(self) -> list[asyncio.Task[None]]:
        """Return what is to run until it is cancelled; nothing without an identity."""
        badge, desk = self._parts.badge, self._parts.desk
        if badge is None or desk is None:
            return []
        return [
            asyncio.create_task(self._results(), name="results"),
            asyncio.create_task(self._hear(badge, desk), name="channel"),
        ]

    def make_anew(self) -> None:
        """Connect again, with a renewed identity."""
        self._anew.set()

    async def _results(self) -> None:
        """Have what became of tasks delivered as soon as it is known."""
        while True:
            await self._parts.result.wait()
            self._parts.result.clear()
            self._call()
            await asyncio.sleep(GATHER)

    async def _hear(self, badge: Badge, desk: Desk) -> None:
        while True:
            self._anew.clear()
            self._channel = open_channel(self._config, badge, desk, self._parts, self._missed)
            hearing = asyncio.create_task(self._channel.run()) if self._channel is not None else None
            try:
                await self._watch()
            finally:
                if hearing is not None:
                    hearing.cancel()
                    await asyncio.gather(hearing, return_exceptions=True)

    async def _missed(self) -> None:
        """Ask the hub for what was missed while the channel was away."""
        self._call()

    async def _watch(self) -> None:
        """Until it is to be made anew: leave word of each change, and ask the hub when it is gone; it may say why."""
        state = "down"
        while not self._anew.is_set():
            before, state = state, self.state
            if state != before:
                await self._note()
            if state == "down" != before:
                self._call()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK * (0.5 + self._chance())):
                    await self._anew.wait()

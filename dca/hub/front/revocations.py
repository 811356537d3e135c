"""Which agents are revoked: loaded at the start, told by the database at once, asked again now and then."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING
from uuid import UUID

from dca.errors import HubError
from dca.hub.database import AWAY, connect

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CHANNEL", "Revocations"]

log = logging.getLogger(__name__)

CHANNEL = "dca_agents"
"""NOTIFY of it says that an agent was revoked or restored."""
AGAIN_S = 30.0
RETRY_S = 1.0


class Revocations:
    """Follows the table; `on_revoked` is called for each agent that is newly revoked."""

    def __init__(self, url: str, on_revoked: Callable[[UUID], None] = lambda _: None) -> None:
        self.agents: frozenset[UUID] = frozenset()
        self.on_revoked = on_revoked
        self._url = url
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to follow."""
        self._task = asyncio.create_task(self._run(), name="follow revocations")

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _run(self) -> None:
        while True:
            try:
                await self._follow()
            except (*AWAY, HubError) as error:
                log.debug("revocations: %s", error)
            await asyncio.sleep(RETRY_S)

    async def _follow(self) -> None:
        connection = await connect(self._url)
        try:
            await connection.add_listener(CHANNEL, lambda *_: self._changed.set())
            while not connection.is_closed():
                self._changed.clear()
                found = await connection.fetch("SELECT agent_id FROM agents WHERE revoked_at IS NOT NULL")
                self._take(frozenset(UUID(str(row["agent_id"])) for row in found))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), AGAIN_S)
        finally:
            connection.terminate()

    def _take(self, agents: frozenset[UUID]) -> None:
        fresh, self.agents = agents - self.agents, agents
        for agent_id in fresh:
            self.on_revoked(agent_id)

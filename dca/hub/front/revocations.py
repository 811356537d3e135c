"""Which agents and certificates are shut out: loaded at the start, told by the database, asked now and then."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from dca.errors import HubError
from dca.hub.background import Background
from dca.hub.database import AWAY, connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from dca.hub.front.callers import Caller

__all__ = ["CHANNEL", "Revocations", "ShutOut"]

log = logging.getLogger(__name__)

CHANNEL = "dca_agents"
"""NOTIFY of it says that an agent was revoked or restored, or a certificate replaced."""
AGAIN_S = 30.0
RETRY_S = 1.0
_AGENTS = "SELECT agent_id FROM agents WHERE revoked_at IS NOT NULL"
_SERIALS = "SELECT serial FROM certificates WHERE replaced_at IS NOT NULL AND not_after > now()"


class ShutOut(NamedTuple):
    """Who may not come."""

    agents: frozenset[UUID] = frozenset()
    """Revoked."""
    serials: frozenset[str] = frozenset()
    """Of certificates that newer ones have replaced and that have not ended yet, hex."""

    def has(self, caller: Caller) -> bool:
        """Tell whether a caller is one of them."""
        return caller.agent_id in self.agents or caller.serial in self.serials


class Revocations(Background):
    """Follows the tables; `on_fresh` is called with those that are newly shut out."""

    def __init__(self, url: str, on_fresh: Callable[[ShutOut], None] = lambda _: None) -> None:
        super().__init__()
        self.out = ShutOut()
        self.on_fresh = on_fresh
        self._url = url
        self._changed = asyncio.Event()

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
                agents = frozenset(UUID(str(row[0])) for row in await connection.fetch(_AGENTS))
                self._take(ShutOut(agents, frozenset(row[0] for row in await connection.fetch(_SERIALS))))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(AGAIN_S):
                        await self._changed.wait()
        finally:
            connection.terminate()

    def _take(self, out: ShutOut) -> None:
        fresh = ShutOut(out.agents - self.out.agents, out.serials - self.out.serials)
        self.out = out
        if any(fresh):
            self.on_fresh(fresh)

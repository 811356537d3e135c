"""Agents that fall silent: the broker says so at once (MQTT's last will), and the pages do not wait for a report."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING
from uuid import UUID

from dca.hub.background import Background
from dca.hub.database import AWAY as DATABASE_AWAY
from dca.hub.stream.link import AWAY as NATS_AWAY

if TYPE_CHECKING:
    import asyncpg
    from nats.aio.msg import Msg

    from dca.hub.stream import Link

__all__ = ["Presence"]

log = logging.getLogger(__name__)

SUBJECTS = "dca.*.status"
OFFLINE = b"offline"
AGAIN_S = 1.0
"""Seconds before another try to listen."""


class Presence(Background):
    """Writes "down" for an agent whose channel has ended; that it is up again its next report says."""

    def __init__(self, pool: asyncpg.Pool, link: Link) -> None:
        super().__init__()
        self._pool = pool
        self._link = link

    async def _run(self) -> None:
        while True:
            await self._link.ready()
            try:
                # The client keeps the subscription over reconnects.
                await self._link.client.subscribe(SUBJECTS, cb=self._heard)
                await asyncio.Event().wait()
            except NATS_AWAY as error:
                log.debug("agents' status is not listened to yet: %s", error)
                await asyncio.sleep(AGAIN_S)

    async def _heard(self, message: Msg) -> None:
        if message.data != OFFLINE:
            return
        try:
            agent_id = UUID(message.subject.split(".")[1])
            await self._pool.execute("UPDATE agents SET channel = 'down' WHERE agent_id = $1", agent_id)
        except ValueError:
            return
        except DATABASE_AWAY as error:
            log.debug("the channel's end of an agent is not written down: %s", error)

"""Put each new task onto the channel at once, and end what nobody took in time.

Every hub listens; a task belongs to the one that marks it as handed out. What a hub marked and could not publish it
tries again; what it marked before it fell waits for the agent's next report. A task that an agent gets twice it does
once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from dca.errors import ChannelError, HubError
from dca.hub.background import Background
from dca.hub.database import AWAY as DATABASE_AWAY
from dca.hub.database import connect
from dca.hub.stream.link import AWAY as NATS_AWAY
from dca.hub.tasks.ending import expire
from dca.hub.tasks.issue import CHANNEL
from dca.wire.task_pb2 import Task

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import asyncpg

__all__ = ["Dispatcher"]

log = logging.getLogger(__name__)

BATCH = 100
IDLE_S = 2.0
"""Between two looks when nothing is heard: for what the publisher did not take, and for a connection that died."""
EXPIRE_S = 10.0
PUBLISH_S = 5.0
QUERY_S = 10.0
UNSENT = (ChannelError, *NATS_AWAY)
"""What `publish` raises when a task did not go out."""

CLAIM = """
WITH due AS (
    SELECT t.id, a.agent_id FROM tasks t JOIN agents a ON a.id = t.agent
    WHERE t.state = 0 AND t.handed_at IS NULL AND t.expires_at >= $1 AND a.revoked_at IS NULL
    ORDER BY t.issued_at, t.number LIMIT $2 FOR UPDATE OF t SKIP LOCKED)
UPDATE tasks t SET handed_at = $1 FROM due WHERE t.id = due.id
RETURNING due.agent_id, t.number, t.expires_at, t.body, t.signature
"""


class _Parcel(NamedTuple):
    """A task on its way."""

    agent_id: str
    number: int
    expires_at: datetime
    task: bytes


class Dispatcher(Background):
    """The task that publishes tasks."""

    def __init__(
        self,
        database_url: str,
        publish: Callable[[str, bytes], Awaitable[None]],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`publish` takes an agent's UUID and a serialized dca.v1.Task; it raises what `UNSENT` names."""
        super().__init__()
        self._url = database_url
        self._publish = publish
        self._clock = clock
        self._wake = asyncio.Event()
        self._parcels: deque[_Parcel] = deque()
        self._expired_at = float("-inf")
        self._trouble = ""

    def wake(self) -> None:
        """Look now, for the broker is back."""
        self._wake.set()

    async def _run(self) -> None:
        while True:
            try:
                connection = await connect(self._url)
                try:
                    await self._follow(connection)
                finally:
                    connection.terminate()
            except (*DATABASE_AWAY, HubError) as error:
                self._say("the database does not answer", error)
                await asyncio.sleep(IDLE_S)

    async def _follow(self, connection: asyncpg.Connection) -> None:
        connection.add_termination_listener(self._heard)
        await connection.add_listener(CHANNEL, self._heard)
        while True:
            self._wake.clear()
            while await self._send() and await self._claim(connection):
                pass
            await self._expire(connection)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(IDLE_S):
                    await self._wake.wait()

    def _heard(self, *_: object) -> None:
        self._wake.set()

    async def _claim(self, connection: asyncpg.Connection) -> bool:
        """Take what nobody has handed out; False when there is nothing."""
        rows = await connection.fetch(CLAIM, self._clock(), BATCH, timeout=QUERY_S)
        parcels = [
            _Parcel(str(agent_id), number, expires_at, Task(body=body, signature=signature).SerializeToString())
            for agent_id, number, expires_at, body, signature in rows
        ]
        self._parcels.extend(sorted(parcels, key=attrgetter("number")))
        return bool(parcels)

    async def _send(self) -> bool:
        """Publish what is held; False when the broker does not take it, and nothing more is to be taken meanwhile."""
        while self._parcels:
            parcel = self._parcels[0]
            if parcel.expires_at >= self._clock():
                try:
                    async with asyncio.timeout(PUBLISH_S):
                        await self._publish(parcel.agent_id, parcel.task)
                except UNSENT as error:
                    self._say("the broker does not take tasks", error)
                    return False
            self._parcels.popleft()
        self._say("", None)
        return True

    async def _expire(self, connection: asyncpg.Connection) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._expired_at >= EXPIRE_S:
            self._expired_at = now
            await expire(connection, self._clock())

    def _say(self, trouble: str, error: BaseException | None) -> None:
        if trouble and trouble != self._trouble:
            reason = str(error) or type(error).__name__
            log.warning("tasks do not go out at once, agents get them with their reports: %s (%s)", trouble, reason)
        elif self._trouble and not trouble:
            log.info("tasks go out at once again")
        self._trouble = trouble

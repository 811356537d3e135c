"""Follow the table `unpublished` and put its rows into the stream, each once.

One hub publishes at a time (it holds an advisory lock), the others stand by. An entry is marked before its
rows are sent and deleted after the server has acknowledged all of them; an entry that is found marked was
left half-sent by a crash or an outage, and what the stream has of it already is not sent again. Within the
server's duplicate window Nats-Msg-Id does the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from dca.errors import HubError
from dca.hub.background import Background
from dca.hub.database import AWAY as DATABASE_AWAY
from dca.hub.database import connect
from dca.hub.stream.link import AWAY as NATS_AWAY
from dca.hub.stream.link import STREAM, ensure_stream
from dca.hub.stream.sender import Message, send
from dca.wire.report_pb2 import RowKind

if TYPE_CHECKING:
    from uuid import UUID

    import asyncpg
    from nats.js.client import JetStreamContext

    from dca.hub.stream.link import Link

__all__ = ["Publisher", "message_id"]

log = logging.getLogger(__name__)

LOCK = 0x6463_6173_7472
"""Advisory lock of the hub that publishes."""
ENTRIES = 4
"""Reports that are read at once; of up to 1,000 rows each."""
ACK_S = 20.0
IDLE_S = 2.0
STANDBY_S = 5.0
CLOCKS = timedelta(minutes=10)
"""How far the database's and the NATS server's clocks may differ."""

NEXT = """
SELECT u.id, u.agent, u.epoch, u.numbers, u.tried_at, a.agent_id, a.site
FROM unpublished u JOIN agents a ON a.id = u.agent ORDER BY u.id LIMIT $1
"""
MARK = "UPDATE unpublished SET tried_at = now() WHERE id = ANY($1) AND tried_at IS NULL"
ROWS = (
    "SELECT number, kind, device_id, payload FROM rows WHERE agent = $1 AND epoch = $2 AND number = ANY($3) ORDER BY 1"
)
DONE = "DELETE FROM unpublished WHERE id = ANY($1)"


def message_id(agent_id: UUID, epoch: bytes, number: int) -> str:
    """Return a row's name as Nats-Msg-Id."""
    return f"{agent_id}/{epoch.hex()}/{number}"


class Publisher(Background):
    """The task that publishes; `wake` tells it that rows were stored."""

    def __init__(self, database_url: str, link: Link) -> None:
        super().__init__()
        self._url = database_url
        self._link = link
        self._wake = asyncio.Event()
        self._trouble = ""

    def wake(self) -> None:
        """Look now."""
        self._wake.set()

    async def _run(self) -> None:
        while True:
            try:
                stream = await self._link.ready()
                connection = await connect(self._url)
                try:
                    await self._lead(connection, stream)
                finally:
                    connection.terminate()
            except (*NATS_AWAY, *DATABASE_AWAY, HubError) as error:
                self._say(str(error) or type(error).__name__)
                await asyncio.sleep(IDLE_S)

    async def _lead(self, connection: asyncpg.Connection, stream: JetStreamContext) -> None:
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):  # noqa: ASYNC110 - another hub's lock
            await asyncio.sleep(STANDBY_S)
        await ensure_stream(stream)
        while True:
            self._wake.clear()
            published = await self.publish_some(connection, stream)
            self._say("")
            if not published:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(IDLE_S):
                        await self._wake.wait()

    async def publish_some(self, connection: asyncpg.Connection, stream: JetStreamContext) -> bool:
        """Publish the oldest entries; False when there are none."""
        entries = await connection.fetch(NEXT, ENTRIES)
        if not entries:
            return False
        ids = [entry["id"] for entry in entries]
        await connection.execute(MARK, ids)
        for entry in entries:
            sent = await self._in_stream(stream, entry) if entry["tried_at"] is not None else set()
            await self._publish(connection, entry, sent)
        await connection.execute(DONE, ids)
        return True

    async def _publish(self, connection: asyncpg.Connection, entry: asyncpg.Record, sent: set[str]) -> None:
        rows = await connection.fetch(ROWS, entry["agent"], entry["epoch"], entry["numbers"])
        messages = []
        for number, kind, device_id, payload in rows:
            name = message_id(entry["agent_id"], entry["epoch"], number)
            headers = {"Dca-Kind": RowKind.Name(kind)}
            if device_id is not None:
                headers["Dca-Device"] = device_id
            if name not in sent:
                messages.append(Message(name, payload, headers))
        for name in await send(self._link.client, _subject(entry), messages, ACK_S):
            log.error("row %s is larger than the NATS server takes (max_payload): left out of the stream", name)

    async def _in_stream(self, stream: JetStreamContext, entry: asyncpg.Record) -> set[str]:
        """Return the names that the stream has of an agent since an entry was first tried."""
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_TIME,
            opt_start_time=entry["tried_at"] - CLOCKS,
            ack_policy=AckPolicy.NONE,
            headers_only=True,
        )
        subscription = await stream.subscribe(_subject(entry), stream=STREAM, config=config, ordered_consumer=True)
        try:
            info = await subscription.consumer_info()
            names: set[str] = set()
            for _ in range((info.num_pending or 0) + (info.delivered.consumer_seq if info.delivered else 0)):
                message = await subscription.next_msg(timeout=ACK_S)
                names.add((message.headers or {}).get("Nats-Msg-Id", ""))
            return names
        finally:
            await subscription.unsubscribe()

    def _say(self, trouble: str) -> None:
        if trouble and not self._trouble:
            log.warning("the stream does not take rows (they stay stored and follow later): %s", trouble)
        elif self._trouble and not trouble:
            log.info("the stream takes rows again")
        self._trouble = trouble


def _subject(entry: asyncpg.Record) -> str:
    return f"dca.stored.{entry['site']}.{entry['agent_id']}"

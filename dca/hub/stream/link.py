"""The hub's connection to NATS: made in the background, kept up, and talked about once per change of state."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

if TYPE_CHECKING:
    from nats.js.client import JetStreamContext

    from dca.hub.engines.nats_auth import NatsLogin
    from dca.model import Secret

__all__ = ["AWAY", "STREAM", "SUBJECTS", "Link", "ensure_stream"]

log = logging.getLogger(__name__)

STREAM = "DCA_STORED"
SUBJECTS = "dca.stored.>"
MAX_BYTES = 1 << 30
MAX_AGE_S = 7 * 86400.0
DUPLICATE_WINDOW_S = 300.0
AWAY = (NatsError, OSError, TimeoutError)
"""What a NATS server that is away or unwilling raises."""


class Link:
    """One connection for the publisher and the page; `ready` waits until it is up."""

    def __init__(self, url: Secret, login: NatsLogin | None = None) -> None:
        """`login` is how to sign in where the address does not say it."""
        self._url = url
        self._login = login
        self.client = Client()
        self._connecting: asyncio.Task[None] | None = None
        self._up = asyncio.Event()
        self._was_up = False
        self._told = False

    @property
    def is_up(self) -> bool:
        """Tell whether the server answers now."""
        return self.client.is_connected

    def open(self) -> None:
        """Begin to connect; never fails, for the hub works without NATS."""
        self._connecting = asyncio.create_task(self._connect(), name="connect to NATS")

    async def _connect(self) -> None:
        try:
            await self._connect_once()
        except Exception as error:  # noqa: BLE001 - the library raises of its own kinds for an address it cannot read
            log.error("--nats-url cannot be used (%s); readings are stored all the same", type(error).__name__)  # noqa: TRY400 - the address holds a secret
            return
        self._was_up = True
        self._up.set()
        log.info("connected to NATS")

    async def _connect_once(self) -> None:
        login: dict[str, Any] = {}
        if (own := self._login) is not None:
            login = {"user_jwt_cb": own.jwt.encode, "signature_cb": own.sign}
        await self.client.connect(
            servers=self._url.reveal().split(","),
            name="dca hub",
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            connect_timeout=3,
            ping_interval=20,
            error_cb=self._failed,
            disconnected_cb=self._went,
            reconnected_cb=self._came,
            **login,
        )

    async def _failed(self, error: Exception) -> None:
        if not self._was_up and not self._told:
            self._told = True
            log.warning(
                "NATS does not answer (%s): trying on; readings are stored all the same, and the stream follows",
                str(error) or type(error).__name__,
            )
        log.debug("NATS: %s", str(error) or type(error).__name__)

    async def _went(self) -> None:
        if self._up.is_set():
            self._up.clear()
            log.warning("NATS is away; readings are stored all the same, the stream follows when it is back")

    async def _came(self) -> None:
        self._up.set()
        log.info("NATS is back")

    async def ready(self) -> JetStreamContext:
        """Wait until the server answers."""
        await self._up.wait()
        return self.client.jetstream(timeout=5)

    async def close(self) -> None:
        """Let the connection go."""
        if self._connecting is not None:
            self._connecting.cancel()
            with contextlib.suppress(asyncio.CancelledError, *AWAY):
                await self._connecting
        self._up.clear()
        if self._was_up:
            with contextlib.suppress(*AWAY):
                await self.client.close()


async def ensure_stream(stream: JetStreamContext) -> None:
    """Make the stream where it is missing; one that an operator made is left as it is."""
    try:
        await stream.stream_info(STREAM)
    except NotFoundError:
        await stream.add_stream(
            StreamConfig(
                name=STREAM,
                subjects=[SUBJECTS],
                retention=RetentionPolicy.LIMITS,
                storage=StorageType.FILE,
                discard=DiscardPolicy.OLD,
                max_bytes=MAX_BYTES,
                max_age=MAX_AGE_S,
                duplicate_window=DUPLICATE_WINDOW_S,
            )
        )

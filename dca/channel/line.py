"""One connection to the broker as the event loop sees it; which kind of loop does not matter."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from dca.channel.reasons import LineError, stalled
from dca.channel.threads import in_thread
from dca.channel.worker import Message, Worker

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from dca.channel.terms import Login, Route, Topics
    from dca.net.connect import Dial

__all__ = ["Line"]

_PATIENCE = 0.4
"""Seconds for a farewell, and again for the thread to end."""


class Line:
    """A connection, made for one use: `open` it, take `messages` and tell when each is `done`, watch `ended`, `close`.

    Raises ChannelError when the password cannot be made.
    """

    def __init__(
        self,
        route: Route,
        login: Login,
        topics: Topics,
        dial: Dial,
        tls: Callable[[], ssl.SSLContext],
        *,
        keepalive: int,
    ) -> None:
        self.messages: asyncio.Queue[Message] = asyncio.Queue()
        self._route = route
        self._dial = dial
        self._loop = asyncio.get_running_loop()
        self._up: asyncio.Future[None] = self._loop.create_future()
        self._worker = Worker(
            route,
            login,
            topics,
            dial,
            tls,
            keepalive=keepalive,
            on_up=lambda: self._tell(self._set_up),
            on_message=lambda message: self._tell(lambda: self.messages.put_nowait(message)),
        )
        self.ended: asyncio.Future[LineError] = in_thread(self._worker.run, f"channel {route.name}")
        """Settled with the reason when the connection has ended, and its thread with it."""

    async def open(self, within: float) -> None:
        """Wait until the subscription is confirmed.

        Raises LineError when it is not within so many seconds.
        """
        either: set[asyncio.Future[Any]] = {self._up, self.ended}
        await asyncio.wait(either, timeout=within, return_when=asyncio.FIRST_COMPLETED)
        if self._up.done():
            return
        raise self.ended.result() if self.ended.done() else stalled(self._route, self._worker.phase, within)

    def done(self, message: Message, *, kept: bool) -> None:
        """Acknowledge a message that is kept; one that is not comes again with a later connection."""
        self._worker.request(lambda: self._worker.done(message, kept=kept))

    async def close(self, *, farewell: bool = False) -> None:
        """End the connection, in less than a second; with a `farewell` the status topic hears of it."""
        if self.ended.done():
            return
        if self._worker.phase == "up":
            self._worker.request(lambda: self._worker.leave(farewell=farewell))
            await asyncio.wait({self.ended}, timeout=_PATIENCE)
        self._dial.stop()
        await asyncio.wait({self.ended}, timeout=_PATIENCE)

    def _set_up(self) -> None:
        if not self._up.done():
            self._up.set_result(None)

    def _tell(self, act: Callable[[], None]) -> None:
        """Call `act` in the event loop."""
        with contextlib.suppress(RuntimeError):  # it has ended meanwhile; nobody waits
            self._loop.call_soon_threadsafe(act)

"""The engine for asyncio: it runs in a thread of its own, so that it works on every event loop and stalls none.

    async with SnmpClient(allowed=ranges.allows) as client:
        name = await client.converse(peer, name_of(peer))

Conversations run in the engine's thread; only their results cross over, many at a time.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar

from dca.errors import SnmpError
from dca.snmp.budget import Budget
from dca.snmp.engine import Done, Engine, growing_waits
from dca.snmp.sockets import UdpWire

if TYPE_CHECKING:
    from collections.abc import Callable

    from dca.snmp.types import Conversation, Peer

__all__ = ["Probe", "SnmpClient"]

T = TypeVar("T")
_WINDOW = 8192
"""Probes that are under way at once: some 10 MB."""
_IDLE = 60.0
"""Seconds that the thread sleeps when nothing is to be done; it is woken when something is."""


class SnmpClient:
    """Talks to many devices at once. An async context manager; one per process is enough.

    `allowed` decides whether an address and port may be contacted at all. `timeout` (seconds) is the first try's;
    `retries` more follow, each waiting longer. `in_flight` devices are talked to at once, less when the system's
    receive buffer is small. The two packet rates are limits of the whole client and of each /24; 0 is none.
    """

    def __init__(
        self,
        *,
        allowed: Callable[[str, int], bool],
        timeout: float = 1.0,
        retries: int = 2,
        in_flight: int = 64,
        packets_per_second: float = 1000,
        packets_per_second_per_24: float = 200,
        clock: Callable[[], float] = time.monotonic,
        wire: UdpWire | None = None,
    ) -> None:
        self._wire = wire or UdpWire()
        self.clock = clock
        self.timeout = timeout
        self.retries = retries
        self._engine = Engine(
            self._wire,
            allowed=allowed,
            clock=clock,
            random_id=lambda: secrets.randbits(31),
            waits=growing_waits(timeout, retries),
            in_flight=min(in_flight, self._wire.in_flight_limit),
            budget=Budget(packets_per_second, packets_per_second_per_24),
        )
        self._calls: deque[Callable[[], None]] = deque()
        self._results: deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopping = False

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="snmp", daemon=True)
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopping = True
        self._wire.wake()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)
        self._deliver()
        self._wire.close()

    async def converse(self, peer: Peer, conversation: Conversation[T], *, waits: tuple[float, ...] | None = None) -> T:
        """Run the conversation with the device and return its result.

        `waits` (seconds, one per try) replaces the client's patience for this conversation.

        Raises:
            SnmpError: as the conversation lets it through.
            NotAllowedError: the address is outside the ranges; nothing was sent.
        """
        assert self._loop is not None, "the client is used as an async context manager"
        future: asyncio.Future[T] = self._loop.create_future()
        done = self._done(future)
        self._call(lambda: self._engine.submit(peer, conversation, done, waits))
        try:
            return await future
        except asyncio.CancelledError:
            self._call(lambda: self._engine.cancel(done))
            raise

    async def probe_each(self, source: Callable[[], Probe | None], finished: Callable[[], None]) -> None:
        """Run very many short conversations, most of them in vain, some thousands at a time.

        `source` is asked for the next whenever there is room; None means that there is none now, and with none
        running that it is over. `finished` is called after each. Both are called in the engine's thread.
        Results are what the conversations themselves keep. This is how a sweep of 65,536 addresses stays small.
        """
        assert self._loop is not None, "the client is used as an async context manager"
        future: asyncio.Future[None] = self._loop.create_future()
        feeder = _Feeder(self._engine, source, finished, self._done(future))
        self._call(feeder.feed)
        try:
            await future
        except asyncio.CancelledError:
            self._call(feeder.stop)
            raise

    def _done(self, future: asyncio.Future[Any]) -> Done:
        def done(result: object, error: BaseException | None) -> None:
            self._results.append((future, result, error))
            if len(self._results) == 1:
                self._ring()

        return done

    def _ring(self) -> None:
        assert self._loop is not None
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        while self._results:
            future, result, error = self._results.popleft()
            if future.done():
                continue
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)

    def _call(self, what: Callable[[], None]) -> None:
        self._calls.append(what)
        self._wire.wake()

    def _run(self) -> None:
        engine = self._engine
        while not self._stopping:
            while self._calls:
                self._calls.popleft()()
            engine.poll(_IDLE)
        engine.cancel_all(SnmpError("the agent is stopping"))


class Probe(NamedTuple):
    """A short conversation with an address that may not exist; `waits` as in the engine."""

    peer: Peer
    conversation: Conversation[None]
    waits: tuple[float, ...]


class _Feeder:
    """Keeps the engine supplied with probes, and notices the end."""

    def __init__(
        self, engine: Engine, source: Callable[[], Probe | None], finished: Callable[[], None], done: Done
    ) -> None:
        self._engine = engine
        self._source = source
        self._finished = finished
        self._done = done
        self._running = 0
        self._stopped = False

    def feed(self) -> None:
        """Submit as many as there is room for."""
        while self._running < _WINDOW and not self._stopped:
            following = self._source()
            if following is None:
                break
            self._running += 1
            self._engine.probe(following.peer, following.conversation, self._ended, following.waits)
        if not self._running:
            self._done(None, None)

    def stop(self) -> None:
        """Take nothing more, and end what is under way."""
        self._stopped = True
        self._engine.cancel(self._ended)

    def _ended(self, _result: object, _error: BaseException | None) -> None:
        self._running -= 1
        self._finished()
        self.feed()

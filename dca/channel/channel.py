"""The channel: connects, stays, hands each message over, acknowledges it when it is kept, and comes back."""

from __future__ import annotations

import asyncio
import logging
import random as _random
import time
from typing import TYPE_CHECKING, Any

from dca.channel.intake import Intake
from dca.channel.line import Line
from dca.channel.pace import Pace, Ways
from dca.channel.probe import answers
from dca.channel.reach import make_dial
from dca.channel.reasons import LineError, taken
from dca.channel.terms import Limits, State
from dca.errors import ChannelError, DcaError
from dca.net.dns import SystemResolver

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Sequence

    from dca.channel.terms import Login, Route, Topics
    from dca.net.dns import Resolver

__all__ = ["Channel"]

KEEPALIVE = 60
"""Seconds: below what NAT routers forget a connection after."""


async def _nothing() -> None:
    pass


class Channel:
    """Listens for tasks at the broker until it is cancelled; a state that is down is no error.

    `on_message` commits a message to disk and returns; only then the broker hears that it arrived. Where it raises,
    the message comes again. `on_up` is awaited beside that each time the subscription stands. `tls` is called in a
    thread, for each connection. `routes` are in the order of preference.
    """

    def __init__(
        self,
        routes: Sequence[Route],
        login: Login,
        topics: Topics,
        *,
        tls: Callable[[], ssl.SSLContext],
        on_message: Callable[[bytes], Awaitable[None]],
        on_up: Callable[[], Awaitable[None]] = _nothing,
        keepalive: float = KEEPALIVE,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        resolver: Resolver | None = None,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = _random.random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        log: logging.Logger | None = None,
    ) -> None:
        self.last_error = ""
        """Why it is down, or was the last time; empty if it never was."""
        self._login = login
        self._topics = topics
        self._tls = tls
        self._on_up = on_up
        self._keepalive = int(keepalive)
        self._limits = limits
        self._resolver = resolver or SystemResolver()
        self._clock = clock
        self._random = random
        self._sleep = sleep
        self._log = log or logging.getLogger(__name__)
        self._intake = Intake(on_message, limits.largest, self._log)
        self._ways = Ways(routes, limits.switch_after)
        self._pace = Pace(limits, random)
        self._state: State = "down"
        self._said: set[str] = set()

    @property
    def state(self) -> State:
        """Return the name of the route that it listens by, or ``down``."""
        return self._state

    async def run(self) -> None:
        """Stay connected until cancelled; then say goodbye to the broker, within a second."""
        while True:
            await self._sleep(await self._once())

    async def _once(self) -> float:
        """Connect and stay as long as it goes; return the seconds to wait."""
        route = self._ways.current
        try:
            line = await self._open(route)
        except LineError as error:
            self._fault(str(error))
            if error.refused:
                return self._pace.refused()
            self._ways.failed()
            return self._pace.failed()
        since = self._clock()
        self._up(route)
        try:
            ended = await self._stay(line)
        except BaseException:
            await line.close(farewell=True)
            raise
        finally:
            self._state = "down"
        await line.close()
        stay = self._clock() - since
        if stay >= self._limits.short_stay:
            self._said.clear()
        return 0.0 if ended is None else self._lost(route, ended, stay)

    async def _open(self, route: Route) -> Line:
        """Return a connection with its subscription confirmed. Raises LineError."""
        dial = await make_dial(route, self._resolver, self._limits.connect)
        try:
            line = Line(route, self._login, self._topics, dial, self._tls, keepalive=self._keepalive)
        except ChannelError as error:
            raise LineError(str(error), refused=True) from error
        try:
            await line.open(self._limits.connect)
        except BaseException:
            await line.close()
            raise
        return line

    async def _stay(self, line: Line) -> LineError | None:
        """Hand messages over until the connection ends (return why) or should be made anew (return None)."""
        leave = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            helpers: list[asyncio.Task[Any]] = [
                group.create_task(leave.wait()),
                group.create_task(self._take(line, leave)),
                group.create_task(self._greet()),
            ]
            if self._ways.on_fallback:
                helpers.append(group.create_task(self._look_for_first(leave)))
            if self._login.lifetime is not None:
                # Spread, so that a fleet that connected at once does not do so again.
                life = self._login.lifetime * (0.75 + self._random() / 4)
                helpers.append(group.create_task(self._later(life, leave)))
            either: set[asyncio.Future[Any]] = {line.ended, helpers[0]}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            for helper in helpers:
                helper.cancel()
        return line.ended.result() if line.ended.done() else None

    async def _greet(self) -> None:
        try:
            await self._on_up()
        except DcaError as error:
            self._log.warning("after connecting: %s", error)
        except Exception:  # noqa: BLE001 - the channel outlives a bug of its owner, and the log has it
            self._log.exception("after connecting")

    async def _take(self, line: Line, leave: asyncio.Event) -> None:
        """Hand over one message after the other."""
        again: asyncio.Task[None] | None = None
        try:
            while True:
                message = await line.messages.get()
                kept = await self._intake.keep(message.payload)
                line.done(message, kept=kept)
                if not kept and again is None:
                    again = asyncio.create_task(self._later(self._limits.again_after, leave))
        finally:
            if again is not None:
                again.cancel()

    async def _look_for_first(self, leave: asyncio.Event) -> None:
        """Wait until the preferred route answers again."""
        route = self._ways.first
        while True:
            await self._sleep(self._limits.probe_every)
            try:
                dial = await make_dial(route, self._resolver, self._limits.connect)
            except LineError:
                continue
            if await answers(route, dial, self._tls, within=self._limits.connect):
                self._ways.back()
                self._log.info("%s answers again", route)
                leave.set()
                return

    async def _later(self, seconds: float, leave: asyncio.Event) -> None:
        await self._sleep(seconds)
        leave.set()

    def _up(self, route: Route) -> None:
        self._ways.arrived()
        self._pace.arrived()
        self._state = route.name
        self._log.info("the channel is up by %s", route)

    def _lost(self, route: Route, error: LineError, stay: float) -> float:
        if error.refused:
            self._fault(str(error))
            return self._pace.refused()
        wait = self._pace.lost(stay, closed_by_broker=error.closed_by_broker)
        self._fault(taken(route, self._login.client_id) if self._pace.taken else str(error))
        return wait

    def _fault(self, message: str) -> None:
        """Keep why it is down; the log says each reason once until a connection has held for a while."""
        self.last_error = message
        if message not in self._said:
            self._said.add(message)
            self._log.warning("%s", message)

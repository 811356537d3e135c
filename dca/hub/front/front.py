"""Take TLS connections, see who comes, and pass the plain bytes on to the service within that they ask for.

gRPC says ``h2`` in ALPN and goes to gRPC; everything else on that port is MQTT over WebSocket and goes to NATS,
as does the port of MQTT over TLS. Only an agent with a certificate of this hub that is not shut out gets to NATS, and
only with its own name and token; gRPC itself decides for each call, for activation has no certificate yet.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, NamedTuple

from dca.hub.front.callers import Caller, Callers
from dca.hub.front.greeting import Greeting
from dca.hub.front.trust import agent_of
from dca.hub.listen import take
from dca.hub.settings import Address

if TYPE_CHECKING:
    import socket
    import ssl

    from dca.hub.front.revocations import Revocations, ShutOut

__all__ = ["Front", "Inner"]

log = logging.getLogger(__name__)

MOST = 20_000
"""Connections at once; more are closed as soon as their handshake ends."""
MOST_STRANGERS = 1000
"""Of them without a certificate."""
HANDSHAKE_S = 10.0
CONNECT_S = 5.0
LAST_BYTES_S = 2.0
"""For what was sent to a client before its line ended."""
CHUNK = 1 << 16
BACKLOG = 1024


class Inner(NamedTuple):
    """Where the front passes connections to, in plain text; None where there is no broker."""

    grpc: Address
    """On 127.0.0.1, for the table of callers goes by its ports."""
    strangers: Address
    """The same for who shows no certificate: what they keep busy is missing to no agent."""
    websocket: Address | None = None
    mqtt: Address | None = None


class _Way(NamedTuple):
    """Where a connection goes; `websocket` is for MQTT alone."""

    to: Address | None
    is_grpc: bool = False
    websocket: bool = False


class Front:
    """Listens for agents at `address`, and for MQTT alone at `mqtt`."""

    def __init__(self, address: Address, mqtt: Address, context: ssl.SSLContext, revoked: Revocations) -> None:
        self.callers = Callers()
        self._wanted = ((address, "agents", "--grpc"), (mqtt, "MQTT", "--mqtt"))
        self._context = context
        self._revoked = revoked
        self._sockets: list[socket.socket] = []
        self._servers: list[asyncio.Server] = []
        self._inner = Inner(Address("127.0.0.1", 0), Address("127.0.0.1", 0))
        self._lines: dict[asyncio.Task[None], Caller] = {}
        self._strangers = 0

    def bind(self) -> tuple[Address, Address]:
        """Take the two ports and return the addresses with them.

        Raises: HubError when one cannot be had.
        """
        self._sockets = [take(*wanted) for wanted in self._wanted]
        agents, mqtt = (
            Address(wanted.host, taken.getsockname()[1])
            for (wanted, _, _), taken in zip(self._wanted, self._sockets, strict=True)
        )
        return agents, mqtt

    async def start(self, inner: Inner) -> None:
        """Serve on the ports that `bind` took."""
        self._inner = inner
        self._revoked.on_fresh = self.cut
        for taken, serve in zip(self._sockets, (self._agents, self._mqtt), strict=True):
            server = await asyncio.start_server(
                serve,
                sock=taken,
                ssl=self._context,
                ssl_handshake_timeout=HANDSHAKE_S,
                backlog=BACKLOG,
                limit=CHUNK,
            )
            self._servers.append(server)

    async def stop(self) -> None:
        """Take nothing more and end every line."""
        for server in self._servers:
            server.close()
        for taken in self._sockets:
            taken.close()
        lines = list(self._lines)
        for line in lines:
            line.cancel()
        if lines:
            await asyncio.wait(lines, timeout=1.0)

    def cut(self, fresh: ShutOut) -> None:
        """End every line of those that are shut out from now on; what they begin anew is told why."""
        ended = [line for line, caller in self._lines.items() if fresh.has(caller)]
        for line in ended:
            line.cancel()
        for agent_id in fresh.agents:
            log.info("agent %s is revoked", agent_id)
        if ended:
            log.info("%d connections of agents or certificates that are shut out were cut", len(ended))

    async def _agents(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        secured: ssl.SSLObject = writer.get_extra_info("ssl_object")
        caller = _caller(writer)
        if secured.selected_alpn_protocol() == "h2":
            way = _Way(self._inner.strangers if caller.is_stranger else self._inner.grpc, is_grpc=True)
        else:
            way = _Way(self._inner.websocket, websocket=True)
        await self._line(reader, writer, caller, way)

    async def _mqtt(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._line(reader, writer, _caller(writer), _Way(self._inner.mqtt))

    def _is_welcome(self, caller: Caller, way: _Way) -> bool:
        if len(self._lines) >= MOST or (caller.is_stranger and self._strangers >= MOST_STRANGERS):
            return False
        return way.is_grpc or not (caller.is_stranger or self._revoked.out.has(caller))

    async def _line(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, caller: Caller, way: _Way
    ) -> None:
        """Carry one connection to its end."""
        line = asyncio.current_task()
        assert line is not None
        if way.to is None or not self._is_welcome(caller, way):
            writer.transport.abort()
            return
        self._lines[line] = caller
        self._strangers += caller.is_stranger
        try:
            await self._carry(reader, writer, way, way.to, caller)
            writer.close()
            async with asyncio.timeout(LAST_BYTES_S):
                await writer.wait_closed()
        except (OSError, TimeoutError, asyncio.CancelledError) as error:
            log.debug("a line of %s ended: %r", caller.source, error)
            writer.transport.abort()
        finally:
            del self._lines[line]
            self._strangers -= caller.is_stranger

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: _Way, to: Address, caller: Caller
    ) -> None:
        async with asyncio.timeout(CONNECT_S):
            inner_reader, inner = await asyncio.open_connection(to.host, to.port, limit=CHUNK)
        own_port = inner.get_extra_info("sockname")[1]
        if way.is_grpc:
            self.callers.add(own_port, caller)
            there = _pump(reader, inner)
        else:
            there = _introduce(reader, inner, caller, websocket=way.websocket)
        pumps = [asyncio.create_task(there), asyncio.create_task(_pump(inner_reader, writer))]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self.callers.remove(own_port)
            inner.transport.abort()


def _caller(writer: asyncio.StreamWriter) -> Caller:
    source = str((writer.get_extra_info("peername") or ("unknown",))[0])
    secured: ssl.SSLObject = writer.get_extra_info("ssl_object")
    named = agent_of(secured.getpeercert(binary_form=True))
    return Caller(source, *named) if named else Caller(source)


async def _introduce(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, caller: Caller, *, websocket: bool
) -> None:
    """Copy as `_pump` does, once the client has said whose session it wants, with which token; else end."""
    assert caller.agent_id is not None
    greeting = Greeting(caller.agent_id, websocket=websocket)
    try:
        async with asyncio.timeout(HANDSHAKE_S):
            while not greeting.done:
                data = await reader.read(CHUNK)
                if not data:
                    return
                writer.write(greeting.feed(data))
    except (ValueError, TimeoutError) as error:
        log.warning("agent %s at %s is not let to MQTT: %s", caller.agent_id, caller.source, error or "it says nothing")
        return
    except OSError:
        return
    await _pump(reader, writer)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy until one end closes; what was read before is sent on."""
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
        await writer.drain()

"""A broker that does what a test tells it, byte by byte, over TLS and with or without a WebSocket."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import ssl
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dca.channel import Route

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from brokers import Pki

__all__ = ["Broker", "Visitor"]

CONNECT, PUBLISH, PUBACK, SUBSCRIBE, PINGREQ, DISCONNECT = 1, 3, 4, 8, 12, 14


@dataclass
class Visitor:
    """One connection, seen from the broker."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    websocket: bool = False
    acked: list[int] = field(default_factory=list)
    published: list[tuple[str, bytes]] = field(default_factory=list)
    login: bytes = b""
    pings: int = 0
    _buffer: bytearray = field(default_factory=bytearray)

    async def upgrade(self) -> None:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        key = next(line.split(": ")[1] for line in head.splitlines() if line.lower().startswith("sec-websocket-key"))
        digest = hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()
        accept = base64.b64encode(digest).decode()
        lines = ("HTTP/1.1 101 x", "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Accept: {accept}")
        self.writer.write("\r\n".join([*lines, "", ""]).encode())
        self.websocket = True

    async def packet(self) -> tuple[int, bytes]:
        """Read one MQTT packet: its type and what follows the length."""
        first = (await self._read(1))[0]
        length = shift = 0
        while True:
            byte = (await self._read(1))[0]
            length |= (byte & 127) << shift
            shift += 7
            if not byte & 128:
                return first >> 4, await self._read(length)

    def send(self, first: int, body: bytes) -> None:
        self.writer.write(self.frame(first, body))

    def frame(self, first: int, body: bytes) -> bytes:
        rest, length = len(body), b""
        while True:
            length += bytes([rest & 127 | (128 if rest > 127 else 0)])
            rest >>= 7
            if not rest:
                break
        data = bytes([first]) + length + body
        if self.websocket:
            size = len(data)
            data = (bytes([0x82, size]) if size < 126 else b"\x82\x7f" + struct.pack("!Q", size)) + data
        return data

    def publish(self, payload: bytes, mid: int, qos: int = 1) -> None:
        self.writer.write(self.message(payload, mid, qos))

    def message(self, payload: bytes, mid: int, qos: int = 1) -> bytes:
        return self.frame(0x30 | qos << 1, b"\x00\x01t" + (struct.pack("!H", mid) if qos else b"") + payload)

    async def welcome(self, connack: int = 0, suback: int = 1) -> None:
        """Take the login and the subscription."""
        kind, self.login = await self.packet()
        assert kind == CONNECT
        self.send(0x20, bytes([0, connack]))
        if not connack:
            kind, body = await self.packet()
            assert kind == SUBSCRIBE
            self.send(0x90, body[:2] + bytes([suback]))

    async def listen(self) -> None:
        """Keep what comes until the agent goes."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                kind, body = await self.packet()
                if kind == PUBACK:
                    self.acked.append(int.from_bytes(body, "big"))
                elif kind == PINGREQ:
                    self.pings += 1
                    self.send(0xD0, b"")
                elif kind == PUBLISH:
                    end = 2 + int.from_bytes(body[:2], "big")
                    self.published.append((body[2:end].decode(), body[end + 2 :]))
                    self.send(0x40, body[end : end + 2])
                elif kind == DISCONNECT:
                    return

    async def _read(self, length: int) -> bytes:
        if not self.websocket:
            return await self.reader.readexactly(length)
        while len(self._buffer) < length:
            size = (await self.reader.readexactly(2))[1] & 127
            if size == 126:
                size = int.from_bytes(await self.reader.readexactly(2), "big")
            mask = await self.reader.readexactly(4)
            data = await self.reader.readexactly(size)
            self._buffer += bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))
        taken = bytes(self._buffer[:length])
        del self._buffer[:length]
        return taken


class Broker:
    """Serves every connection with the script of the day; `visitors` are all that came."""

    def __init__(self, script: Callable[[Visitor], Awaitable[None]]) -> None:
        self.script = script
        self.visitors: list[Visitor] = []
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def route(self, path: str | None = None) -> Route:
        return Route("wss" if path else "mqtts", "127.0.0.1", self.port, path)

    @contextlib.asynccontextmanager
    async def serving(self, pki: Pki | None) -> AsyncIterator[Broker]:
        context = None
        if pki is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pki.certificate, pki.key)
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=context)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        visitor = Visitor(reader, writer)
        self.visitors.append(visitor)
        try:
            await self.script(visitor)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()

"""The door itself: real TLS on loopback, and behind it a listener that keeps what it gets."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self
from uuid import UUID

import pytest

from dca.hub.front import Callers, Front, Inner, Revocations, ShutOut, Trust
from dca.hub.pki import Authority
from dca.hub.settings import Address
from dca.net.tls import load_key
from tests.hub.mqtt import UPGRADE, connect, frame, token
from tests.identity.fake_hub import made_identity

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from dca.identity.identity import Identity

LOCAL = Address("127.0.0.1", 0)
WHO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


class Behind:
    """A service behind the front: keeps what it gets, says it back."""

    def __init__(self) -> None:
        self.got = b""
        self.lines = 0
        self.callers: Callers | None = None
        self.seen: list[object] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.lines += 1
        with contextlib.suppress(OSError):
            while data := await reader.read(4096):
                if self.callers is not None:
                    self.seen.append(self.callers.of(f"ipv4:127.0.0.1:{writer.get_extra_info('peername')[1]}"))
                self.got += data
                writer.write(data)
        writer.close()


class Door:
    """A front with four services behind it."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder)
        self.authority.ensure([], datetime.now(UTC))
        self.folder = folder
        self.revoked = Revocations("unused")
        trust = Trust(self.authority.server_pair, self.authority.ca_file.read_bytes())
        self.front = Front(LOCAL, LOCAL, trust.context, self.revoked)
        self.grpc, self.strangers, self.websocket, self.mqtt = Behind(), Behind(), Behind(), Behind()
        self.grpc.callers = self.strangers.callers = self.front.callers
        self.ports: tuple[int, int] = (0, 0)
        self._servers: list[asyncio.Server] = []
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Self:
        behind = (self.grpc, self.strangers, self.websocket, self.mqtt)
        self._servers = [await asyncio.start_server(one.serve, "127.0.0.1", 0) for one in behind]
        inner = [Address("127.0.0.1", server.sockets[0].getsockname()[1]) for server in self._servers]
        agents, mqtt = self.front.bind()
        self.ports = agents.port, mqtt.port
        await self.front.start(Inner(*inner))
        return self

    async def __aexit__(self, *_: object) -> None:
        for writer in self._writers:
            writer.transport.abort()
        await self.front.stop()
        for server in self._servers:
            server.close()
            await server.wait_closed()
        await asyncio.sleep(0)

    async def connect(self, port: int, context: ssl.SSLContext | None) -> Line:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        self._writers.append(writer)
        return Line(reader, writer)

    async def come(self, identity: Identity | None, *alpn: str, mqtt: bool = False) -> Line:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(str(self.authority.ca_file))
        if identity is not None:
            load_key(context, identity.key.reveal().encode(), identity.chain.encode())
        context.set_alpn_protocols(list(alpn))
        return await self.connect(self.ports[mqtt], context)


class Line:
    """A client's connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def says(self, data: bytes) -> bytes:
        """Return as many bytes as were sent, fewer where the connection ends before."""
        with contextlib.suppress(OSError):
            self.writer.write(data)
            async with asyncio.timeout(10):
                return await self.reader.readexactly(len(data))
        return b""

    async def ended(self) -> bool:
        async with asyncio.timeout(10):
            with contextlib.suppress(OSError):
                return await self.reader.read(1) == b""
            return True


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with Door(tmp_path) as made:
        yield made


def hello(identity: Identity) -> bytes:
    return connect(identity.agent_id, token(identity.agent_id))


async def talks(line: Line, data: bytes) -> bool:
    try:
        return await line.says(data) == data
    except asyncio.IncompleteReadError:
        return False


async def test_grpc_is_open_to_everybody_knows_who_comes_and_keeps_strangers_apart(door: Door) -> None:
    agent = made_identity(door.folder)
    for identity in (None, agent):
        assert await talks(await door.come(identity, "h2"), WHO)
    (stranger,), (known,) = door.strangers.seen, door.grpc.seen
    assert (stranger.source, stranger.agent_id) == ("127.0.0.1", None)
    assert (known.agent_id, known.serial) == (UUID(agent.agent_id), f"{agent.certificate.serial_number:x}")


async def test_strangers_who_stay_take_no_agents_place(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dca.hub.front.front.MOST_STRANGERS", 1)
    first = await door.come(None, "h2")
    assert await talks(first, WHO)
    assert await (await door.come(None, "h2")).ended()
    assert await talks(await door.come(made_identity(door.folder), "h2"), WHO)
    first.writer.close()
    async with asyncio.timeout(10):
        while not await talks(await door.come(None, "h2"), WHO):
            pass


async def test_mqtt_is_for_agents_by_both_ways(door: Door) -> None:
    agent = made_identity(door.folder)
    assert await talks(await door.come(agent, mqtt=True), hello(agent))
    assert await talks(await door.come(agent, "http/1.1"), UPGRADE + frame(hello(agent)))
    assert door.mqtt.got == hello(agent)
    assert door.websocket.got == UPGRADE + frame(hello(agent))


@pytest.mark.parametrize("mqtt", [True, False])
async def test_without_a_certificate_not_a_byte_gets_to_the_broker(door: Door, mqtt: bool) -> None:
    agent = made_identity(door.folder)
    line = await door.come(None, mqtt=mqtt)
    assert not await talks(line, hello(agent) if mqtt else UPGRADE)
    assert door.mqtt.lines == door.websocket.lines == 0


@pytest.mark.parametrize("mqtt", [True, False])
async def test_a_certificate_of_another_ca_ends_the_handshake(door: Door, tmp_path: Path, mqtt: bool) -> None:
    (tmp_path / "other").mkdir()
    stranger = made_identity(tmp_path / "other")
    for alpn in ("h2", "http/1.1"):
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            line = await door.come(stranger, alpn, mqtt=mqtt)
            assert await line.ended()
    assert door.grpc.lines == door.strangers.lines == door.mqtt.lines == door.websocket.lines == 0


async def test_the_hubs_own_certificate_is_no_agents(door: Door) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(str(door.authority.ca_file))
    load_key(context, *door.authority.server_pair())
    with contextlib.suppress(ssl.SSLError, ConnectionError):
        assert await (await door.connect(door.ports[1], context)).ended()
    assert door.mqtt.lines == 0


@pytest.mark.parametrize("mqtt", [True, False])
async def test_an_agent_does_not_get_anothers_session_or_use_anothers_token(door: Door, mqtt: bool) -> None:
    thief, other = made_identity(door.folder), made_identity(door.folder)
    for greeting in (
        connect(thief.agent_id, token(other.agent_id)),
        connect(other.agent_id, token(thief.agent_id)),
        hello(other),
    ):
        line = await door.come(thief, mqtt=mqtt)
        assert not await talks(line, greeting if mqtt else UPGRADE + frame(greeting))
    assert door.mqtt.got == b""
    assert door.websocket.got.replace(UPGRADE, b"") == b""


async def test_whoever_is_shut_out_is_cut_at_once_and_others_stay(door: Door) -> None:
    revoked, replaced, well = (made_identity(door.folder) for _ in range(3))
    lines = {}
    for identity in (revoked, replaced, well):
        lines[identity.agent_id] = [await door.come(identity, mqtt=True), await door.come(identity, "h2")]
        assert await talks(lines[identity.agent_id][0], hello(identity))
        assert await talks(lines[identity.agent_id][1], WHO)
    out = ShutOut(frozenset([UUID(revoked.agent_id)]), frozenset([f"{replaced.certificate.serial_number:x}"]))
    door.revoked._take(out)
    for identity in (revoked, replaced):
        for line in lines[identity.agent_id]:
            assert await line.ended()
        assert await (await door.come(identity, mqtt=True)).ended()
        assert await talks(await door.come(identity, "h2"), WHO)  # to be told why
    for line in lines[well.agent_id]:
        assert await talks(line, b"still here")
    door.revoked._take(ShutOut())
    assert await talks(await door.come(revoked, mqtt=True), hello(revoked))


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dca.hub.front.front.HANDSHAKE_S", 0.2)


@pytest.mark.usefixtures("hurried")
async def test_whoever_does_not_finish_the_handshake_is_closed(tmp_path: Path) -> None:
    async with Door(tmp_path) as door:
        for port in door.ports:
            for first in (b"", b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\n\r\n", b"\x10\x10\x00\x04MQTT\x04"):
                line = await door.connect(port, None)
                line.writer.write(first)
                assert await line.ended()


@pytest.mark.usefixtures("hurried")
async def test_whoever_does_not_log_in_is_closed(door: Door) -> None:
    agent = made_identity(door.folder)
    assert await (await door.come(agent, mqtt=True)).ended()
    slow = await door.come(agent, "http/1.1")
    slow.writer.write(UPGRADE + frame(hello(agent))[:20])
    assert await slow.reader.readexactly(len(UPGRADE)) == UPGRADE
    assert await slow.ended()
    assert door.websocket.got == UPGRADE


async def test_more_than_there_is_room_for_are_closed(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await door.come(None, "h2")
    assert await talks(first, WHO)
    monkeypatch.setattr("dca.hub.front.front.MOST", 1)
    assert await (await door.come(None, "h2")).ended()
    assert await talks(first, b"still here")


async def test_old_tls_is_refused(door: Door) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.open_connection("127.0.0.1", door.ports[0], ssl=context)


def test_only_what_the_front_has_made_is_known() -> None:
    callers = Callers()
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        port = line.getsockname()[1]
        for peer in (f"ipv4:127.0.0.1:{port}", "unix:", f"ipv6:[::1]:{port}", "ipv4:127.0.0.1:x", ""):
            assert callers.of(peer) is None

"""ICMP echo over IPv4 and IPv6 (RFC 792, RFC 4443): the socket, the packets, and one echo after another.

Where the system lets an ordinary user ping (Linux: net.ipv4.ping_group_range) a datagram socket is used, else a
raw one. Both are connected to the one address, so that nothing else is sent to and nothing else is heard.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Self

from dca.net.ports import place_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

__all__ = ["MAX_SIZE", "MIN_SIZE", "Echo", "IcmpSocket", "Patience", "ping"]

MIN_SIZE, MAX_SIZE = 16, 1400
"""Octets after the ICMP header: from what the token takes, to what no usual network splits."""
_TOKEN = 12
_REQUEST = {4: 8, 6: 128}
_REPLY = {4: 0, 6: 129}
_UNREACHABLE = {4: 3, 6: 1}
_HEADER = struct.Struct("!BBHHH")
_LARGEST = 65535
_NOT_ALLOWED = (
    "ICMP echo is not allowed for this user; an administrator has to allow one of the two: "
    "sysctl net.ipv4.ping_group_range='0 2147483647' (IPv6 follows it), "
    "or in the [Service] part of the unit AmbientCapabilities=CAP_NET_RAW, CapabilityBoundingSet=CAP_NET_RAW and "
    "PrivateUsers=no"
)


class Echo(NamedTuple):
    """What became of one request."""

    milliseconds: float | None
    """None: nothing came back in time."""
    said: str = ""
    """What came instead of an answer, e.g. "no route to host"."""


@dataclass(frozen=True)
class Patience:
    """Seconds: how long to wait for each answer, and from one request to the next."""

    timeout: float = 2.0
    interval: float = 1.0


class IcmpSocket:
    """A socket for ICMP echo with one address (a literal; IPv6 with its zone). A context manager.

    Raises:
        PermissionError: neither kind of socket is allowed; it says what an administrator has to allow.
        OSError: the address cannot be reached from here.
    """

    def __init__(self, address: str, entropy: Callable[[int], bytes] = os.urandom) -> None:
        self.version = 6 if ":" in address else 4
        self.raw = False
        self.socket = self._open()
        self._token = entropy(_TOKEN)
        self._id = int.from_bytes(entropy(2), "big")
        try:
            self.socket.setblocking(False)
            self.socket.connect(place_of(address, 0)[1])
        except BaseException:
            self.socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def _open(self) -> socket.socket:
        four = self.version == 4  # noqa: PLR2004 - the version's own number
        family = socket.AF_INET if four else socket.AF_INET6
        protocol = socket.IPPROTO_ICMP if four else socket.IPPROTO_ICMPV6
        with suppress(OSError):
            return socket.socket(family, socket.SOCK_DGRAM, protocol)
        self.raw = True
        try:
            return socket.socket(family, socket.SOCK_RAW, protocol)
        except PermissionError:
            raise PermissionError(_NOT_ALLOWED) from None

    def request(self, sequence: int, size: int = 56) -> bytes:
        """Return an echo request; `sequence` is 0 to 65535, `size` the octets after the header."""
        body = (self._token + sequence.to_bytes(2, "big")).ljust(size, b".")
        kind = _REQUEST[self.version]
        return (
            _HEADER.pack(kind, 0, _checksum(_HEADER.pack(kind, 0, 0, self._id, sequence) + body), self._id, sequence)
            + body
        )

    def answered(self, packet: bytes) -> int | None:
        """Return the sequence number that a packet answers; None when it is no answer to this socket's requests."""
        icmp = self._without_ip(packet)
        if not icmp or icmp[0] != _REPLY[self.version]:
            return None
        return self.sequence_in(icmp[_HEADER.size :])

    def sequence_in(self, body: bytes) -> int | None:
        """Return the sequence number in the body of one of our requests; None when it is another's."""
        if not body.startswith(self._token) or len(body) < MIN_SIZE:
            return None
        return int.from_bytes(body[_TOKEN : _TOKEN + 2], "big")

    def unreachable(self, packet: bytes) -> bool:
        """Tell whether a packet (of a raw socket) says that one of our requests cannot be delivered."""
        icmp = self._without_ip(packet)
        return bool(icmp) and icmp[0] == _UNREACHABLE[self.version] and self._token in icmp

    def _without_ip(self, packet: bytes) -> bytes:
        """Return a packet less the IPv4 header that raw sockets, and macOS, put before it."""
        if self.version == 4 and packet and packet[0] >> 4 == 4 and len(packet) > 20:  # noqa: PLR2004 - RFC 791
            return packet[(packet[0] & 0x0F) * 4 :]
        return packet


def _checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071); for IPv6 and datagram sockets the kernel puts its own in."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


async def ping(
    link: IcmpSocket,
    count: int,
    size: int,
    patience: Patience,
    *,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    heard: Callable[[int, Echo], None] = lambda _number, _echo: None,
) -> list[Echo]:
    """Send `count` requests, one after another, and return what became of each; `heard` is told of each at once.

    `clock` is monotonic seconds.
    """
    found: list[Echo] = []
    for sequence in range(count):
        began = clock()
        found.append(await _one(link, sequence, size, patience.timeout, clock))
        heard(sequence, found[-1])
        rest = patience.interval - (clock() - began)
        if sequence + 1 < count and rest > 0:
            await pause(rest)
    return found


async def _one(link: IcmpSocket, sequence: int, size: int, seconds: float, clock: Callable[[], float]) -> Echo:
    loop = asyncio.get_running_loop()
    sent = clock()
    try:
        async with asyncio.timeout(seconds):
            await loop.sock_sendall(link.socket, link.request(sequence, size))
            while True:
                packet = await loop.sock_recv(link.socket, _LARGEST)
                if link.answered(packet) == sequence:
                    return Echo((clock() - sent) * 1000)
                if link.raw and link.unreachable(packet):
                    return Echo(None, "destination unreachable")
    except TimeoutError:
        return Echo(None)
    except OSError as error:  # no route, or an ICMP error that the kernel tells of
        return Echo(None, (error.strerror or str(error)).lower())

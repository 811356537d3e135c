"""The way to an address, hop by hop: echo requests with growing TTL, and which router sent each back (Linux).

Every request is addressed to the one address. Linux hands the routers' "time exceeded" to the very socket that
asked, in its error queue (ip(7), IP_RECVERR), for datagram and raw sockets alike.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from dca.net.icmp import IcmpSocket

__all__ = ["MOST_HOPS", "Hop", "trace"]

MOST_HOPS = 30
_PROBES = 3
_RECVERR = {4: (socket.IPPROTO_IP, 11), 6: (socket.IPPROTO_IPV6, 25)}
"""IP_RECVERR and IPV6_RECVERR, which Python does not name."""
_TTL = {4: (socket.IPPROTO_IP, socket.IP_TTL), 6: (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS)}
_ERROR = struct.Struct("=IBBBBII")
"""struct sock_extended_err: errno, origin, type, code, pad, info, data."""
_TIME_EXCEEDED = {4: 11, 6: 3}
_LARGEST = 2048
_HEADER = 8
"""Octets of an ICMP echo's header."""


@dataclass
class Hop:
    """What came back with one TTL."""

    ttl: int
    routers: list[str] = field(default_factory=list)
    """Who answered; more than one where the way splits. Empty: silence."""
    milliseconds: list[float] = field(default_factory=list)
    reached: bool = False
    """The address itself answered."""
    blocked: bool = False
    """A router said that it cannot deliver."""


async def trace(
    link: IcmpSocket,
    address: str,
    *,
    hops: int = MOST_HOPS,
    patience: float = 1.0,
    clock: Callable[[], float] = time.monotonic,
    heard: Callable[[Hop], None] = lambda _hop: None,
) -> list[Hop]:
    """Return the hops up to the address, or to where the way ends: three probes each, `patience` seconds for the three.

    `heard` is told of each hop at once; `clock` is monotonic seconds.

    Raises:
        NotImplementedError: this system has no error queue.
    """
    if not sys.platform.startswith("linux"):
        raise NotImplementedError("the way to a device is traced on Linux only")
    link.socket.setsockopt(*_RECVERR[link.version], 1)
    found: list[Hop] = []
    for ttl in range(1, hops + 1):
        link.socket.setsockopt(*_TTL[link.version], ttl)
        hop = await _Round(link, address, ttl, clock).run(patience)
        found.append(hop)
        heard(hop)
        if hop.reached or hop.blocked:
            break
    return found


class _Round:
    """The probes of one TTL, and what came back of them."""

    def __init__(self, link: IcmpSocket, address: str, ttl: int, clock: Callable[[], float]) -> None:
        self._link = link
        self._address = address
        self._clock = clock
        self._sent: dict[int, float] = {}
        self._hop = Hop(ttl)

    async def run(self, patience: float) -> Hop:
        """Send the probes and take what comes for so many seconds."""
        for number in range(_PROBES):
            self._send(self._hop.ttl * _PROBES + number)
        ready = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(self._link.socket, ready.set)
        try:
            async with asyncio.timeout(patience):
                while self._sent:
                    await ready.wait()
                    ready.clear()
                    self._take_all()
        except TimeoutError:
            pass
        finally:
            loop.remove_reader(self._link.socket)
        return self._hop

    def _send(self, sequence: int) -> None:
        self._sent[sequence] = self._clock()
        for _ in range(2):  # the first may only bring the error of the probe before
            with suppress(OSError):
                self._link.socket.send(self._link.request(sequence))
                return

    def _take_all(self) -> None:
        """Take everything that is there: errors of routers, then answers."""
        with suppress(BlockingIOError):
            while True:
                body, ancillary, _, _ = self._link.socket.recvmsg(_LARGEST, _LARGEST, socket.MSG_ERRQUEUE)
                self._take_error(body, ancillary)
        while True:
            try:
                packet = self._link.socket.recv(_LARGEST)
            except BlockingIOError:
                return
            except OSError:  # the error that was just read
                continue
            sequence = self._link.answered(packet)
            began = None if sequence is None else self._sent.pop(sequence, None)
            if began is not None:
                self._hop.reached = True
                self._note(self._address, began)

    def _take_error(self, quoted: bytes, ancillary: list[tuple[int, int, bytes]]) -> None:
        began = self._sent.pop(_sequence_of(self._link, quoted), None)
        if began is None:
            return
        version = self._link.version
        for level, kind, data in ancillary:
            if (level, kind) == _RECVERR[version] and len(data) >= _ERROR.size:
                icmp_type = _ERROR.unpack_from(data)[2]
                self._note(_offender(data[_ERROR.size :]), began)
                self._hop.blocked = self._hop.blocked or icmp_type != _TIME_EXCEEDED[version]

    def _note(self, router: str, began: float) -> None:
        if router and router not in self._hop.routers:
            self._hop.routers.append(router)
        self._hop.milliseconds.append((self._clock() - began) * 1000)


def _sequence_of(link: IcmpSocket, quoted: bytes) -> int:
    """Return the sequence number of a request that an error quotes; old routers quote eight octets only."""
    sequence = link.sequence_in(quoted[_HEADER:])
    if sequence is not None:
        return sequence
    return int.from_bytes(quoted[6:8], "big") if len(quoted) == _HEADER else -1


def _offender(place: bytes) -> str:
    """Return the address in a sockaddr; "" when there is none."""
    family = int.from_bytes(place[:2], sys.byteorder)
    if family == socket.AF_INET:
        return socket.inet_ntop(family, place[4:8])
    if family == socket.AF_INET6:
        return socket.inet_ntop(family, place[8:24])
    return ""

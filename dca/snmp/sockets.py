"""The UDP sockets of the engine: one per address family, made when first used, none of them listening to strangers.

They are unconnected, for one socket serves every device; what is no answer is dropped by the engine.
"""

from __future__ import annotations

import contextlib
import selectors
import socket

__all__ = ["UdpWire"]

_BUFFER = 4 << 20
"""Receive buffer asked for, octets: the kernel's default drops answers from some 128 devices in flight up."""
_PER_DEVICE = 3328
"""Octets of the buffer that one answer may take up in the kernel's books."""
_DATAGRAM = 65535


class UdpWire:
    """Sends and receives datagrams; `wake()` ends a `wait` from another thread."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._bell, self._ear = socket.socketpair()
        self._ear.setblocking(False)
        self._bell.setblocking(False)
        self._selector.register(self._ear, selectors.EVENT_READ)
        self._four = self._open(socket.AF_INET)
        self._six: socket.socket | None = None
        self._recv_four = self._four.recvfrom

    def _open(self, family: socket.AddressFamily) -> socket.socket:
        made = socket.socket(family, socket.SOCK_DGRAM)
        made.setblocking(False)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        for option in (socket.SO_RCVBUF, getattr(socket, "SO_RCVBUFFORCE", 33)):  # force: as root past rmem_max
            with contextlib.suppress(OSError):
                made.setsockopt(socket.SOL_SOCKET, option, _BUFFER)
        self._selector.register(made, selectors.EVENT_READ)
        return made

    @property
    def in_flight_limit(self) -> int:
        """Return how many answers the receive buffer holds at once."""
        return max(16, self._four.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // _PER_DEVICE)

    def send(self, data: bytes, address: str, port: int) -> None:
        """Send one datagram.

        Raises:
            OSError: it cannot leave this machine.
        """
        if ":" not in address:
            self._four.sendto(data, (address, port))
            return
        if self._six is None:
            self._six = self._open(socket.AF_INET6)
        host, _, zone = address.partition("%")
        scope = 0
        if zone:
            scope = int(zone) if zone.isdigit() else socket.if_nametoindex(zone)
        self._six.sendto(data, (host, port, 0, scope))

    def receive(self) -> tuple[bytes, tuple[str, int]] | None:
        """Return the next datagram and its source, or None when there is none."""
        while True:
            try:
                return self._recv_four(_DATAGRAM)
            except BlockingIOError:
                break
            except ConnectionError:  # Windows tells of an ICMP message this way; it answers nothing
                continue
        if self._six is None:
            return None
        with contextlib.suppress(BlockingIOError, ConnectionError):
            data, source = self._six.recvfrom(_DATAGRAM)
            return data, (source[0], source[1])
        return None

    def wait(self, seconds: float) -> None:
        """Wait until a datagram is there, `wake` was called, or so long."""
        for key, _ in self._selector.select(seconds):
            if key.fileobj is self._ear:
                with contextlib.suppress(BlockingIOError):
                    while self._ear.recv(4096):
                        pass

    def wake(self) -> None:
        """End a `wait` at once; safe from any thread."""
        with contextlib.suppress(BlockingIOError):
            self._bell.send(b"\0")

    def close(self) -> None:
        """Close every socket."""
        self._selector.close()
        for one in (self._four, self._six, self._bell, self._ear):
            if one is not None:
                one.close()

"""Serve simulated devices on loopback: one UDP socket an address, one loop for all of them.

Nothing but loopback is ever bound: a simulated printer must not be mistaken for a real one.
"""

from __future__ import annotations

import heapq
import ipaddress
import selectors
import socket
import time
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING

from dca.errors import NotAllowedError
from dca.net.files import raise_file_limit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dca.sim.device import Device

__all__ = ["Server"]

_DRAIN = 64
"""Datagrams taken from one socket before the next one's turn."""
_LARGEST = 65535
_SPARE_FILES = 128
_TRIES = 20


class Server:
    """The sockets of simulated devices and the loop that answers.

    `delay` holds every answer back so many seconds, `loss` is the share of answers that get lost, drawn from
    `seed`. `port` 0 takes one that is free on all addresses.

    Raises:
        NotAllowedError: an address is not on loopback.
        OSError: an address cannot be bound.
    """

    def __init__(
        self,
        devices: Iterable[Device],
        *,
        port: int = 0,
        delay: float = 0.0,
        loss: float = 0.0,
        seed: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.devices = list(devices)
        self._delay = delay
        self._loss = loss
        self._random = Random(seed)  # noqa: S311 - losses that can be repeated, no secret
        self._clock = clock
        self._late: list[tuple[float, int, socket.socket, bytes, tuple[str, int]]] = []
        self._held = 0
        self._selector = selectors.DefaultSelector()
        self._wake_in, self._wake_out = socket.socketpair()
        self._stopping = False
        self._sockets: list[socket.socket] = []
        try:
            raise_file_limit(len(self.devices) + _SPARE_FILES)
            self.port = self._bind_all(port)
        except BaseException:
            self.close()
            raise
        for device, sock in zip(self.devices, self._sockets, strict=True):
            self._selector.register(sock, selectors.EVENT_READ, device)
        self._wake_in.setblocking(False)
        self._selector.register(self._wake_in, selectors.EVENT_READ, None)

    def _bind_all(self, port: int) -> int:
        for device in self.devices:
            if not ipaddress.ip_address(device.address).is_loopback:
                raise NotAllowedError(
                    f"{device.address} is no loopback address: simulated devices are only served on 127.0.0.0/8 and ::1"
                )
        for attempt in range(_TRIES):
            chosen = port
            try:
                for device in self.devices:
                    sock = _bound(device.address, chosen)
                    self._sockets.append(sock)
                    chosen = sock.getsockname()[1]
            except OSError:
                if port or attempt == _TRIES - 1:
                    raise
                self._close_sockets()
                continue
            return chosen
        raise AssertionError("unreachable")

    def serve(self) -> None:
        """Answer until `stop` is called, from this or another thread."""
        while not self._stopping:
            timeout = max(0.0, self._late[0][0] - self._clock()) if self._late else None
            for key, _ in self._selector.select(timeout):
                if key.data is None:
                    with suppress(BlockingIOError):
                        self._wake_in.recv(64)
                else:
                    self._drain(key.fileobj, key.data)  # type: ignore[arg-type]  # only sockets are registered
            self._send_late()

    def _drain(self, sock: socket.socket, device: Device) -> None:
        for _ in range(_DRAIN):
            try:
                datagram, sender = sock.recvfrom(_LARGEST)
            except BlockingIOError:
                return
            except OSError:
                continue  # an ICMP error of an answer that nobody waited for
            said = device.answer(datagram)
            if said is None or (self._loss and self._random.random() < self._loss):
                continue
            wait = self._delay + device.wait
            if wait > 0:
                self._held += 1
                heapq.heappush(self._late, (self._clock() + wait, self._held, sock, said, sender))
            else:
                _send(sock, said, sender)

    def _send_late(self) -> None:
        now = self._clock()
        while self._late and self._late[0][0] <= now:
            _, _, sock, said, sender = heapq.heappop(self._late)
            _send(sock, said, sender)

    def stop(self) -> None:
        """Let `serve` return; safe to call from a signal handler or another thread, and twice."""
        self._stopping = True
        with suppress(OSError):
            self._wake_out.send(b"\0")

    def close(self) -> None:
        """Close everything."""
        self._selector.close()
        self._close_sockets()
        self._wake_in.close()
        self._wake_out.close()

    def _close_sockets(self) -> None:
        for sock in self._sockets:
            sock.close()
        self._sockets.clear()


def _bound(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.bind((address, port))
    except OSError as error:
        sock.close()
        raise OSError(error.errno, f"{address}, UDP port {port}, cannot be bound: {error.strerror}") from error
    return sock


def _send(sock: socket.socket, said: bytes, sender: tuple[str, int]) -> None:
    with suppress(OSError):  # a full buffer loses the answer, as a network does
        sock.sendto(said, sender)

"""One TCP connection, directly or through a proxy's CONNECT: for threads, within a time limit, and to be stopped.

The environment has no say in it: libraries that look at it (paho at ``mqtt_proxy``) go past the customer's rules.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from typing import TYPE_CHECKING

from dca.net.hosts import join_host_port

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dca.net.proxy import Proxy

__all__ = ["Dial", "ProxyAnswerError"]

_LONGEST_HEAD = 16_384
"""Bytes of a proxy's answer to CONNECT."""
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})\b")


class ProxyAnswerError(OSError):
    """The proxy did not open the tunnel; `status` is what it answered, 0 where that was no HTTP."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Dial:
    """Opens one connection to `host` and `port`; `stop` ends it from another thread at whatever stage it is.

    `addresses` (literals) are tried in their order: those of the host, or of the proxy where there is one. The
    proxy resolves the host's name itself.
    """

    def __init__(
        self,
        host: str,
        port: int,
        addresses: Sequence[str],
        *,
        proxy: Proxy | None = None,
        timeout: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._host = host
        self._port = port
        self._addresses = addresses
        self._proxy = proxy
        self._timeout = timeout
        self._clock = clock
        self._lock = threading.Lock()
        self._handle: socket.socket | None = None
        self._stopped = False

    def open(self) -> socket.socket:
        """Return a connected socket, whose time limit is what is left of the whole. Blocks.

        Raises:
            ProxyAnswerError: the proxy opens no tunnel.
            OSError: no address could be reached, or `stop` was called. TimeoutError: not within the limit.
        """
        deadline = self._clock() + self._timeout
        failure: OSError = OSError("there is no address to connect to")
        for at, address in enumerate(self._addresses):
            share = (deadline - self._clock()) / (len(self._addresses) - at)
            try:
                return self._open(address, self._clock() + share, deadline)
            except ProxyAnswerError:
                raise
            except OSError as error:
                if self._stopped:
                    raise
                failure = error
        raise failure

    def stop(self) -> None:
        """End the connection, also one that TLS or a WebSocket stands on by now; a later `open` fails."""
        with self._lock:
            self._stopped = True
            if self._handle is not None:
                with contextlib.suppress(OSError):  # not connected yet
                    self._handle.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of what `stop` needs; the connection itself stays. To be called after an `open` that succeeded."""
        with self._lock:
            if self._handle is not None:
                self._handle.close()
                self._handle = None

    def _open(self, address: str, share: float, deadline: float) -> socket.socket:
        port = self._proxy.port if self._proxy else self._port
        family, _, _, _, place = socket.getaddrinfo(
            address, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
        )[0]
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            self._hold(sock)
            self._limit(sock, share)
            sock.connect(place)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._proxy:
                self._tunnel(sock, self._proxy, deadline)
            self._limit(sock, deadline)
        except BaseException:
            sock.close()
            self.close()
            raise
        return sock

    def _hold(self, sock: socket.socket) -> None:
        """Keep a second handle: TLS takes the socket itself away."""
        with self._lock:
            if self._stopped:
                raise ConnectionAbortedError("stopped")
            self._handle = sock.dup()

    def _limit(self, sock: socket.socket, until: float) -> None:
        left = until - self._clock()
        if left <= 0:
            raise TimeoutError("timed out")
        sock.settimeout(left)

    def _tunnel(self, sock: socket.socket, proxy: Proxy, deadline: float) -> None:
        target = join_host_port(self._host, self._port)
        lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
        authorization = proxy.authorization()
        if authorization is not None:
            lines.append(f"Proxy-Authorization: {authorization.reveal()}")
        sock.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
        head = bytearray()
        # One at a time: what follows the answer belongs to TLS.
        while not head.endswith(b"\r\n\r\n"):
            self._limit(sock, deadline)
            byte = sock.recv(1)
            if not byte or len(head) >= _LONGEST_HEAD:
                raise ProxyAnswerError(0, "the proxy closed the connection" if not byte else "the answer has no end")
            head += byte
        status = _STATUS.match(head)
        if status is None:
            raise ProxyAnswerError(0, "the answer is no HTTP")
        if not status[1].startswith(b"2"):
            raise ProxyAnswerError(int(status[1]), f"the proxy answered {int(status[1])}")

"""Whether a route leads to its broker again: TCP, TLS and a real WebSocket upgrade, without a login.

A login would throw out the connection that stands, for both bear one client id. Less than the upgrade would not do:
what lets TLS through and takes WebSockets away is why there is a fallback.
"""

from __future__ import annotations

import asyncio
import base64
import os
from typing import TYPE_CHECKING

from dca.channel.threads import in_thread
from dca.errors import DcaError
from dca.net.hosts import join_host_port

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from dca.channel.terms import Route
    from dca.net.connect import Dial

__all__ = ["answers"]

_PATIENCE = 0.4
_UPGRADED = b"HTTP/1.1 101 "


async def answers(route: Route, dial: Dial, tls: Callable[[], ssl.SSLContext], *, within: float) -> bool:
    """Tell whether `route` answers within so many seconds."""
    work = in_thread(lambda: _try(route, dial, tls), f"channel probe {route.name}")
    try:
        await asyncio.wait({work}, timeout=within)
    finally:
        dial.stop()
        await asyncio.wait({work}, timeout=_PATIENCE)
    return work.done() and work.result()


def _try(route: Route, dial: Dial, tls: Callable[[], ssl.SSLContext]) -> bool:
    try:
        sock = dial.open()
        try:
            with tls().wrap_socket(sock, server_hostname=route.host) as secured:
                return route.path is None or _upgrades(secured, route)
        finally:
            sock.close()
    except (OSError, DcaError):
        return False
    finally:
        dial.close()


def _upgrades(secured: ssl.SSLSocket, route: Route) -> bool:
    key = base64.b64encode(os.urandom(16)).decode("ascii")
    lines = (
        f"GET {route.path} HTTP/1.1",
        f"Host: {join_host_port(route.host, route.port)}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: mqtt",
    )
    secured.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
    head = b""
    while len(head) < len(_UPGRADED):
        data = secured.recv(1024)
        if not data:
            return False
        head += data
    return head.startswith(_UPGRADED)

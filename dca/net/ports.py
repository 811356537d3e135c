"""Which TCP ports of a device answer: a connection is opened and closed, and no octet is sent.

Raw printing ports are not among them: some printers print whatever a connection brings, and some a blank page for
a connection that brings nothing.
"""

from __future__ import annotations

import asyncio
import socket
import time
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["KNOWN", "RAW_PRINTING", "Door", "knock", "place_of"]

KNOWN = {
    21: "FTP",
    22: "SSH",
    23: "Telnet",
    80: "HTTP",
    443: "HTTPS",
    445: "SMB",
    515: "LPD",
    631: "IPP",
    8000: "HTTP",
    8080: "HTTP",
    8443: "HTTPS",
}
"""What may be asked for, and what usually answers there."""
RAW_PRINTING = range(9100, 9108)
"""Raw printing (AppSocket, JetDirect): never connected to."""


class Door(NamedTuple):
    """What one port did."""

    port: int
    state: Literal["open", "closed", "silent"]
    milliseconds: float
    """Until it was clear."""


def place_of(address: str, port: int) -> tuple[socket.AddressFamily, tuple[str, int] | tuple[str, int, int, int]]:
    """Return the family and the socket address of a literal; IPv6 with its zone."""
    if ":" not in address:
        return socket.AF_INET, (address, port)
    host, _, zone = address.partition("%")
    scope = 0
    if zone:
        scope = int(zone) if zone.isdigit() else socket.if_nametoindex(zone)
    return socket.AF_INET6, (host, port, 0, scope)


async def knock(address: str, port: int, patience: float, *, clock: Callable[[], float] = time.monotonic) -> Door:
    """Connect to one known port of an address (a literal) and close at once; `patience` is seconds.

    Raises:
        ValueError: it is none of the known ports.
    """
    if port not in KNOWN:
        raise ValueError(f"port {port} is not one that is connected to")
    family, place = place_of(address, port)
    with socket.socket(family, socket.SOCK_STREAM) as link:
        link.setblocking(False)
        began = clock()
        state: Literal["open", "closed", "silent"] = "open"
        try:
            async with asyncio.timeout(patience):
                await asyncio.get_running_loop().sock_connect(link, place)
        except (TimeoutError, PermissionError):  # a packet filter here says EPERM: nothing came back either
            state = "silent"
        except ConnectionError:
            state = "closed"
        except OSError:  # no route to it
            state = "silent"
        return Door(port, state, (clock() - began) * 1000)

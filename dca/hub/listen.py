"""Whether an address can be listened on, asked with a plain socket: it says why not, which gRPC does not."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING

from dca.errors import HubError

if TYPE_CHECKING:
    from dca.hub.settings import Address

__all__ = ["take"]

_WHAT_TO_DO = {
    errno.EADDRINUSE: "another program has the port (ss -ltnp shows which): stop it, or choose another with {option}",
    errno.EACCES: "ports below 1024 need a right: give the service AmbientCapabilities=CAP_NET_BIND_SERVICE (see "
    "docs/hub.md), or choose a higher one with {option}",
    errno.EADDRNOTAVAIL: "this machine does not have that address: choose one of its own with {option}",
}


def take(address: Address, who: str, option: str) -> socket.socket:
    """Return a socket that is bound to the address and does not listen yet.

    Raises: HubError that says for whom (`who`) the port is, why it cannot be had, and what to do.
    """
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no host name"
        raise HubError(f"cannot listen on {address} for {who}: {reason}; give an address with {option}") from error
    family, kind, protocol, _, place = found[0]
    taken = socket.socket(family, kind, protocol)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind(place)
    except OSError as error:
        taken.close()
        reason = error.strerror or str(error)
        advice = _WHAT_TO_DO.get(error.errno or 0, "choose another with {option}").format(option=option)
        raise HubError(f"cannot listen on {address} for {who}: {reason}; {advice}") from error
    return taken

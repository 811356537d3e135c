"""The first step of every connection: the addresses of its route, or of the proxy on it."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from dca.channel.reasons import unresolved
from dca.net.connect import Dial

if TYPE_CHECKING:
    from dca.channel.terms import Route
    from dca.net.dns import Resolver

__all__ = ["make_dial"]


async def make_dial(route: Route, resolver: Resolver, within: float) -> Dial:
    """Return what opens a connection by `route` within so many seconds.

    Names are resolved here and not in the thread that connects, for a dead name server would hold that up for long.
    Raises LineError when there is no address.
    """
    addresses = await _addresses(route.proxy.host if route.proxy else route.host, route, resolver)
    return Dial(route.host, route.port, addresses, proxy=route.proxy, timeout=within)


async def _addresses(host: str, route: Route, resolver: Resolver) -> tuple[str, ...]:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        answer = await resolver(host)
    else:
        return (host,)
    if not answer.addresses:
        raise unresolved(route, answer.failure)
    return answer.addresses

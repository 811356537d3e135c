"""``trace``: the routers on the way to one device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dca.errors import TaskError
from dca.net.icmp import IcmpSocket
from dca.net.trace import MOST_HOPS, trace
from dca.tasks.kind import Kind
from dca.tasks.reach import address_of

if TYPE_CHECKING:
    from dca.net.trace import Hop
    from dca.tasks.kind import Order, Result, Tools

__all__ = ["KIND"]


@dataclass(frozen=True)
class _Parameters:
    hops: int = MOST_HOPS

    def __post_init__(self) -> None:
        if not 1 <= self.hops <= MOST_HOPS:
            raise ValueError(f"hops is {self.hops}; it may be 1 to {MOST_HOPS}")


async def _run(order: Order, tools: Tools) -> Result:
    address = address_of(order, tools)

    def heard(hop: Hop) -> None:
        order.progress(f"hop {hop.ttl}: {', '.join(hop.routers) or 'silent'}")

    try:
        with IcmpSocket(address) as link:
            hops = await trace(link, address, hops=order.parameters.hops, heard=heard)
    except PermissionError as error:
        raise TaskError(str(error), "not_permitted") from error
    except NotImplementedError as error:
        raise TaskError(str(error), "unsupported") from error
    except OSError as error:
        raise TaskError(f"the way to {address} cannot be traced: {error.strerror or error}") from error
    return {
        "address": address,
        "reached": bool(hops) and hops[-1].reached,
        "silent": [hop.ttl for hop in hops if not hop.routers],
        "hops": [_told(hop) for hop in hops],
    }


def _told(hop: Hop) -> Result:
    told: Result = {
        "ttl": hop.ttl,
        "routers": hop.routers,
        "times_ms": [round(milliseconds, 3) for milliseconds in hop.milliseconds],
    }
    return told | ({"blocked": True} if hop.blocked else {})


KIND = Kind(
    name="trace",
    summary="Find the routers on the way to one device; every packet is addressed to the device.",
    parameters=_Parameters,
    default="allow",
    limit=120,
    run=_run,
)

"""``ports``: which of the usual TCP ports of a printer answer. No octet is sent, and raw printing is left alone."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dca.net.ports import KNOWN, RAW_PRINTING, knock
from dca.tasks.kind import Kind
from dca.tasks.reach import address_of

if TYPE_CHECKING:
    from dca.net.ports import Door
    from dca.tasks.kind import Order, Result, Tools

__all__ = ["KIND"]

_PATIENCE = 3.0
"""Seconds that a connection may take."""
_AT_ONCE = 3
"""Connections at a time: small printers have few to give."""


@dataclass(frozen=True)
class _Parameters:
    ports: list[int] = field(default_factory=list)
    """Some of the known ones; none: all of them."""

    def __post_init__(self) -> None:
        for port in self.ports:
            if port in RAW_PRINTING:
                raise ValueError(
                    f"port {port} is for raw printing: connecting to it can make a printer print, so it is never tried"
                )
            if port not in KNOWN:
                known = ", ".join(map(str, KNOWN))
                raise ValueError(f"port {port} is none of the ports that are tried: {known}")


async def _run(order: Order, tools: Tools) -> Result:
    address = address_of(order, tools)
    wanted = sorted(set(order.parameters.ports) or KNOWN)
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(port: int) -> Door:
        async with gate:
            door = await knock(address, port, _PATIENCE)
        order.progress(f"port {port}: {door.state}")
        return door

    doors = await asyncio.gather(*(one(port) for port in wanted))
    return {
        "address": address,
        "ports": [
            {"port": door.port, "service": KNOWN[door.port], "state": door.state, "ms": round(door.milliseconds, 1)}
            for door in doors
        ],
    }


KIND = Kind(
    name="ports",
    summary="Find out which of the usual TCP ports of one device answer; nothing is sent to them.",
    parameters=_Parameters,
    default="allow",
    limit=60,
    run=_run,
)

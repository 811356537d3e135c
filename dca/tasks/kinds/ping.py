"""``ping``: ICMP echo to one device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dca.errors import TaskError
from dca.net.icmp import MAX_SIZE, MIN_SIZE, IcmpSocket, Patience, ping
from dca.tasks.kind import Kind
from dca.tasks.reach import address_of

if TYPE_CHECKING:
    from dca.net.icmp import Echo
    from dca.tasks.kind import Order, Result, Tools

__all__ = ["KIND"]

_MOST = 20
_LEAST_INTERVAL, _MOST_INTERVAL = 0.2, 10.0


@dataclass(frozen=True)
class _Parameters:
    count: int = 4
    size: int = 56
    """Octets after the ICMP header."""
    interval: float = 1.0
    """Seconds from one request to the next."""

    def __post_init__(self) -> None:
        if not 1 <= self.count <= _MOST:
            raise ValueError(f"count is {self.count}; it may be 1 to {_MOST}")
        if not MIN_SIZE <= self.size <= MAX_SIZE:
            raise ValueError(f"size is {self.size}; it may be {MIN_SIZE} to {MAX_SIZE} octets")
        if not _LEAST_INTERVAL <= self.interval <= _MOST_INTERVAL:
            raise ValueError(f"interval is {self.interval}; it may be {_LEAST_INTERVAL} to {_MOST_INTERVAL} s")


async def _run(order: Order, tools: Tools) -> Result:
    address, wanted = address_of(order, tools), order.parameters

    def heard(number: int, echo: Echo) -> None:
        said = f"{echo.milliseconds:.1f} ms" if echo.milliseconds is not None else echo.said or "no answer"
        order.progress(f"{number + 1} of {wanted.count}: {said}")

    patience = Patience(interval=wanted.interval)
    try:
        with IcmpSocket(address) as link:
            echoes = await ping(link, wanted.count, wanted.size, patience, heard=heard)
    except PermissionError as error:
        raise TaskError(str(error), "not_permitted") from error
    except OSError as error:
        raise TaskError(f"{address} cannot be pinged from here: {error.strerror or error}") from error
    times = [echo.milliseconds for echo in echoes if echo.milliseconds is not None]
    return {
        "address": address,
        "sent": len(echoes),
        "received": len(times),
        "times_ms": [None if echo.milliseconds is None else round(echo.milliseconds, 3) for echo in echoes],
        "least_ms": round(min(times), 3) if times else None,
        "mean_ms": round(sum(times) / len(times), 3) if times else None,
        "most_ms": round(max(times), 3) if times else None,
        "said": sorted({echo.said for echo in echoes if echo.said}),
    }


KIND = Kind(
    name="ping",
    summary="Send ICMP echo requests to one device and time the answers.",
    parameters=_Parameters,
    default="allow",
    limit=300,
    run=_run,
)

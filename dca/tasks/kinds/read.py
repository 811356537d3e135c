"""``read``: read one device now, as the schedule does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dca.tasks.kind import Kind, Order, Result, Tools
from dca.tasks.reach import device_of
from dca.wire.snapshot_pb2 import READ_KIND_FULL, READ_KIND_SUPPLIES, Outcome

if TYPE_CHECKING:
    from dca.wire.snapshot_pb2 import Snapshot, Supply

__all__ = ["KIND"]


@dataclass(frozen=True)
class _Parameters:
    full: bool = True
    """False: only status, counters and supplies."""


async def _run(order: Order, tools: Tools) -> Result:
    known = device_of(order)
    tools.peer(known)  # a range has to hold it
    kind = READ_KIND_FULL if order.parameters.full else READ_KIND_SUPPLIES
    return _digest(await tools.read(known, kind))


def _digest(snapshot: Snapshot) -> Result:
    """Return the short form; the snapshot itself travels as every other does."""
    return {
        "outcome": Outcome.Name(snapshot.outcome).removeprefix("OUTCOME_").lower(),
        "reason": snapshot.reason,
        "requests": snapshot.requests,
        "duration_ms": snapshot.duration_ms,
        "status": snapshot.status if snapshot.HasField("status") else None,
        "errors": list(snapshot.errors),
        "total": next((meter.value for meter in snapshot.meters if meter.name == "total"), None),
        "supplies": [_supply(supply) for supply in snapshot.supplies],
    }


def _supply(supply: Supply) -> Result:
    return {
        "name": supply.description or supply.type,
        "percent": supply.percent if supply.HasField("percent") else None,
        "state": supply.state,
    }


KIND = Kind(
    name="read",
    summary="Read one device now: identity, meters, supplies, status.",
    parameters=_Parameters,
    default="allow",
    limit=120,
    run=_run,
)

"""``apply_config``: set what the customer's policy leaves to the hub."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dca.tasks.kind import Kind

if TYPE_CHECKING:
    from dca.tasks.kind import Order, Result, Tools

__all__ = ["KIND"]

_MOST = 64


@dataclass(frozen=True)
class _Parameters:
    set: dict[str, Any]
    """Dotted key -> value."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.set) <= _MOST:
            raise ValueError(f"set has {len(self.set)} keys; it may have 1 to {_MOST}")
        if any(not key.strip() for key in self.set):
            raise ValueError("set has an empty key")


async def _run(order: Order, tools: Tools) -> Result:
    return {"in_force": dict(await tools.apply_config(order.parameters.set))}


KIND = Kind(
    name="apply_config",
    summary="Change settings of the agent that the customer's policy leaves to the hub.",
    parameters=_Parameters,
    default="deny",
    limit=60,
    run=_run,
    on_device=False,
    changes=True,
)

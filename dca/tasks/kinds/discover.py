"""``discover``: search the ranges for devices now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dca.tasks.kind import Kind

if TYPE_CHECKING:
    from dca.tasks.kind import Order, Result, Tools

__all__ = ["KIND"]


@dataclass(frozen=True)
class _Parameters:
    pass


async def _run(order: Order, tools: Tools) -> Result:
    order.progress("searching the ranges")
    return dict(await tools.discover())


KIND = Kind(
    name="discover",
    summary="Search the configured ranges for devices now.",
    parameters=_Parameters,
    default="allow",
    limit=1800,
    run=_run,
    on_device=False,
)

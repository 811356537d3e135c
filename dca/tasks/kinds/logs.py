"""``logs``: the last lines of the agent's own log, in which secrets and serial numbers are hidden."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dca.contract.tasks import MAX_RESULT
from dca.tasks.kind import Kind

if TYPE_CHECKING:
    from dca.tasks.kind import Order, Result, Tools

__all__ = ["KIND"]

_MOST = 2000
_ROOM = MAX_RESULT - 1000
"""Characters of JSON that the lines may take."""


@dataclass(frozen=True)
class _Parameters:
    lines: int = 200

    def __post_init__(self) -> None:
        if not 1 <= self.lines <= _MOST:
            raise ValueError(f"lines is {self.lines}; it may be 1 to {_MOST}")


async def _run(order: Order, tools: Tools) -> Result:
    found = list(tools.log_lines(order.parameters.lines))
    kept: list[str] = []
    room = _ROOM
    for line in reversed(found):
        room -= len(json.dumps(line)) + 2
        if room < 0:
            break
        kept.append(line)
    return {"lines": kept[::-1], "cut": len(kept) < len(found)}


KIND = Kind(
    name="logs",
    summary="Send the last lines of the agent's own log; secrets and serial numbers are hidden in it.",
    parameters=_Parameters,
    default="allow",
    limit=60,
    run=_run,
    on_device=False,
)

"""``cancel``: end another task. Declared here; the runner does it itself, for only it holds the tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dca.errors import TaskError
from dca.tasks.kind import Kind

if TYPE_CHECKING:
    from dca.tasks.kind import Order, Result, Tools

__all__ = ["KIND"]


@dataclass(frozen=True)
class _Parameters:
    task: str
    """The id of the task that is to end."""


async def _run(_order: Order, _tools: Tools) -> Result:
    raise TaskError("handled by the runner")


KIND = Kind(
    name="cancel",
    summary="Cancel a task that waits or runs.",
    parameters=_Parameters,
    default="allow",
    limit=30,
    run=_run,
    on_device=False,
)

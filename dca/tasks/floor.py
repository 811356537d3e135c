"""The tasks that run: begun, watched, made to end."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, NamedTuple

from dca.tasks.kind import Order
from dca.tasks.runner import Run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dca.model import Known
    from dca.tasks.judge import Item
    from dca.tasks.kind import Result
    from dca.tasks.states import Outcome

__all__ = ["CANCEL", "Floor"]

_log = logging.getLogger(__name__)

CANCEL = "cancel"
"""The kind that ends another task: it takes nobody's place."""
_TO_END = 1.0
"""Seconds that those get to leave word which are made to end when the agent stops."""


class _Running(NamedTuple):
    item: Item
    run: Run
    task: asyncio.Task[None]


class Floor:
    """Runs tasks side by side, `most` at once.

    `tell` hears each line of progress, `ended` is awaited with what came of a task and why it was made to end.
    """

    def __init__(
        self,
        most: int,
        tell: Callable[[str, str], None],
        ended: Callable[[Item, Outcome, Run], Awaitable[None]],
    ) -> None:
        self._most = most
        self._tell = tell
        self._ended = ended
        self._running: dict[str, _Running] = {}

    def __contains__(self, task_id: str) -> bool:
        return task_id in self._running

    @property
    def free(self) -> bool:
        """Tell whether another one may begin."""
        return sum(one.item.kind.name != CANCEL for one in self._running.values()) < self._most

    def begin(self, item: Item, device: Known | None, handler: Callable[[Order], Awaitable[Result]]) -> None:
        """Begin a task whose beginning is on the disk."""
        asked = item.asked
        run = Run(item.kind, asked.id, lambda line: self._tell(asked.id, line))
        order = Order(
            id=asked.id,
            kind=item.kind.name,
            parameters=item.parameters,
            device=device,
            requested_by=asked.requested_by,
            reason=asked.reason,
            progress=run.progress,
        )
        task = asyncio.create_task(self._see_through(item, run, order, handler), name=f"run {asked.id}")
        self._running[asked.id] = _Running(item, run, task)

    async def cancel(self, task_id: str) -> None:
        """Make a task end and wait until what came of it is written; nothing happens for one that does not run."""
        one = self._running.get(task_id)
        if one is not None:
            one.run.stop("cancelled")
            await asyncio.wait([one.task])

    async def clear(self, grace: float) -> None:
        """Wait up to `grace` seconds for what runs, then make it end."""
        left = {one.task for one in self._running.values()}
        if left:
            await asyncio.wait(left, timeout=grace)
        for one in self._running.values():
            one.run.stop("interrupted")
        left = {one.task for one in self._running.values()}
        if left:
            await asyncio.wait(left, timeout=_TO_END)

    async def _see_through(
        self, item: Item, run: Run, order: Order, handler: Callable[[Order], Awaitable[Result]]
    ) -> None:
        async def work() -> Result:
            return await handler(order)

        try:
            outcome = await run.outcome(work())
            await self._ended(item, outcome, run)
        except Exception:  # noqa: BLE001 - nobody waits for it, and the log has it
            _log.exception("the end of task %s got lost", order.id)
        finally:
            self._running.pop(order.id, None)

"""What the task ``cancel`` does to another task: the one kind that the desk itself sees to."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from dca.contract.tasks import MAX_LIFE
from dca.errors import StoreError, TaskError
from dca.tasks.ledger import Entry
from dca.tasks.states import Outcome, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from dca.tasks.cases import Cases
    from dca.tasks.floor import Floor
    from dca.tasks.kind import Order, Result

__all__ = ["Canceller"]


class Canceller:
    """Ends tasks, whatever they are at. `now` gives the hub's time, Unix seconds."""

    def __init__(self, cases: Cases, floor: Floor, now: Callable[[], float]) -> None:
        self._cases = cases
        self._floor = floor
        self._now = now

    async def cancel(self, order: Order) -> Result:
        """Cancel the task that `order` names and say what became of it.

        Raises TaskError: it names none, or the end cannot be written.
        """
        try:
            target = str(uuid.UUID(order.parameters.task))
        except ValueError:
            raise TaskError("cancel: task is the id of a task, a UUID", "bad_parameters") from None
        if target == order.id:
            raise TaskError("a task cannot cancel itself", "bad_parameters")
        try:
            before = await self._before(target)
            if before is State.RUNNING:
                await self._floor.cancel(target)
            entry = await self._cases.book.find(target)
        except StoreError as error:
            raise TaskError(f"the task cannot be cancelled: {error}") from error
        if entry is None:
            raise TaskError("the task is in the record no more")
        cancelled = entry.state is State.CANCELLED and before != entry.state
        return {
            "task": target,
            "cancelled": cancelled,
            "was": before.word if before is not None else "unknown",
            "state": entry.state.word,
            "text": entry.text,
        }

    async def _before(self, target: str) -> State | None:
        """Return how the task was, None for unknown; one that does not run is cancelled now. Raises StoreError."""
        cases = self._cases
        async with cases.moving:
            if target in self._floor:
                return State.RUNNING
            item = cases.open.get(target)
            if item is not None:
                before = item.entry.state
                await cases.end_at_once(item, Outcome(State.CANCELLED, "cancelled before it began", "cancelled"))
                return before
            found = await cases.book.find(target)
            if found is None:
                await self._keep_out(target)
                return None
            return found.state

    async def _keep_out(self, target: str) -> None:
        """Remember a task that has not come in yet as cancelled. Raises StoreError."""
        now = self._now()
        entry = Entry(target, 0, "", issued_at=now, received_at=now, expires_at=now + MAX_LIFE)
        text = "cancelled before it came in, or so long ago that it is forgotten"
        await self._cases.book.save(entry, Outcome(State.CANCELLED, text, "cancelled"))

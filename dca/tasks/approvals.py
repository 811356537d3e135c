"""What comes out of the spool: the customer's yes or no to a task that waits for it."""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING

from dca.tasks.cases import details_of
from dca.tasks.states import Outcome, State

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dca.tasks.cases import Cases
    from dca.tasks.judge import Item
    from dca.tasks.spool import Answer, Spool

__all__ = ["Approvals"]

_log = logging.getLogger(__name__)


class Approvals:
    """Takes answers; `advance` moves on a task that was approved."""

    def __init__(self, cases: Cases, spool: Spool, advance: Callable[[Item], Awaitable[None]]) -> None:
        self._cases = cases
        self._spool = spool
        self._advance = advance

    async def look(self) -> None:
        """Take every answer that waits; one is removed when it has taken effect.

        Raises:
            StoreError: an answer cannot be remembered; it stays.
            AuditError: an answer cannot be audited; it stays, and the task waits.
        """
        for path, answer in self._spool.waiting():
            await self._take(answer)
            self._spool.done(path)

    async def _take(self, answer: Answer) -> None:
        async with self._cases.moving:
            item = self._cases.open.get(answer.task)
            if item is None or item.entry.state is not State.WAITING or item.entry.code != "approval":
                _log.warning("%s answered for task %s, which does not wait for it", answer.by, answer.task)
                return
            said = "approved" if answer.approve else "denied"
            text = f"{answer.by} {said} it on the agent's machine"
            if answer.reason:
                text += f": {answer.reason}"
            await self._cases.journal.write(
                f"task_{said}", f"{item.kind.name}: {text}", who=f"local:{answer.by}", details=details_of(item.entry)
            )
            if not answer.approve:
                await self._cases.end_at_once(item, Outcome(State.REFUSED, text, "denied"))
                return
            approved = dataclasses.replace(item.entry, approved_by=answer.by)
            item.entry = await self._cases.book.save(approved, None)
            await self._advance(item)

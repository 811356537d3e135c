"""The tasks that have not ended, and how one ends: in the record, told to the hub, audited, logged."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from dca.errors import StoreError
from dca.tasks.states import State

if TYPE_CHECKING:
    from dca.tasks.book import Book
    from dca.tasks.journal import Journal
    from dca.tasks.judge import Item
    from dca.tasks.ledger import Entry
    from dca.tasks.states import Outcome

__all__ = ["Cases", "details_of"]

_log = logging.getLogger(__name__)

_TRY_AGAIN = 5.0
"""Seconds between two tries to write an end."""


class Cases:
    """What the parts of the desk share."""

    def __init__(self, book: Book, journal: Journal) -> None:
        self.book = book
        self.journal = journal
        self.open: dict[str, Item] = {}
        """By id, in the order they came in."""
        self.moving = asyncio.Lock()
        """Held while a task that does not run is moved on."""
        self.closing = asyncio.Event()

    async def end(self, item: Item, outcome: Outcome) -> None:
        """End a task, and go on trying while the disk takes nothing.

        When the agent stops meanwhile, the record still says that the task runs, and the next start settles it.
        """
        said = False
        while True:
            try:
                await self.end_at_once(item, outcome)
            except StoreError as error:
                if not said:
                    said = True
                    _log.error("the end of task %s cannot be written yet: %s", item.asked.id, error)
                if self.closing.is_set():
                    return
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_TRY_AGAIN):
                        await self.closing.wait()
            else:
                return

    async def end_at_once(self, item: Item, outcome: Outcome) -> None:
        """End a task.

        Raises:
            StoreError: it cannot be written; the task is as it was.
        """
        item.entry = await self.book.save(item.entry, outcome)
        self.ended(item.entry)

    def ended(self, entry: Entry) -> None:
        """Say that a task has ended, to the audit log and the log."""
        self.open.pop(entry.task_id, None)
        what = "task_refused" if entry.state is State.REFUSED else "task_ended"
        text = f"{entry.kind}: {entry.state.word}, {entry.text}"
        self.journal.note(what, text, who="agent", details={**details_of(entry), "code": entry.code})
        _log.info("task %s, %s, asked for by %s", entry.task_id[:8], text, entry.requested_by or "nobody named")


def details_of(entry: Entry) -> dict[str, str]:
    """Return what the audit log says of a task, besides what happened to it."""
    found = {
        "task": entry.task_id,
        "number": str(entry.number),
        "kind": entry.kind,
        "device": entry.device_id,
        "requested_by": entry.requested_by,
        "role": entry.role,
        "reason": entry.reason,
    }
    return {name: value for name, value in found.items() if value}

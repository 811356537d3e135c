"""The record of tasks with the rows for the hub: each change and what is told of it in one transaction."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from dca.errors import TaskError
from dca.store.files import DATABASE
from dca.tasks import ledger
from dca.tasks.states import FINAL, result_row
from dca.telemetry import NewRow, Weight
from dca.wire.report_pb2 import ROW_KIND_TASK_RESULT
from dca.wire.task_pb2 import TaskResult

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from dca.store import Store
    from dca.tasks.ledger import Entry
    from dca.tasks.states import Outcome
    from dca.telemetry import Outbox

__all__ = ["Book"]

_SLACK = 300.0
"""Seconds that the hub's clock may be behind when the first record begins: nothing was done before it."""
_TELL_AGAIN = 3600.0
"""Seconds between two answers for a task that has ended and is asked for again."""
_KEPT_RESULT = 16_000
"""Bytes of an answer that is kept whole to be given again; of a larger one, its result is left out."""


class Book:
    """What the agent remembers of its tasks. `wall` is Unix seconds, `on_result` hears that a row waits."""

    def __init__(self, store: Store, outbox: Outbox, wall: Callable[[], float], on_result: Callable[[], None]) -> None:
        self.began = 0.0
        """When the record began, by the hub's clock."""
        self._store = store
        self._outbox = outbox
        self._wall = wall
        self._on_result = on_result
        self._known: set[str] = set()

    async def open(self, now: float) -> None:
        """Find out when the record began, and which tasks are in it; `now` is the hub's time.

        A record that takes the place of a damaged one begins now: what came before may have been done.

        Raises:
            StoreError: it cannot be read.
        """
        anew = any(self._store.directory.glob(f"{DATABASE}.corrupt-*"))
        start = now if anew else now - _SLACK
        self.began = await self._store.run(lambda connection: ledger.begin(connection, start))
        self._known |= await self._store.run(ledger.ids)

    def knows(self, task_id: str) -> bool:
        """Tell whether a task came in before."""
        return task_id in self._known

    async def unfinished(self) -> list[Entry]:
        """Return the tasks that have not ended. Raises StoreError."""
        return await self._store.run(ledger.unfinished)

    async def find(self, task_id: str) -> Entry | None:
        """Return one task. Raises StoreError."""
        return await self._store.run(lambda connection: ledger.find(connection, task_id))

    async def add(self, entry: Entry, outcome: Outcome | None) -> Entry:
        """Remember a new task and tell the hub of it, if there is something to tell; return it as it is now.

        Raises:
            TaskError: it is known (``known``), or the record was begun anew and is to be opened again (``anew``).
            StoreError: it cannot be remembered.
        """
        entry, rows = self._told(entry, outcome)
        began = self.began
        try:
            await self._outbox.put_whole(rows, lambda connection: ledger.add(connection, entry, began))
        except TaskError as error:
            if error.code == "known":
                self._known.add(entry.task_id)
            raise
        self._known.add(entry.task_id)
        if rows:
            self._on_result()
        return entry

    async def save(self, entry: Entry, outcome: Outcome | None) -> Entry:
        """Write how a task stands now, and tell the hub, if there is something to tell; return it as it is now.

        Raises:
            StoreError: it cannot be written.
        """
        entry, rows = self._told(entry, outcome)
        await self._outbox.put_whole(rows, lambda connection: ledger.save(connection, entry))
        self._known.add(entry.task_id)
        if rows:
            self._on_result()
        return entry

    async def tell(self, task_id: str, outcome: Outcome) -> None:
        """Tell the hub how far a task is, without a change in the record."""
        await self._outbox.put([result_row(task_id, outcome, self._wall())])
        self._on_result()

    async def tell_again(self, task_id: str) -> None:
        """Give the answer of a task that has ended once more: the hub asks, so it does not have it.

        Once an hour at most, and not while the answer is still on its way.

        Raises:
            StoreError: the record cannot be read.
        """
        now = self._wall()

        def lost(connection: sqlite3.Connection) -> Entry | None:
            entry = ledger.find(connection, task_id)
            if entry is None or not entry.answer or 0 <= now - entry.told_at < _TELL_AGAIN:
                return None
            return None if ledger.waits_in_outbox(connection, task_id) else entry

        entry = await self._store.run(lost)
        if entry is not None:
            row = NewRow(ROW_KIND_TASK_RESULT, entry.answer, Weight.EVENT)
            again = dataclasses.replace(entry, told_at=now)
            await self._outbox.put_whole([row], lambda connection: ledger.save(connection, again))
            self._on_result()

    async def prune(self, now: float) -> None:
        """Forget what expired a month before `now`, the hub's time. Raises StoreError."""
        self._known -= await self._store.run(lambda connection: ledger.prune(connection, now))
        self.began = await self._store.run(lambda connection: ledger.begin(connection, now))

    def _told(self, entry: Entry, outcome: Outcome | None) -> tuple[Entry, list[NewRow]]:
        """Return the entry with what the hub is told of it, and the row that tells it."""
        if outcome is None:
            return entry, []
        now, outcome = self._wall(), outcome.tidy()
        row = result_row(entry.task_id, outcome, now)
        entry = dataclasses.replace(entry, state=outcome.state, code=outcome.code, text=outcome.text)
        if outcome.state in FINAL:
            entry = dataclasses.replace(entry, ended_at=now, told_at=now, body=b"", answer=_kept(row.payload))
        return entry, [row]


def _kept(answer: bytes) -> bytes:
    if len(answer) <= _KEPT_RESULT:
        return answer
    message = TaskResult.FromString(answer)
    message.result = ""
    message.text += "; what it brought was sent before and is not kept"
    return message.SerializeToString()

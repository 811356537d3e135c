"""What becomes of the tasks that an earlier run of the agent has not ended."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from dca.errors import TaskError
from dca.tasks.judge import Item
from dca.tasks.states import Outcome, State
from dca.tasks.verify import read_body, read_kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dca.tasks.cases import Cases
    from dca.tasks.kind import Kind
    from dca.tasks.ledger import Entry

__all__ = ["adopt"]

_MOST_BEGUN = 3
"""Times that a task which only looks is begun: once and after two restarts."""


async def adopt(cases: Cases, kinds: Mapping[str, Kind]) -> None:
    """Take what has not ended out of the record.

    What was under way is begun again if it only looks; what changes something has ended, one way or the other.

    Raises:
        StoreError: the record cannot be read or written.
    """
    async with cases.moving:
        held = set(cases.open)
        for entry in await cases.book.unfinished():
            if entry.task_id not in held | cases.open.keys():
                await _adopt(cases, kinds, entry)


async def _adopt(cases: Cases, kinds: Mapping[str, Kind], entry: Entry) -> None:
    try:
        asked = read_body(entry.body)
        kind, parameters = read_kind(asked, kinds)
    except TaskError as error:
        outcome = Outcome(State.REFUSED, str(error), error.code)
        if entry.state is State.RUNNING:
            outcome = Outcome(State.FAILED, f"the agent ended while it ran, and now {error}", "interrupted")
        cases.ended(await cases.book.save(entry, outcome))
        return
    item = Item(asked, kind, parameters, entry)
    if entry.state is State.RUNNING and (kind.changes or entry.begun >= _MOST_BEGUN):
        await cases.end_at_once(item, Outcome(State.FAILED, _interrupted(kind, entry), "interrupted"))
        return
    if entry.state is State.RUNNING:
        item.entry = dataclasses.replace(entry, state=State.RECEIVED, code="", text="")
    cases.open[asked.id] = item


def _interrupted(kind: Kind, entry: Entry) -> str:
    if kind.changes:
        return "the agent ended while it ran: whether it took effect is not known"
    return f"it was begun {entry.begun} times, and each time the agent ended while it ran"

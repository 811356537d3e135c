"""Fold what an agent tells of its tasks into them: the first end stays, and nothing is told of another agent's task."""

from __future__ import annotations

import json
import math
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from dca.hub.ingest.rows import clean, moment
from dca.hub.ingest.statements import TASK_EVENTS, TASKS_TOLD, TASKS_UPDATE
from dca.hub.tasks.states import FINAL, OPEN
from dca.wire.report_pb2 import Event
from dca.wire.task_pb2 import TASK_STATE_DONE, TaskResult

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from dca.hub.database import Connection
    from dca.hub.ingest.rows import CheckedRow

__all__ = ["DONE_TWICE", "Told", "fold_told", "keep_results", "read_result"]

DONE_TWICE = "done_twice"
"""The code of the hub's own entry in the story of a task that an agent did a second time."""
TEXT_LIMIT, CODE_LIMIT = 2000, 40
DEPTH = 32
"""Levels of a result; one that goes deeper is left out."""
NO_JSON = "(the result that came with it is no JSON object that can be kept, and is left out)"

Entry = tuple["datetime", int, str, str, str]
"""Of a task's story: at, state, text, code, by."""


class Told(NamedTuple):
    """What is known of a task, or what a row tells of it."""

    at: datetime
    """By the agent's clock; the hub's where the agent named none."""
    number: int
    """Of the row."""
    state: int
    text: str = ""
    code: str = ""
    result: str | None = None
    """JSON."""
    by_hub: bool = False
    """The hub found it out by itself."""

    def replaces(self, known: Told) -> bool:
        """Tell whether this is the task's state from now on."""
        if known.state in FINAL and not known.by_hub:
            return False
        return self.state in FINAL or known.by_hub or known.state == OPEN or self[:2] >= known[:2]

    def repeats(self, known: Told) -> bool:
        """Tell whether this is the known end once more: an agent says it again when it is asked again."""
        return self.state in FINAL and not known.by_hub and (self.at, self.state) == (known.at, known.state)


def read_result(row: CheckedRow, received_at: datetime) -> Told:
    """Return what a row tells of its task, fit for columns."""
    message = row.message
    assert isinstance(message, TaskResult)
    text, result = clean(message.text, TEXT_LIMIT), None
    if message.result:
        result = _json_object(message.result)
        text = text if result is not None else f"{text} {NO_JSON}".strip()
    return Told(
        moment(message.at) or received_at, row.number, message.state, text, clean(message.code, CODE_LIMIT), result
    )


def fold_told(known: Told, told: Iterable[Told], received_at: datetime) -> tuple[Told, list[Entry]]:
    """Return what is known of a task after some rows, and what they add to its story."""
    story: list[Entry] = []
    for new in sorted(told, key=itemgetter(0, 1)):
        if new.repeats(known):
            continue
        story.append((new.at, new.state, new.text, new.code, "agent"))
        if new.state == known.state == TASK_STATE_DONE:
            story.append((received_at, new.state, "the agent did it a second time", DONE_TWICE, "hub"))
        if new.replaces(known):
            known = new
    return known, story


async def keep_results(
    connection: Connection, agent: int, rows: Iterable[CheckedRow], received_at: datetime
) -> list[CheckedRow]:
    """Fold an agent's new results into its tasks, within its report's transaction.

    Return the results of tasks that are none of this agent's, made into events.
    """
    results: dict[UUID, list[CheckedRow]] = {}
    for row in rows:
        assert isinstance(row.message, TaskResult)
        results.setdefault(UUID(row.message.task_id), []).append(row)
    if not results:
        return []
    changes: list[tuple[Any, ...]] = []
    entries: list[tuple[Any, ...]] = []
    for task, at, number, state, by_hub in await connection.fetch(TASKS_TOLD, agent, list(results)):
        before = Told(at or received_at, number or 0, state, by_hub=by_hub)
        told = [read_result(row, received_at) for row in results.pop(task)]
        after, story = fold_told(before, told, received_at)
        entries += [(task, *entry) for entry in story]
        if after is not before:
            changes.append((task, *after[:-1]))
    if changes:
        await connection.execute(TASKS_UPDATE, received_at, *zip(*changes, strict=True))
    if entries:
        await connection.execute(TASK_EVENTS, received_at, *zip(*entries, strict=True))
    return [_stray(row) for found in results.values() for row in found]


def _stray(row: CheckedRow) -> CheckedRow:
    assert isinstance(row.message, TaskResult)
    text = f"it told of task {row.message.task_id}, which is none of its tasks"
    return row._replace(message=Event(at=row.message.at, name="task_unknown", text=text))


def _json_object(text: str) -> str | None:
    """Return a JSON object as PostgreSQL takes it; None for anything else."""
    try:
        found = json.loads(text, parse_constant=_no_number)
        return json.dumps(_tidy(found, DEPTH), ensure_ascii=False) if isinstance(found, dict) else None
    except (ValueError, RecursionError):
        return None


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _tidy(value: Any, depth: int) -> Any:
    """Take from a value what PostgreSQL's JSON has no room for. Raises ValueError for what then is another value."""
    if not depth:
        raise ValueError("too deep")
    if isinstance(value, dict):
        return {_tidy(key, depth): _tidy(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_tidy(item, depth - 1) for item in value]
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("too large a number")
    return value

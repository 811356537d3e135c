"""The agent's record of tasks, inside a transaction: which it was given, and what became of each.

A task is in it before it is done and for a month after it expired, so that it is done once however often it comes
in. When the record began is part of it: a task that is older may have been done before, and is refused.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from dca.errors import TaskError
from dca.store import get_meta, set_meta
from dca.store.tasks import TASKS_BEGAN
from dca.tasks.states import FINAL, State
from dca.wire.report_pb2 import ROW_KIND_TASK_RESULT

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

__all__ = ["KEPT", "Entry", "add", "begin", "entries", "find", "ids", "prune", "save", "unfinished", "waits_in_outbox"]

KEPT = 30 * 86_400
"""Seconds after its expiry for which a task is remembered."""


@dataclass(frozen=True)
class Entry:
    """One task of the record. Times are Unix seconds, 0 for never."""

    task_id: str
    number: int
    kind: str
    state: State = State.RECEIVED
    code: str = ""
    text: str = ""
    device_id: str = ""
    requested_by: str = ""
    role: str = ""
    reason: str = ""
    approved_by: str = ""
    """Who of the customer's people said yes; empty while nobody has."""
    begun: int = 0
    """How often it was begun."""
    issued_at: float = 0.0
    """By the hub's clock, like `expires_at`."""
    expires_at: float = 0.0
    received_at: float = 0.0
    decided_at: float = 0.0
    started_at: float = 0.0
    ended_at: float = 0.0
    told_at: float = 0.0
    """When its end was put into the outbox last."""
    body: bytes = b""
    """The signed task; empty when it has ended."""
    answer: bytes = b""
    """The `TaskResult` of its end."""


_COLUMNS = tuple(field.name for field in fields(Entry))
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM task"  # noqa: S608 - our own names, here and below
_INSERT = f"INSERT INTO task ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608
_UPDATE = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[3:])
_ENDED = ", ".join(str(int(state)) for state in sorted(FINAL))


def begin(connection: sqlite3.Connection, now: float) -> float:
    """Return when the record began, by the hub's clock; one that is new begins at `now`."""
    began = get_meta(connection, TASKS_BEGAN)
    if isinstance(began, int | float) and began > 0:
        return float(began)
    set_meta(connection, TASKS_BEGAN, now)
    return now


def add(connection: sqlite3.Connection, entry: Entry, began: float) -> None:
    """Remember a new task.

    Raises TaskError: the record does not begin where it did (``anew``), or has the task already (``known``).
    """
    if get_meta(connection, TASKS_BEGAN) != began:
        raise TaskError("the record of tasks is another than before", "anew")
    if connection.execute(f"{_INSERT} ON CONFLICT (task_id) DO NOTHING", _values(entry)).rowcount == 0:
        raise TaskError("the task is in the record already", "known")


def save(connection: sqlite3.Connection, entry: Entry) -> None:
    """Write how a task stands now, also into a record that has taken the place of a damaged one."""
    connection.execute(f"{_INSERT} ON CONFLICT (task_id) DO UPDATE SET {_UPDATE}", _values(entry))


def find(connection: sqlite3.Connection, task_id: str) -> Entry | None:
    """Return one task."""
    return next(_entries(connection.execute(f"{_SELECT} WHERE task_id = ?", (task_id,))), None)


def ids(connection: sqlite3.Connection) -> set[str]:
    """Return the ids of all tasks."""
    return {task_id for (task_id,) in connection.execute("SELECT task_id FROM task")}


def unfinished(connection: sqlite3.Connection) -> list[Entry]:
    """Return the tasks that have not ended, in the order of their numbers."""
    return list(_entries(connection.execute(f"{_SELECT} WHERE state NOT IN ({_ENDED}) ORDER BY number, id")))


def entries(connection: sqlite3.Connection, last: int) -> list[Entry]:
    """Return the last so many tasks, the newest first; none from a state file of before there were tasks."""
    there = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'task'").fetchone()
    if there is None:
        return []
    return list(_entries(connection.execute(f"{_SELECT} ORDER BY received_at DESC, id DESC LIMIT ?", (last,))))


def waits_in_outbox(connection: sqlite3.Connection, task_id: str) -> bool:
    """Tell whether something about a task is still on its way to the hub."""
    query = "SELECT 1 FROM outbox WHERE kind = ? AND instr(payload, CAST(? AS BLOB)) LIMIT 1"
    return connection.execute(query, (ROW_KIND_TASK_RESULT, task_id)).fetchone() is not None


def prune(connection: sqlite3.Connection, now: float) -> set[str]:
    """Forget what expired long before `now`, by the hub's clock, and return the ids.

    The record then begins behind the tasks that it has forgotten: if `now` was wrong, none of them is done again.
    """
    where = f"state IN ({_ENDED}) AND expires_at < ?"
    query = f"SELECT task_id, issued_at, begun FROM task WHERE {where}"  # noqa: S608
    found = connection.execute(query, (now - KEPT,)).fetchall()
    newest = max((issued_at for _, issued_at, begun in found if begun), default=0.0)
    began = get_meta(connection, TASKS_BEGAN)
    if isinstance(began, int | float) and newest >= began:
        set_meta(connection, TASKS_BEGAN, math.nextafter(newest, math.inf))
    connection.executemany("DELETE FROM task WHERE task_id = ?", [(task_id,) for task_id, _, _ in found])
    return {task_id for task_id, _, _ in found}


def _values(entry: Entry) -> tuple[object, ...]:
    return tuple(int(value) if isinstance(value := getattr(entry, name), State) else value for name in _COLUMNS)


def _entries(rows: Iterable[tuple[Any, ...]]) -> Iterator[Entry]:
    """Make entries of rows; those that a damaged disk or a newer dca made into something else are left out."""
    for row in rows:
        found = dict(zip(_COLUMNS, row, strict=True))
        try:
            found["state"] = State(found["state"])
        except ValueError:
            continue
        yield Entry(**found)

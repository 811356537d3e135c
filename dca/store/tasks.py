"""The record of tasks as far as the state file itself sees to it: what of a damaged one goes on in a fresh one."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from dca.wire.task_pb2 import TaskState

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

__all__ = ["TASKS_BEGAN", "TASK_COLUMNS", "restore_tasks"]

TASKS_BEGAN = "tasks.began"
"""Key in `meta`: when the record began, by the hub's clock. That of a damaged file says nothing of a fresh one."""
TASK_COLUMNS = (
    "task_id", "number", "kind", "state", "code", "text", "device_id", "requested_by", "role", "reason", "approved_by",
    "begun", "issued_at", "expires_at", "received_at", "decided_at", "started_at", "ended_at", "told_at", "body",
    "answer",
)  # fmt: skip
_TYPES = (str, int, str, int, str, str, str, str, str, str, str, int, *(float,) * 7, bytes, bytes)
_STATE, _BEGUN = TASK_COLUMNS.index("state"), TASK_COLUMNS.index("begun")
_OPEN = {TaskState.TASK_STATE_UNSPECIFIED, TaskState.TASK_STATE_WAITING, TaskState.TASK_STATE_RUNNING}
_OFTEN = 1000


def restore_tasks(connection: sqlite3.Connection, rows: Iterable[Sequence[object]]) -> None:
    """Add tasks of a damaged file (see `TASK_COLUMNS`) that the present one does not know; what is no task is left out.

    One that had not ended counts as begun many times: whether it was is not known, so nobody begins it again.
    """
    whole = [_closed(row) for row in rows if _is_task(row)]
    marks = ", ".join("?" * len(TASK_COLUMNS))
    statement = f"INSERT OR IGNORE INTO task ({', '.join(TASK_COLUMNS)}) VALUES ({marks})"  # noqa: S608 - our own names
    connection.executemany(statement, whole)


def _is_task(row: Sequence[object]) -> bool:
    if any(type(value) is not kind for value, kind in zip(row, _TYPES, strict=True)):
        return False
    try:
        return str(uuid.UUID(str(row[0]))) == row[0] and row[_STATE] in TaskState.values()
    except ValueError:
        return False


def _closed(row: Sequence[object]) -> list[object]:
    values = list(row)
    if values[_STATE] in _OPEN:
        values[_STATE], values[_BEGUN] = int(TaskState.TASK_STATE_RUNNING), _OFTEN
    return values

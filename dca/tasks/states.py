"""How far a task is, and how that is told to the hub."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from dca.telemetry import NewRow, Weight
from dca.wire.report_pb2 import ROW_KIND_TASK_RESULT
from dca.wire.task_pb2 import TaskResult, TaskState

__all__ = ["FINAL", "Outcome", "State", "result_row", "words"]

_MOST_WORDS = 2000


class State(IntEnum):
    """Where a task stands; the values are those of `TaskState` (task.proto)."""

    RECEIVED = TaskState.TASK_STATE_UNSPECIFIED
    """Remembered, and nothing decided: no policy is known yet."""
    REFUSED = TaskState.TASK_STATE_REFUSED
    WAITING = TaskState.TASK_STATE_WAITING
    RUNNING = TaskState.TASK_STATE_RUNNING
    DONE = TaskState.TASK_STATE_DONE
    FAILED = TaskState.TASK_STATE_FAILED
    CANCELLED = TaskState.TASK_STATE_CANCELLED
    EXPIRED = TaskState.TASK_STATE_EXPIRED

    @property
    def word(self) -> str:
        """Return it as people and JSON have it, e.g. ``waiting``."""
        return self.name.lower()


FINAL = frozenset({State.REFUSED, State.DONE, State.FAILED, State.CANCELLED, State.EXPIRED})
"""Nothing follows these."""


class Outcome(NamedTuple):
    """What is to be told of a task."""

    state: State
    text: str = ""
    """In words, for the hub's people."""
    code: str = ""
    """For programs; empty where nothing is wrong."""
    result: str = ""
    """What the kind returned, as JSON text of one object."""

    def tidy(self) -> Outcome:
        """Return it with its text in one line that is not too long."""
        return self._replace(text=words(self.text, _MOST_WORDS))


def result_row(task_id: str, outcome: Outcome, at: float) -> NewRow:
    """Return the outbox row that tells the hub of a tidy outcome; `at` is Unix seconds."""
    message = TaskResult(
        task_id=task_id,
        state=TaskState.ValueType(outcome.state),
        text=outcome.text,
        code=outcome.code,
        result=outcome.result,
    )
    message.at.FromMicroseconds(int(at * 1e6))
    return NewRow(ROW_KIND_TASK_RESULT, message.SerializeToString(), Weight.EVENT)


def words(text: str, limit: int) -> str:
    """Return `text` in one line of at most `limit` characters that print."""
    text = text[:limit]
    if not text.isprintable():
        text = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(text.split())

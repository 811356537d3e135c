"""What a task's state is called, and which states are its end."""

from __future__ import annotations

from dca.wire.task_pb2 import (
    TASK_STATE_CANCELLED,
    TASK_STATE_DONE,
    TASK_STATE_EXPIRED,
    TASK_STATE_FAILED,
    TASK_STATE_REFUSED,
    TASK_STATE_RUNNING,
    TASK_STATE_UNSPECIFIED,
    TASK_STATE_WAITING,
)

__all__ = ["FINAL", "OPEN", "STATES", "state_word"]

OPEN = int(TASK_STATE_UNSPECIFIED)
"""The agent has not told of it yet."""
STATES: dict[str, int] = {
    "open": OPEN,
    "waiting": TASK_STATE_WAITING,
    "running": TASK_STATE_RUNNING,
    "done": TASK_STATE_DONE,
    "failed": TASK_STATE_FAILED,
    "refused": TASK_STATE_REFUSED,
    "cancelled": TASK_STATE_CANCELLED,
    "expired": TASK_STATE_EXPIRED,
}
"""Their numbers by the words that people use."""
FINAL = frozenset({TASK_STATE_REFUSED, TASK_STATE_DONE, TASK_STATE_FAILED, TASK_STATE_CANCELLED, TASK_STATE_EXPIRED})
"""Nothing follows these."""
_WORDS = {number: word for word, number in STATES.items()}


def state_word(state: int) -> str:
    """Return a state in a word."""
    return _WORDS.get(state, "unknown")

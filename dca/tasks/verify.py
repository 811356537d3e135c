"""Whether what came in is a task for this agent: bytes in, a task or a `TaskError` out. No I/O.

Two steps: `open_task` finds out whether the hub has signed it, and nothing else of it is believed before; what fails
there has no name that could be answered. `check` judges the rest; what fails there is answered by its id.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from google.protobuf.message import DecodeError

from dca.contract.tasks import MAX_LIFE, MAX_PARAMETERS, MAX_TASK, is_signed
from dca.errors import TaskError
from dca.tasks.kind import read_parameters
from dca.tasks.states import words
from dca.wire.task_pb2 import Task, TaskBody

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf.timestamp_pb2 import Timestamp

    from dca.discovery.registry import Registry
    from dca.model import Known
    from dca.tasks.kind import Kind

__all__ = ["Asked", "check", "find_device", "open_task", "read_body", "read_kind"]

_MOST_NUMBER = 2**63 - 1
"""What SQLite and PostgreSQL hold."""
_END_OF_TIME = 253_402_300_800
"""The year 10000, Unix seconds."""
_WORD, _SENTENCE = 100, 500


@dataclass(frozen=True)
class Asked:
    """A task as the hub signed it; its texts are cut and of printing characters only. Times are Unix seconds."""

    id: str
    number: int
    agent_id: str
    kind: str
    parameters: str
    device_id: str
    requested_by: str
    role: str
    reason: str
    issued_at: float
    """0 where it is missing, as with the other times."""
    not_before: float
    expires: float
    body: bytes
    """The signed bytes."""

    @property
    def due(self) -> float:
        """Return when it may begin; 0 for at once, whatever the clocks of hub and agent differ by."""
        return self.not_before if self.not_before > self.issued_at + 1 else 0.0


def open_task(data: bytes, key: bytes) -> Asked:
    """Return the task in a serialized `Task` that `key` (Ed25519, 32 bytes) has signed.

    Raises TaskError (``too_large``, ``bad_task``, ``bad_signature``); then nothing is known of whom it is from.
    """
    if len(data) > MAX_TASK:
        raise TaskError(f"a task of {len(data)} bytes is larger than {MAX_TASK}", "too_large")
    try:
        task = Task.FromString(data)
    except DecodeError:
        raise TaskError("what came in is no task", "bad_task") from None
    if not is_signed(task, key):
        raise TaskError("a task is not signed by the hub that this agent was activated at", "bad_signature")
    return read_body(task.body)


def read_body(content: bytes) -> Asked:
    """Return the task of a serialized `TaskBody` whose signature was found good.

    Raises TaskError (``bad_task``): it cannot be read, or its id is no UUID.
    """
    try:
        body = TaskBody.FromString(content)
    except DecodeError:
        raise TaskError("a signed task cannot be read", "bad_task") from None
    try:
        task_id = str(uuid.UUID(body.id))
    except ValueError:
        raise TaskError(f"the id of a signed task is no UUID: {words(body.id, _WORD)!r}", "bad_task") from None
    return Asked(
        id=task_id,
        number=body.number,
        agent_id=body.agent_id,
        kind=words(body.kind, _WORD),
        parameters=body.parameters,
        device_id=words(body.device_id, _WORD),
        requested_by=words(body.requested_by, _WORD),
        role=words(body.role, _WORD),
        reason=words(body.reason, _SENTENCE),
        issued_at=_seconds(body.issued_at),
        not_before=_seconds(body.not_before),
        expires=_seconds(body.expires),
        body=content,
    )


def check(asked: Asked, kinds: Mapping[str, Kind], *, agent_id: str, now: float, began: float) -> tuple[Kind, Any]:
    """Return a task's kind and parameters if this agent may be asked for it now.

    `now` is the hub's time and `began` when the agent's record of tasks began, both Unix seconds.

    Raises TaskError (``wrong_agent``, ``bad_task``, ``stale``, ``expired``, ``unknown_kind``, ``bad_parameters``).
    """
    if asked.agent_id.lower() != agent_id.lower():
        raise TaskError("the task is for another agent", "wrong_agent")
    if not 0 < asked.number <= _MOST_NUMBER:
        raise TaskError("the task has no number", "bad_task")
    _check_times(asked)
    if asked.issued_at < began:
        raise TaskError(
            "the task is older than what this agent remembers of its tasks, so it cannot tell whether it was done "
            "already: look at the device, then ask anew",
            "stale",
        )
    if now >= asked.expires:
        raise TaskError("the task had expired when it came in", "expired")
    return read_kind(asked, kinds)


def read_kind(asked: Asked, kinds: Mapping[str, Kind]) -> tuple[Kind, Any]:
    """Return a task's kind and parameters.

    Raises TaskError (``unknown_kind``, ``bad_parameters``).
    """
    kind = kinds.get(asked.kind)
    if kind is None:
        raise TaskError(f"this version of the agent knows no task {asked.kind!r}", "unknown_kind")
    if len(asked.parameters) > MAX_PARAMETERS:
        raise TaskError(f"{kind.name}: the parameters are longer than {MAX_PARAMETERS} characters", "bad_parameters")
    return kind, read_parameters(kind, asked.parameters)


def find_device(asked: Asked, kind: Kind, registry: Registry) -> Known | None:
    """Return the device that a task concerns, None where its kind concerns none.

    Raises TaskError (``no_device``).
    """
    if not kind.on_device:
        return None
    if not asked.device_id:
        raise TaskError(f"{kind.name} concerns a device, and the task names none", "no_device")
    known = registry.get(asked.device_id)
    if known is None:
        raise TaskError(f"this agent knows no device {asked.device_id!r}; it may be found by a discovery", "no_device")
    return known


def _check_times(asked: Asked) -> None:
    if not (asked.issued_at and asked.not_before and asked.expires):
        raise TaskError("the task does not say when it was made, may begin and expires", "bad_task")
    if asked.expires <= max(asked.issued_at, asked.not_before):
        raise TaskError("the task expires before it may begin", "bad_task")
    if asked.expires - asked.issued_at > MAX_LIFE:
        raise TaskError(f"the task lives longer than {MAX_LIFE // 86_400} days", "bad_task")


def _seconds(stamp: Timestamp) -> float:
    """Return Unix seconds; what is no time of the years 1970 to 9999 counts as missing."""
    seconds = stamp.seconds + stamp.nanos / 1e9
    return seconds if 0 < seconds < _END_OF_TIME else 0.0

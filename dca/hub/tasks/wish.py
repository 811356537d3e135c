"""What somebody wants of an agent, checked, before it has a number and a signature."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from dca.contract.tasks import MAX_PARAMETERS
from dca.errors import HubError
from dca.wire.task_pb2 import TaskBody

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

__all__ = ["CANCEL", "LONGEST", "Wish"]

CANCEL = "cancel"
"""The kind that ends another task."""
LONGEST = 7 * 86_400.0
"""Seconds from now until a task expires, at most; agents take a day more (dca.contract.tasks.MAX_LIFE)."""
_KIND = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LIMITS = {"requested_by": 100, "role": 60, "reason": 500, "device_id": 64}


@dataclass(frozen=True)
class Wish:
    """A task to be. Raises HubError for what no agent would take."""

    kind: str
    parameters: Mapping[str, Any]
    requested_by: str
    role: str
    reason: str
    asked_at: datetime
    device_id: str | None = None
    not_before: datetime | None = None
    """None: at once."""
    life: float = 3600.0
    """Seconds from `not_before` until it expires."""
    cancels: UUID | None = None
    """Of kind cancel: the task that it ends."""

    def __post_init__(self) -> None:
        if not _KIND.fullmatch(self.kind):
            raise HubError(f"{self.kind[:60]!r} is no kind of task: kinds are small letters, digits and _")
        for name, limit in _LIMITS.items():
            text = getattr(self, name) or ""
            if len(text) > limit or not text.isprintable():
                raise HubError(f"{name.replace('_', ' ')}: at most {limit} printable characters, in one line")
        if not self.requested_by:
            raise HubError("a task says who asked for it")
        if not 1 <= self.life <= LONGEST or (self.expires_at - self.asked_at).total_seconds() > LONGEST:
            raise HubError(
                f"a task lives from 1 second to {LONGEST / 86_400:.0f} days, counted from now: give it a shorter life"
            )
        self.parameters_text()

    @property
    def starts_at(self) -> datetime:
        """The time before which it must not begin."""
        return max(self.not_before or self.asked_at, self.asked_at)

    @property
    def expires_at(self) -> datetime:
        """The time after which it must not begin."""
        try:
            return self.starts_at + timedelta(seconds=self.life)
        except OverflowError:
            raise HubError(f"{self.starts_at} is too far away to begin a task at") from None

    def parameters_text(self) -> str:
        """Return the parameters as JSON."""
        try:
            text = json.dumps(self.parameters, ensure_ascii=False, allow_nan=False)
            text.encode()
        except (TypeError, ValueError, RecursionError) as error:
            raise HubError(f"the parameters of {self.kind} are no JSON: {error}") from None
        if "\\u0000" in text:
            raise HubError(f"the parameters of {self.kind} hold a NUL character: leave it out")
        if len(text) > MAX_PARAMETERS:
            raise HubError(f"the parameters of {self.kind} have {len(text)} characters; {MAX_PARAMETERS} are allowed")
        return text

    def body(self, task_id: UUID, agent_id: UUID, number: int) -> TaskBody:
        """Return what is signed."""
        body = TaskBody(
            id=str(task_id),
            agent_id=str(agent_id),
            number=number,
            kind=self.kind,
            parameters=self.parameters_text(),
            requested_by=self.requested_by,
            reason=self.reason,
            role=self.role,
            device_id=self.device_id or "",
        )
        body.issued_at.FromDatetime(self.asked_at)
        body.not_before.FromDatetime(self.starts_at)
        body.expires.FromDatetime(self.expires_at)
        return body

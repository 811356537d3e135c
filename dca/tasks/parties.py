"""Whom the desk works with: the policy that decides, the log that keeps, the clocks. Each is given to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from dca.model import Known
    from dca.tasks.kind import Action, Kind

__all__ = ["Auditor", "Clocks", "Decider", "Ruling"]


class Ruling(Protocol):
    """What the customer's policy says of one task."""

    @property
    def action(self) -> Action:
        """Say whether it may be done."""

    @property
    def why(self) -> str:
        """Say it in words, for both ends."""


class Decider(Protocol):
    """The customer's policy (`dca.tasks.policy.Policy`)."""

    def decide(self, kind: Kind, *, device: Known | None, role: str, at: datetime) -> Ruling:
        """Decide; `at` is aware and local."""


class Auditor(Protocol):
    """The audit log (`dca.audit.AuditLog`); it blocks until the entry is on the disk."""

    def append(self, what: str, text: str, *, who: str = "agent", details: Mapping[str, str] | None = None) -> object:
        """Add an entry.

        Raises:
            AuditError: it cannot be written.
        """


class Clocks(Protocol):
    """The two clocks of the machine."""

    @property
    def wall(self) -> Callable[[], float]:
        """Unix seconds; may step."""

    @property
    def monotonic(self) -> Callable[[], float]:
        """Seconds; never steps."""

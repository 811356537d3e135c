"""What is to become of a task that has not begun: wait, begin, or end. No I/O."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dca.errors import TaskError
from dca.tasks.states import Outcome, State
from dca.tasks.verify import find_device

if TYPE_CHECKING:
    from dca.discovery.registry import Registry
    from dca.model import Known
    from dca.tasks.kind import Kind
    from dca.tasks.ledger import Entry
    from dca.tasks.parties import Decider, Ruling
    from dca.tasks.verify import Asked

__all__ = ["Item", "Judged", "judge"]


_log = logging.getLogger(__name__)


@dataclass
class Item:
    """A task that has not ended."""

    asked: Asked
    kind: Kind
    parameters: Any
    entry: Entry
    """As it stands in the record."""
    ruled: tuple[str, str] = ("", "")
    """Action and reason of the policy's last word that was audited."""


@dataclass(frozen=True)
class Judged:
    """What is to become of a task now."""

    outcome: Outcome
    """WAITING, RUNNING, REFUSED or EXPIRED."""
    device: Known | None = None
    ruling: Ruling | None = None
    """The policy's word, where it was asked."""


def judge(item: Item, policy: Decider, registry: Registry, *, now: float, wall: float, free: bool) -> Judged:
    """Return what is to become of a task.

    `now` is the hub's time and `wall` this machine's, both Unix seconds; `free` says that another one may run.
    """
    asked = item.asked
    if now >= asked.expires:
        return Judged(Outcome(State.EXPIRED, _expired(item), "expired"))
    if now < asked.due:
        begins = datetime.fromtimestamp(asked.due, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return Judged(Outcome(State.WAITING, f"waits for its time, {begins}", "not_before"))
    try:
        device = find_device(asked, item.kind, registry)
    except TaskError as error:
        return Judged(Outcome(State.REFUSED, str(error), error.code))
    at = datetime.fromtimestamp(wall, UTC).astimezone()
    try:
        ruling = policy.decide(item.kind, device=device, role=asked.role, at=at)
    except Exception:  # noqa: BLE001 - whatever it is, it is no yes
        _log.exception("the policy could not decide about the task %s", asked.id)
        return Judged(Outcome(State.REFUSED, "the policy could not decide: a bug of the agent, see its log", "bug"))
    return Judged(_follow(item, ruling, free=free), device, ruling)


def _follow(item: Item, ruling: Ruling, *, free: bool) -> Outcome:
    """Return what follows from the policy's word; any word but two is a no."""
    if ruling.action == "allow" or (ruling.action == "ask" and item.entry.approved_by):
        return Outcome(State.RUNNING) if free else Outcome(State.WAITING, "waits for others to end", "busy")
    if ruling.action == "ask":
        return Outcome(State.WAITING, f"{ruling.why}; it waits for: dca approve {item.asked.id[:8]}", "approval")
    return Outcome(State.REFUSED, ruling.why, "denied")


def _expired(item: Item) -> str:
    waited = {
        "approval": "nobody approved it in time",
        "busy": "others took too long",
        "not_before": "its time came while the agent was not running",
    }
    return f"it expired before it began: {waited.get(item.entry.code, 'the agent did not get to it')}"

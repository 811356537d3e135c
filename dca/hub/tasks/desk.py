"""Where a task is asked for: the customer's policy, as the agent reported it, is looked at before it is made."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from dca.errors import HubError
from dca.hub.tasks.issue import NewTask, issue, take_place
from dca.hub.tasks.wish import CANCEL, Wish

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from dca.hub.agents import AgentRef
    from dca.hub.database import Connection
    from dca.hub.tasks.key import TaskKey

__all__ = ["new_task"]


async def new_task(
    connection: Connection,
    key: TaskKey,
    agent: AgentRef,
    kind: str,
    parameters: Mapping[str, Any],
    *,
    requested_by: str,
    now: datetime,
    device_id: str | None = None,
    role: str = "",
    reason: str = "",
    not_before: datetime | None = None,
    life: float = 3600.0,
    anyway: bool = False,
) -> NewTask:
    """Make a task of an agent; `life` is seconds from its earliest start until it expires.

    `anyway` asks also for what the customer's policy denies, so that the refusal is on record at both ends.

    Raises: HubError when no agent would take it, or this one is not to be asked.
    """
    if kind == CANCEL:
        raise HubError("a task is cancelled with: dca hub task cancel ID")
    wish = Wish(kind, parameters, requested_by, role, reason, now, device_id, not_before, life)
    private = key.private()
    async with connection.transaction():
        place = await take_place(connection, agent, now)
        policy = _policy_of(place.policy, kind, agent)
        if policy == "deny" and not anyway:
            raise HubError(
                f"the customer's policy at agent {agent} denies {kind}: ask the customer to allow it ([policy] in the "
                "agent's config file), or add --anyway to have the refusal on record"
            )
        return (await issue(connection, private, place, wish))._replace(policy=policy)


def _policy_of(reported: Mapping[str, str], kind: str, agent: AgentRef) -> str:
    """Return what an agent reported of a kind; nothing when it has reported of none yet."""
    if not reported or kind in reported:
        return reported.get(kind, "")
    close = difflib.get_close_matches(kind, reported, 1)
    meant = f"; did you mean {close[0]}?" if close else "."
    known = ", ".join(sorted(set(reported) - {CANCEL}))
    raise HubError(f"agent {agent} knows no kind of task {kind!r}{meant} It knows {known}")

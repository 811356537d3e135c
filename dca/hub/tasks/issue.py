"""Number a task, sign it, store it with who asked and why, and tell the running hubs: one transaction of the caller."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from dca.contract.tasks import MAX_TASK, sign
from dca.errors import HubError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from dca.hub.agents import AgentRef
    from dca.hub.database import Connection
    from dca.hub.tasks.wish import Wish
    from dca.wire.task_pb2 import Task

__all__ = ["CHANNEL", "MAX_OPEN", "NewTask", "Place", "issue", "take_place"]

CHANNEL = "dca_tasks"
"""Notified with `<agent uuid> <task uuid>` of every new task."""
MAX_OPEN = 1000
"""Tasks of one agent that it has not told of yet."""

# The lock of the agent's record puts its tasks and its reports in a row.
NUMBER = """
UPDATE agents SET task_number = task_number + 1 WHERE id = $1
RETURNING agent_id, revoked_at, policy, task_number,
    (SELECT count(*) FROM tasks WHERE agent = $1 AND state = 0 AND expires_at >= $2) AS open
"""
INSERT = """
WITH made AS (
    INSERT INTO tasks (id, agent, number, kind, parameters, device_id, requested_by, role, reason, issued_at,
                       not_before, expires_at, body, signature, cancels)
    VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
    RETURNING id, requested_by, reason, issued_at),
told AS (
    INSERT INTO task_events (task, at, received_at, state, text, code, by)
    SELECT id, issued_at, issued_at, 0, reason, 'asked', requested_by FROM made)
SELECT pg_notify($16, $17 || ' ' || id) FROM made
"""


class Place(NamedTuple):
    """An agent's next number, and what it reported of its policy."""

    agent: int
    agent_id: UUID
    number: int
    policy: Mapping[str, str]


class NewTask(NamedTuple):
    """A task that was made."""

    id: UUID
    number: int
    expires_at: datetime
    task: Task
    policy: str = ""
    """What the customer's policy says of its kind, as the agent reported: allow, ask, deny, rules; or nothing."""


async def take_place(connection: Connection, agent: AgentRef, now: datetime) -> Place:
    """Take the next number of an agent.

    Raises: HubError when the agent is unknown or revoked, or has too many tasks that it has not told of.
    """
    row = await connection.fetchrow(NUMBER, agent.id, now)
    if row is None:
        raise HubError(f"there is no agent {agent}; dca hub agent list shows them")
    if row["revoked_at"] is not None:
        raise HubError(f"agent {agent} is revoked and gets no tasks; dca hub agent restore lets it in again")
    if row["open"] >= MAX_OPEN:
        raise HubError(
            f"{MAX_OPEN} tasks wait for agent {agent} already: see whether it reports (dca hub agent list), "
            "wait until it has taken some, or cancel what is no longer wanted"
        )
    return Place(agent.id, row["agent_id"], row["task_number"], json.loads(row["policy"]))


async def issue(connection: Connection, private: Ed25519PrivateKey, place: Place, wish: Wish) -> NewTask:
    """Sign a wish for an agent and store it.

    Raises: HubError when it is too large to travel.
    """
    task_id = uuid4()
    task = sign(wish.body(task_id, place.agent_id, place.number), private)
    if task.ByteSize() > MAX_TASK:
        raise HubError(f"the task has {task.ByteSize()} bytes; {MAX_TASK} are allowed: give it smaller parameters")
    await connection.execute(
        INSERT,
        task_id,
        place.agent,
        place.number,
        wish.kind,
        wish.parameters_text(),
        wish.device_id,
        wish.requested_by,
        wish.role,
        wish.reason,
        wish.asked_at,
        wish.starts_at,
        wish.expires_at,
        task.body,
        task.signature,
        wish.cancels,
        CHANNEL,
        str(place.agent_id),
    )
    return NewTask(task_id, place.number, wish.expires_at, task)

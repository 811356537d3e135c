"""End tasks before the agent does: on somebody's word, or because their time is over."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from dca.errors import HubError
from dca.hub.agents import AgentRef
from dca.hub.tasks.issue import NewTask, issue, take_place
from dca.hub.tasks.states import FINAL, OPEN, state_word
from dca.hub.tasks.wish import CANCEL, LONGEST, Wish
from dca.wire.task_pb2 import TASK_STATE_CANCELLED, TASK_STATE_EXPIRED

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    import asyncpg

    from dca.hub.database import Connection
    from dca.hub.tasks.key import TaskKey

__all__ = ["Cancelled", "cancel_task", "expire"]

# The agent's record first, as whoever stores its report does.
LOCK = """
SELECT a.id, a.agent_id, a.hostname, s.name
FROM agents a JOIN sites s ON s.id = a.site
WHERE a.id = (SELECT agent FROM tasks WHERE id = $1) FOR UPDATE OF a
"""
TASK = """
SELECT t.state, t.kind, t.handed_at,
       (SELECT c.id FROM tasks c WHERE c.cancels = t.id AND c.state IN (0, 2, 3) LIMIT 1) AS cancelled_by
FROM tasks t WHERE t.id = $1 FOR UPDATE OF t
"""
EVENT = """
INSERT INTO task_events (task, at, received_at, state, text, code, by) VALUES ($1, $2, $2, $3, $4, $5, $6)
"""
CANCEL_AT_ONCE = """
UPDATE tasks SET state = $2, state_at = $3, told_at = $3, state_by_hub = true, text = $4, code = 'cancelled'
WHERE id = $1
"""
EXPIRE = """
WITH over AS (
    SELECT id FROM tasks WHERE state IN (0, 2) AND expires_at < $1 OR state = 3 AND expires_at < $4
    ORDER BY agent, number LIMIT 1000 FOR UPDATE SKIP LOCKED),
ended AS (
    UPDATE tasks t SET state = $2, state_at = $1, told_at = $1, state_by_hub = true, text = $3, code = 'expired'
    FROM over WHERE t.id = over.id RETURNING t.id)
INSERT INTO task_events (task, at, received_at, state, text, code, by)
SELECT id, $1, $1, $2, $3, 'expired', 'hub' FROM ended RETURNING task
"""
RUNS = timedelta(days=1)
"""After its expiry: a task that has begun and is heard of no more, for the agent's state is gone, ends all the same."""
OVER = "its time was over before the agent told of its end"


class Cancelled(NamedTuple):
    """What came of a cancellation."""

    by: NewTask | None
    """The task that tells the agent; None when the agent never had it and it is cancelled already."""


async def cancel_task(
    connection: Connection, key: TaskKey, task_id: UUID, *, requested_by: str, reason: str, now: datetime
) -> Cancelled:
    """End a task: at once when it was never handed out, else by a task that tells the agent.

    Raises: HubError when there is no such task, or it cannot be cancelled.
    """
    wish = Wish(CANCEL, {"task": str(task_id)}, requested_by, "", reason, now, life=LONGEST, cancels=task_id)
    async with connection.transaction():
        found = await connection.fetchrow(LOCK, task_id)
        if found is None:
            raise HubError(f"there is no task {task_id}; dca hub task list shows them")
        task = await connection.fetchrow(TASK, task_id)
        assert task is not None
        if task["state"] in FINAL:
            raise HubError(f"task {task_id} is over: it is {state_word(task['state'])}")
        if task["state"] == OPEN and task["handed_at"] is None:
            state = int(TASK_STATE_CANCELLED)
            await connection.execute(CANCEL_AT_ONCE, task_id, state, now, reason)
            await connection.execute(EVENT, task_id, now, state, reason, "cancelled", requested_by)
            return Cancelled(None)
        _refuse(task_id, task)
        place = await take_place(connection, AgentRef(*found), now)
        made = await issue(connection, key.private(), place, wish)
        await connection.execute(EVENT, task_id, now, task["state"], reason, "cancel_asked", requested_by)
    return Cancelled(made)


async def expire(connection: Connection, now: datetime) -> int:
    """End what is open or waiting past its time, or running a day after it, and return how many that were.

    A result of the agent that comes later wins.
    """
    return len(await connection.fetch(EXPIRE, now, int(TASK_STATE_EXPIRED), OVER, now - RUNS))


def _refuse(task_id: UUID, task: asyncpg.Record) -> None:
    if task["kind"] == CANCEL:
        raise HubError(f"task {task_id} is itself a cancellation, and the agent may have it already")
    if task["cancelled_by"] is not None:
        raise HubError(f"the agent is being told already to end task {task_id}, by task {task['cancelled_by']}")

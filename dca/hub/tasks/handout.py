"""What an agent is handed with its report: the tasks that it has not told of yet, whichever way they went before."""

from __future__ import annotations

from datetime import UTC, datetime
from operator import itemgetter
from typing import TYPE_CHECKING

from dca.wire.task_pb2 import Task

if TYPE_CHECKING:
    from uuid import UUID

    from dca.hub.database import Connection

__all__ = ["open_tasks"]

MAX_BYTES = 1 << 20
"""Of tasks in one answer: gRPC takes 4 MiB."""

DUE = """
SELECT id, octet_length(body) AS size FROM tasks
WHERE agent = $1 AND state = 0 AND expires_at >= $2 ORDER BY number LIMIT $3
"""
# What was cancelled or told of since is not handed out.
TAKE = """
WITH due AS (SELECT id FROM tasks WHERE id = ANY($1) AND state = 0 ORDER BY number FOR UPDATE)
UPDATE tasks t SET handed_at = coalesce(t.handed_at, $2) FROM due WHERE t.id = due.id
RETURNING t.number, t.body, t.signature
"""


async def open_tasks(connection: Connection, agent: int, limit: int = 50, now: datetime | None = None) -> list[Task]:
    """Return the oldest tasks of an agent (`agents.id`) that it has not told of, by number, and mark them handed out.

    `now` is the hub's clock.
    """
    now = now or datetime.now(UTC)
    chosen: list[UUID] = []
    size = 0
    for row in await connection.fetch(DUE, agent, now, limit):
        size += row["size"]
        if chosen and size > MAX_BYTES:
            break
        chosen.append(row["id"])
    if not chosen:
        return []
    rows = sorted(await connection.fetch(TAKE, chosen, now), key=itemgetter("number"))
    return [Task(body=row["body"], signature=row["signature"]) for row in rows]

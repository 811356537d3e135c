"""What is known of tasks: lists of them, and the whole story of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias
from uuid import UUID

from dca.errors import HubError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

    from dca.hub.database import Connection

__all__ = ["Story", "find_task", "list_tasks", "state_of", "story_of"]

Source: TypeAlias = "Connection | asyncpg.Pool"

LIST = """
SELECT t.id, t.number, t.kind, t.device_id, t.requested_by, t.role, t.reason, t.issued_at, t.not_before, t.expires_at,
       t.handed_at, t.state, t.state_at, t.told_at, t.text, t.code, a.agent_id, a.hostname, s.name AS site_name,
       d.manufacturer, d.model, d.host
FROM tasks t JOIN agents a ON a.id = t.agent JOIN sites s ON s.id = a.site
LEFT JOIN devices d ON d.agent = t.agent AND d.device_id = t.device_id
WHERE ($1::bigint IS NULL OR t.agent = $1) AND ($2::text IS NULL OR t.device_id = $2)
  AND ($3::smallint IS NULL OR t.state = $3)
ORDER BY t.issued_at DESC, t.id LIMIT $4
"""
ONE = """
SELECT t.*, a.agent_id, a.hostname, s.name AS site_name, d.manufacturer, d.model, d.host
FROM tasks t JOIN agents a ON a.id = t.agent JOIN sites s ON s.id = a.site
LEFT JOIN devices d ON d.agent = t.agent AND d.device_id = t.device_id
WHERE t.id = $1
"""
EVENTS = "SELECT at, received_at, state, text, code, by FROM task_events WHERE task = $1 ORDER BY id LIMIT $2"
FIND = "SELECT id FROM tasks WHERE id BETWEEN $1 AND $2 ORDER BY id LIMIT 11"
STATE = "SELECT state, text, code, told_at FROM tasks WHERE id = $1"

SHORTEST = 4
MOST_EVENTS = 1000


class Story(NamedTuple):
    """A task and what became of it."""

    task: asyncpg.Record
    events: Sequence[asyncpg.Record]
    """In the order in which the hub heard of them."""


async def list_tasks(
    source: Source, last: int, *, agent: int | None = None, device_id: str | None = None, state: int | None = None
) -> list[asyncpg.Record]:
    """Return the latest tasks, newest first: of an agent (`agents.id`), a device, in a state."""
    return await source.fetch(LIST, agent, device_id, state, last)


async def story_of(source: Source, task_id: UUID) -> Story | None:
    """Return a task with its story; None when there is no such task."""
    task = await source.fetchrow(ONE, task_id)
    return None if task is None else Story(task, await source.fetch(EVENTS, task_id, MOST_EVENTS))


async def state_of(source: Source, task_id: UUID) -> asyncpg.Record:
    """Return a task's state, text, code and `told_at`."""
    found = await source.fetchrow(STATE, task_id)
    assert found is not None
    return found


async def find_task(source: Source, text: str) -> UUID:
    """Return the one task whose id begins so.

    Raises: HubError when there is none, or several.
    """
    digits = text.strip().replace("-", "").lower()
    if not SHORTEST <= len(digits) <= len(UUID(int=0).hex) or set(digits) - set("0123456789abcdef"):
        raise HubError(f"{text!r} is no task's id, nor at least {SHORTEST} characters of its beginning")
    first, last = UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
    found: list[UUID] = [row[0] for row in await source.fetch(FIND, first, last)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise HubError(f"there is no task {text!r}; dca hub task list shows them")
    raise HubError(f"several tasks begin with {text!r}: give more of the id\n" + "\n".join(map(str, found)))

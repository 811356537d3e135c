"""Agents and tasks of a hub for tests, written as activation and agents write them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4
from zlib import crc32

from dca.hub.agents import AgentRef
from dca.hub.database import connect, migrate
from dca.hub.ingest.rows import check_rows
from dca.hub.ingest.storage import Arrival, Kept, store
from dca.hub.tasks import TaskKey, cancel_task, new_task, open_tasks
from dca.wire.report_pb2 import ROW_KIND_TASK_RESULT, AgentInfo, Row
from dca.wire.task_pb2 import Task, TaskBody, TaskResult
from tests.hub.office import EPOCH, NOON

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

    import asyncpg

    from dca.hub.tasks.ending import Cancelled
    from dca.hub.tasks.issue import NewTask

MINUTE = timedelta(minutes=1)


async def add_agent(
    database: asyncpg.Connection, hostname: str = "reception-pc", site: str = "Office", **columns: Any
) -> AgentRef:
    """Write an agent; `columns` are more columns of its record."""
    place = await database.fetchval(
        "INSERT INTO sites (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id", site
    )
    agent_id = uuid4()
    number = await database.fetchval(
        "INSERT INTO agents (agent_id, site, version, hostname, platform, devices, devices_answering, backlog)"
        " VALUES ($1, $2, '0.1.0', $3, 'linux-x86_64', 5, 4, 0) RETURNING id",
        agent_id,
        place,
        hostname,
    )
    for name, value in columns.items():
        await database.execute(f"UPDATE agents SET {name} = $2 WHERE id = $1", number, value)
    return AgentRef(number, agent_id, hostname, site)


def told(
    task: UUID | str,
    state: int,
    number: int,
    *,
    at: datetime | None = NOON,
    text: str = "",
    code: str = "",
    result: str = "",
) -> Row:
    """A row with what became of a task, as an agent makes it."""
    made = TaskResult(task_id=str(task), state=state, text=text, code=code, result=result)  # type: ignore[arg-type]
    if at is not None:
        made.at.FromDatetime(at)
    content = made.SerializeToString()
    return Row(epoch=EPOCH, number=number, kind=ROW_KIND_TASK_RESULT, payload=content, crc32=crc32(content))


async def tell(database: asyncpg.Connection, agent: AgentRef, rows: Iterable[Row], at: datetime | None = None) -> Kept:
    """Store rows as the ingest does."""
    info = AgentInfo(version="0.1.0", hostname=agent.hostname, platform="linux-x86_64", devices=5, devices_answering=4)
    arrival = Arrival(
        agent_id=agent.agent_id,
        info=info,
        backlog=0,
        offset=None,
        received_at=at or datetime.now(UTC),
        rows=check_rows(rows),
    )
    kept = await store(database, arrival)
    assert isinstance(kept, Kept)
    return kept


class Desk:
    """Asks, at noon unless told otherwise."""

    def __init__(self, database: asyncpg.Connection, key: TaskKey) -> None:
        self.database = database
        self.key = key

    async def ask(self, agent: AgentRef, kind: str = "read", now: datetime = NOON, **changes: Any) -> NewTask:
        parameters = changes.pop("parameters", {"kind": "full"})
        named = {"requested_by": "ann", "reason": "toner call 4711", **changes}
        return await new_task(self.database, self.key, agent, kind, parameters, now=now, **named)

    async def cancel(self, task: UUID, now: datetime = NOON + MINUTE) -> Cancelled:
        return await cancel_task(self.database, self.key, task, requested_by="bob", reason="no longer needed", now=now)

    async def handed(self, agent: AgentRef, now: datetime = NOON) -> list[UUID]:
        tasks = await open_tasks(self.database, agent.id, now=now)
        return [uuid_of(task) for task in tasks]

    async def state(self, task: UUID) -> tuple[int, str, str]:
        found = await self.database.fetchrow("SELECT state, text, code FROM tasks WHERE id = $1", task)
        return tuple(found)

    async def codes(self, task: UUID) -> list[str]:
        return [
            row[0]
            for row in await self.database.fetch("SELECT code FROM task_events WHERE task = $1 ORDER BY id", task)
        ]


@asynccontextmanager
async def desk_on(url: str, folder: Path) -> AsyncIterator[Desk]:
    """Lend a desk on an empty database, its key in a folder."""
    connection = await connect(url)
    try:
        await migrate(connection)
        key = TaskKey(folder)
        key.ensure()
        yield Desk(connection, key)
    finally:
        await connection.close()


def uuid_of(task: Task) -> UUID:
    return UUID(TaskBody.FromString(task.body).id)

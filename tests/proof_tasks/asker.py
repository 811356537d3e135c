"""Who asks: on a connection of its own to the hub's database, which comes back when the hub does."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from dca.errors import HubError
from dca.hub.agents import AgentRef
from dca.hub.database import AWAY, connect
from dca.hub.engines import EmbeddedPostgres
from dca.hub.tasks import TaskKey, cancel_task, new_task
from dca.hub.tasks.states import FINAL

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path
    from uuid import UUID

    import asyncpg

__all__ = ["Asker", "Wanted"]

T = TypeVar("T")
PATIENCE = 90.0
"""Seconds that the database may be away."""
WHO = "proof"


class Wanted(NamedTuple):
    """A task to be asked for; `mark` names it for ever."""

    mark: str
    kind: str
    parameters: dict[str, Any]
    device_id: str
    life: float = 3600.0


class Asker:
    def __init__(self, data: Path) -> None:
        self._postgres = EmbeddedPostgres(data / "postgres")
        self._key = TaskKey(data)
        self._connection: asyncpg.Connection | None = None
        self._turn = asyncio.Lock()
        self._agent: AgentRef | None = None

    async def use(self, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        """Do something on the connection, and again on a new one while the database is away."""
        end = time.monotonic() + PATIENCE
        async with self._turn:
            while True:
                try:
                    return await work(await self._connected())
                except AWAY as error:
                    await self._drop()
                    if time.monotonic() > end:
                        raise RuntimeError("the hub's database does not come back") from error
                    await asyncio.sleep(0.1)

    async def ask(self, wanted: Wanted) -> UUID:
        """Make a task with the function that `dca hub task new` calls; after a lost answer not a second one."""
        tried = False

        async def work(connection: asyncpg.Connection) -> UUID:
            nonlocal tried
            if tried:
                there: UUID | None = await connection.fetchval("SELECT id FROM tasks WHERE reason = $1", wanted.mark)
                if there is not None:
                    return there
            tried = True
            made = await new_task(
                connection,
                self._key,
                await self._whom(connection),
                wanted.kind,
                wanted.parameters,
                device_id=wanted.device_id,
                requested_by=WHO,
                reason=wanted.mark,
                life=wanted.life,
                now=datetime.now(UTC),
            )
            return made.id

        return await self.use(work)

    async def cancel(self, task: UUID) -> bool:
        """Call a task off; False when it was over already."""

        async def work(connection: asyncpg.Connection) -> bool:
            try:
                now = datetime.now(UTC)
                await cancel_task(connection, self._key, task, requested_by=WHO, reason="called off", now=now)
            except HubError:
                return False
            return True

        return await self.use(work)

    async def began_at(self, task: UUID, seconds: float = 60.0) -> float:
        """Wait until a task is over and return when it began, by the agent's own word (Unix seconds)."""
        end = time.monotonic() + seconds
        while True:
            state = await self.value("SELECT state FROM tasks WHERE id = $1", task)
            if state in FINAL:
                break
            if time.monotonic() > end:
                raise RuntimeError(f"task {task} is not over after {seconds:.0f} s; its state is {state}")
            await asyncio.sleep(0.02)
        at = await self.value("SELECT min(at) FROM task_events WHERE task = $1 AND state = 3", task)
        if at is None:
            story = await self.rows("SELECT state, text, code FROM task_events WHERE task = $1", task)
            raise RuntimeError(f"task {task} never began: {story}")
        return float(at.timestamp())

    async def value(self, statement: str, *given: object) -> Any:
        return await self.use(lambda connection: connection.fetchval(statement, *given))

    async def rows(self, statement: str, *given: object) -> list[asyncpg.Record]:
        return await self.use(lambda connection: connection.fetch(statement, *given))

    async def until(self, statement: str, wanted: object, seconds: float, alive: Callable[[], bool]) -> None:
        """Wait until a statement gives this value."""
        end = time.monotonic() + seconds
        while (found := await self.value(statement)) != wanted:
            if time.monotonic() > end or not alive():
                raise RuntimeError(f"waited {seconds:.0f} s in vain: {statement} gives {found}")
            await asyncio.sleep(0.1)

    async def policy(self) -> dict[str, str]:
        """Return what the agent has reported of its policy."""
        found = await self.value("SELECT policy FROM agents LIMIT 1")
        return dict(json.loads(found)) if found else {}

    async def close(self) -> None:
        await self._drop()
        self._postgres.close()

    async def _whom(self, connection: asyncpg.Connection) -> AgentRef:
        if self._agent is None:
            row = await connection.fetchrow(
                "SELECT a.id, a.agent_id, a.hostname, s.name FROM agents a JOIN sites s ON s.id = a.site"
            )
            assert row is not None
            self._agent = AgentRef(*row)
        return self._agent

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            try:
                await self._postgres.attach(1.0)
                self._connection = await connect(self._postgres.url())
            except HubError as error:
                raise ConnectionRefusedError(str(error)) from error
        return self._connection

    async def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
        self._postgres.close()

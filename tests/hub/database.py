"""A look into the database of a running hub, beside its commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dca.hub.run import database
from tests.hub.enrolled import elsewhere

if TYPE_CHECKING:
    import asyncpg

    from tests.hub.process import HubProcess

__all__ = ["rows"]


def rows(hub: HubProcess, statement: str, *given: Any) -> list[asyncpg.Record]:
    """Run a statement in the hub's database and return its rows."""

    async def work() -> list[asyncpg.Record]:
        async with database(hub.data, None) as connection:
            found: list[asyncpg.Record] = await connection.fetch(statement, *given)
            return found

    return elsewhere(work())

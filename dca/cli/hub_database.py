"""What the commands of `dca hub` share: where the data folder and the database are, and a connection for a moment."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from dca.model import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    import asyncpg

__all__ = ["Data", "DatabaseUrl", "secret", "with_database"]

T = TypeVar("T")

# readable=False: the data folder itself says more about one that is not ours than the option could.
Data = Annotated[Path, typer.Option("--data", help="The hub's data folder.", show_default=False, readable=False)]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        envvar="DCA_DATABASE_URL",
        help="PostgreSQL 15 or newer to use instead of the embedded one, postgresql://user:password@host/database. "
        "Better in the environment than on the command line, where others can see it.",
        show_envvar=True,
    ),
]


def with_database(
    data: Path, database_url: str | None, work: Callable[[asyncpg.Connection], Coroutine[None, None, T]]
) -> T:
    """Return what `work` returns, given a connection to the hub's database, whether a hub runs or not."""
    from dca.hub.run import database  # noqa: PLC0415 - imports the hub's libraries

    async def main() -> T:
        async with database(data, secret(database_url)) as connection:
            return await work(connection)

    return asyncio.run(main())


def secret(text: str | None) -> Secret | None:
    """Return what an option gave, if anything."""
    return Secret(text) if text else None

"""The hub's database: connections and the schema's migrations."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from importlib import resources
from typing import TYPE_CHECKING, NamedTuple, TypeAlias
from urllib.parse import parse_qs, urlsplit

import asyncpg
import asyncpg.pool

from dca.errors import HubError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["AWAY", "Connection", "Migration", "connect", "migrate", "migrations", "open_pool"]

Connection: TypeAlias = "asyncpg.Connection | asyncpg.pool.PoolConnectionProxy"
"""A connection of one's own, or one that a pool lent."""
log = logging.getLogger(__name__)

OLDEST_SERVER = 15
TELL_AFTER_S = 0.5
"""A server that takes longer is waited for with words."""
MIGRATION_LOCK = 0x6463_6168_7562
"""Advisory lock: several hubs may start at once against one database."""
AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What a database that is away, full or starting raises; the last, in the moment before its goodbye is understood."""


class Migration(NamedTuple):
    """One step of the schema."""

    number: int
    name: str
    sql: str

    @property
    def sha256(self) -> bytes:
        """What is recorded, so that a changed step is noticed."""
        return hashlib.sha256(self.sql.encode()).digest()


def migrations() -> list[Migration]:
    """Return the steps that this version of the hub knows, in order."""
    return sorted(
        Migration(int(match[1]), match[2], file.read_text("utf-8"))
        for file in resources.files("dca.hub.migrations").iterdir()
        if (match := re.fullmatch(r"(\d{4})_(\w+)\.sql", file.name))
    )


async def connect(url: str, patience: float = 10.0) -> asyncpg.Connection:
    """Open one connection, waiting for a server that is starting.

    Raises: HubError when it does not answer within `patience` seconds or is too old.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    where = _where(url)
    telling = loop.call_later(TELL_AFTER_S, log.warning, "waiting up to %.0f s for the database at %s", patience, where)
    try:
        connection = await _connected(url, deadline, where)
    finally:
        telling.cancel()
    if connection.get_server_version().major < OLDEST_SERVER:
        await connection.close()
        raise HubError(f"the hub needs PostgreSQL {OLDEST_SERVER} or newer; this is {connection.get_server_version()}")
    return connection


async def _connected(url: str, deadline: float, where: str) -> asyncpg.Connection:
    while True:
        try:
            return await asyncpg.connect(
                url, timeout=5, server_settings={"application_name": "dca hub", "timezone": "UTC"}
            )
        except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError, ValueError) as error:
            raise HubError(f"the database refuses: {error}") from error
        except AWAY as error:
            if asyncio.get_running_loop().time() > deadline:
                reason = str(error) or type(error).__name__
                raise HubError(
                    f"the database at {where} does not answer: {reason}. See that it runs and can be reached from here"
                ) from error
            await asyncio.sleep(0.25)


def _where(url: str) -> str:
    """Return what may be shown of a database's address: its host and port, never user or password."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or "".join(parse_qs(parts.query).get("host", [])) or "the usual socket"
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "the given address"
    return host + port


async def open_pool(url: str, size: int) -> asyncpg.Pool:
    """Open a bounded pool; `connect` has shown before that the server answers."""
    return await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size,
        timeout=5,
        command_timeout=30,
        max_inactive_connection_lifetime=300,
        server_settings={"application_name": "dca hub", "timezone": "UTC"},
    )


async def migrate(connection: Connection, steps: Sequence[Migration] | None = None) -> list[Migration]:
    """Bring the schema up to this version in one transaction; return what was applied.

    Raises: HubError when the database was changed by a newer hub, or a recorded step reads differently now.
    """
    known = {step.number: step for step in (migrations() if steps is None else steps)}
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", MIGRATION_LOCK)
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS migrations (number int PRIMARY KEY, name text NOT NULL,"
            " sha256 bytea NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        done = {row["number"]: row for row in await connection.fetch("SELECT number, name, sha256 FROM migrations")}
        for number, row in done.items():
            if number not in known:
                raise HubError(
                    f"the database is newer than this hub (it has step {number:04d} {row['name']}): upgrade the hub"
                )
            if known[number].sha256 != row["sha256"]:
                raise HubError(
                    f"step {number:04d} {row['name']} of the database is not the one of this hub: "
                    "it was made by a modified hub; go back to that version"
                )
        fresh = [step for number, step in sorted(known.items()) if number not in done]
        for step in fresh:
            await connection.execute(step.sql)
            await connection.execute(
                "INSERT INTO migrations (number, name, sha256) VALUES ($1, $2, $3)", step.number, step.name, step.sha256
            )
    return fresh

"""Customers' sites and the tokens with which their agents report."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, NamedTuple

import asyncpg

from dca.errors import HubError
from dca.model import Secret

if TYPE_CHECKING:
    from datetime import datetime

    from dca.hub.database import Connection

__all__ = ["Site", "add_site", "list_sites", "renew_token", "site_of"]

TOKEN_BYTES = 32
NAME_LIMIT = 100


class Site(NamedTuple):
    """A site and how much it holds."""

    id: int
    name: str
    created_at: datetime
    agents: int
    devices: int
    last_report_at: datetime | None


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


async def _give_token(connection: Connection, site: int) -> Secret:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    await connection.execute("INSERT INTO site_tokens (sha256, site) VALUES ($1, $2)", _hash(token), site)
    return Secret(token)


async def add_site(connection: Connection, name: str) -> Secret:
    """Add a site and return its token, which is not kept.

    Raises: HubError when the name is taken or no name.
    """
    name = name.strip()
    if not name or len(name) > NAME_LIMIT or not name.isprintable():
        raise HubError(f"a site's name has 1 to {NAME_LIMIT} printable characters")
    async with connection.transaction():
        try:
            site = await connection.fetchval("INSERT INTO sites (name) VALUES ($1) RETURNING id", name)
        except asyncpg.UniqueViolationError:
            raise HubError(f"there is a site {name!r} already; for a new token: dca hub site token {name!r}") from None
        return await _give_token(connection, site)


async def renew_token(connection: Connection, name: str, *, keep_old: bool) -> Secret:
    """Return another token for a site; the old ones end now unless they are kept.

    Raises: HubError when there is no such site.
    """
    async with connection.transaction():
        site = await connection.fetchval("SELECT id FROM sites WHERE name = $1 FOR UPDATE", name.strip())
        if site is None:
            raise HubError(f"there is no site {name.strip()!r}; dca hub site list shows them")
        if not keep_old:
            await connection.execute(
                "UPDATE site_tokens SET revoked_at = now() WHERE site = $1 AND revoked_at IS NULL", site
            )
        return await _give_token(connection, site)


async def list_sites(connection: Connection) -> list[Site]:
    """Return every site, by name."""
    found = await connection.fetch(
        """
        SELECT s.id, s.name, s.created_at, count(DISTINCT a.id) AS agents, count(d.device_id) AS devices,
               max(a.last_report_at) AS last_report_at
        FROM sites s LEFT JOIN agents a ON a.site = s.id LEFT JOIN devices d ON d.agent = a.id
        GROUP BY s.id ORDER BY lower(s.name), s.id
        """
    )
    return [Site(*row) for row in found]


async def site_of(pool: asyncpg.Pool, token: str) -> int | None:
    """Return the site that a token stands for, or None."""
    found: int | None = await pool.fetchval(
        "SELECT site FROM site_tokens WHERE sha256 = $1 AND revoked_at IS NULL", _hash(token)
    )
    return found

"""Customers' sites."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import asyncpg

from dca.errors import HubError

if TYPE_CHECKING:
    from datetime import datetime

    from dca.hub.database import Connection

__all__ = ["Site", "add_site", "list_sites"]

NAME_LIMIT = 100


class Site(NamedTuple):
    """A site and how much it holds."""

    id: int
    name: str
    created_at: datetime
    agents: int
    devices: int
    last_report_at: datetime | None


async def add_site(connection: Connection, name: str) -> None:
    """Add a site.

    Raises: HubError when the name is taken or no name.
    """
    name = name.strip()
    if not name or len(name) > NAME_LIMIT or not name.isprintable():
        raise HubError(f"a site's name has 1 to {NAME_LIMIT} printable characters")
    try:
        await connection.execute("INSERT INTO sites (name) VALUES ($1)", name)
    except asyncpg.UniqueViolationError:
        raise HubError(f"there is a site {name!r} already; for a code: dca hub code new --site {name!r}") from None


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

"""What the pages ask the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

__all__ = [
    "PER_PAGE",
    "PER_SITE",
    "Cut",
    "Fleet",
    "Row",
    "agents",
    "device",
    "devices_named",
    "events",
    "fleet",
    "summary",
]


class Row(Protocol):
    """A record of an answer: its columns by name."""

    def __getitem__(self, column: str, /) -> Any:
        """Return a column's value."""


class Cut(NamedTuple):
    """What part of the fleet a page shows."""

    site: int | None
    limit: int
    """Devices of a site."""
    page: int = 1


class Fleet(NamedTuple):
    """What a page of the fleet is made of."""

    sites: Sequence[Row]
    agents: Sequence[Row]
    devices: Sequence[Row]
    summary: Row


PER_SITE = 60
"""Devices of one site on the first page; the site's own page has the rest."""
PER_PAGE = 200

SITES = "SELECT id, name FROM sites WHERE $1::bigint IS NULL OR id = $1 ORDER BY lower(name), id"
NAMED = """
SELECT d.*, a.agent_id, a.site, s.name AS site_name
FROM unnest($1::uuid[], $2::text[]) AS asked (agent_id, device_id)
JOIN agents a ON a.agent_id = asked.agent_id JOIN sites s ON s.id = a.site
JOIN devices d ON d.agent = a.id AND d.device_id = asked.device_id
"""
# Silent ones first: they are what a cut must not hide.
DEVICES = """
SELECT d.*, n.agent_id, n.site, n.site_name, n.place, n.of_site
FROM (
    SELECT d.agent, d.device_id, a.agent_id, a.site, s.name AS site_name,
           row_number() OVER (PARTITION BY a.site
               ORDER BY d.silent_since IS NULL, d.manufacturer, d.model, d.host, d.agent, d.device_id) AS place,
           count(*) OVER (PARTITION BY a.site) AS of_site
    FROM devices d JOIN agents a ON a.id = d.agent JOIN sites s ON s.id = a.site
    WHERE $1::bigint IS NULL OR a.site = $1
) n JOIN devices d USING (agent, device_id)
WHERE n.place > $2 AND n.place <= $2 + $3
ORDER BY n.site, n.place
"""
AGENTS = """
SELECT a.*, s.name AS site_name
FROM agents a JOIN sites s ON s.id = a.site
WHERE ($1::bigint IS NULL OR a.site = $1) AND ($2::uuid[] IS NULL OR a.agent_id = ANY($2))
ORDER BY a.site, lower(a.hostname), a.id
"""
SUMMARY = """
SELECT (SELECT count(*) FROM sites) AS sites,
       (SELECT count(*) FROM agents) AS agents,
       (SELECT count(*) FROM agents WHERE last_report_at > now() - interval '15 minutes') AS agents_reporting,
       count(*) AS devices,
       count(*) FILTER (WHERE silent_since IS NULL) AS devices_answering,
       count(*) FILTER (WHERE silent_since IS NOT NULL AND outcome = 4) AS devices_asleep,   -- OUTCOME_ASLEEP
       count(*) FILTER (WHERE silent_since IS NOT NULL AND outcome <> 4) AS devices_silent
FROM devices
"""
EVENTS = """
SELECT at, received_at, name, text FROM events WHERE agent = $1 AND device_id = $2 ORDER BY id DESC LIMIT 20
"""


async def fleet(pool: asyncpg.Pool, cut: Cut) -> Fleet:
    """Return the part of the fleet that a page shows; without sites when the asked one does not exist."""
    site = cut.site
    return Fleet(
        sites=await pool.fetch(SITES, site),
        agents=await agents(pool, site),
        devices=await pool.fetch(DEVICES, site, (cut.page - 1) * cut.limit, cut.limit),
        summary=await summary(pool),
    )


async def agents(
    pool: asyncpg.Pool, site: int | None = None, agent_ids: list[str] | None = None
) -> list[asyncpg.Record]:
    """Return agents, of one site or by their ids."""
    return await pool.fetch(AGENTS, site, agent_ids)


async def devices_named(pool: asyncpg.Pool, names: list[tuple[str, str]]) -> list[asyncpg.Record]:
    """Return devices by (agent UUID, device_id)."""
    return await pool.fetch(NAMED, *map(list, zip(*names, strict=True)))


async def device(pool: asyncpg.Pool, agent_id: str, device_id: str) -> asyncpg.Record | None:
    """Return one device."""
    found = await devices_named(pool, [(agent_id, device_id)])
    return found[0] if found else None


async def summary(pool: asyncpg.Pool) -> asyncpg.Record:
    """Return the figures at the top."""
    found = await pool.fetchrow(SUMMARY)
    assert found is not None
    return found


async def events(pool: asyncpg.Pool, agent: int, device_id: str) -> list[asyncpg.Record]:
    """Return a device's latest events."""
    return await pool.fetch(EVENTS, agent, device_id)

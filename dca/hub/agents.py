"""The agents that this hub knows: find one by what a person types, and shut one out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dca.errors import HubError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    import asyncpg

    from dca.hub.database import Connection

__all__ = [
    "AgentRef",
    "DeviceRef",
    "agent_record",
    "find_agent",
    "find_device",
    "list_agents",
    "restore_agent",
    "revoke_agent",
]

CHOICES = 10
"""Of several that fit, so many are named."""
REASON_LIMIT = 500


class AgentRef(NamedTuple):
    """An agent, found."""

    id: int
    agent_id: UUID
    hostname: str
    site: str

    def __str__(self) -> str:
        return f"{self.hostname or 'an unnamed host'} of {self.site} ({self.agent_id})"


class DeviceRef(NamedTuple):
    """A device, found, and the agent that reads it."""

    agent: AgentRef
    device_id: str
    host: str
    title: str

    def __str__(self) -> str:
        return f"{self.device_id}  {self.title} at {self.host}, agent {self.agent}"


# The whole name beats the beginning of an id, which has at least four characters.
FIND_AGENT = """
SELECT a.id, a.agent_id, a.hostname, s.name
FROM agents a JOIN sites s ON s.id = a.site
WHERE lower(a.hostname) = lower($1) OR (length($1) >= 4 AND starts_with(a.agent_id::text, lower($1)))
ORDER BY s.name, a.hostname, a.id
"""
FIND_DEVICE = """
SELECT a.id, a.agent_id, a.hostname, s.name, d.device_id, d.host,
       coalesce(nullif(concat_ws(' ', d.manufacturer, d.model), ''), 'unknown model')
FROM devices d JOIN agents a ON a.id = d.agent JOIN sites s ON s.id = a.site
WHERE ($2::bigint IS NULL OR d.agent = $2)
  AND ($1 IN (d.device_id, d.host, d.asset) OR lower($1) IN (lower(d.serial), lower(d.mac), lower(d.name)))
ORDER BY s.name, d.host, a.id, d.device_id
"""
LIST = """
SELECT a.*, s.name AS site_name
FROM agents a JOIN sites s ON s.id = a.site
WHERE $1::bigint IS NULL OR a.id = $1
ORDER BY lower(s.name), lower(a.hostname), a.id
"""
REVOKE = "UPDATE agents SET revoked_at = $2, revoked_reason = $3 WHERE id = $1 AND revoked_at IS NULL RETURNING id"
RESTORE = (
    "UPDATE agents SET revoked_at = NULL, revoked_reason = NULL WHERE id = $1 AND revoked_at IS NOT NULL RETURNING id"
)
NOTIFY = "SELECT pg_notify('dca_agents', $1)"


async def find_agent(connection: Connection, text: str) -> AgentRef:
    """Return the one agent with this id, beginning of an id, or host name.

    Raises: HubError when there is none, or several: it names them.
    """
    found = [AgentRef(*row) for row in await connection.fetch(FIND_AGENT, _searched(text))]
    if len(found) == 1:
        return found[0]
    if not found:
        raise HubError(f"there is no agent {text!r}; dca hub agent list shows them")
    raise HubError(_several("agents", text, found, "give the id, or a longer part of it"))


async def find_device(connection: Connection, text: str, agent: AgentRef | None = None) -> DeviceRef:
    """Return the one device with this device id, serial number, address, name, MAC or asset number.

    Raises: HubError when there is none, or several: it names them.
    """
    rows = await connection.fetch(FIND_DEVICE, _searched(text), agent.id if agent else None)
    found = [DeviceRef(AgentRef(*row[:4]), *row[4:]) for row in rows]
    if len(found) == 1:
        return found[0]
    if not found:
        where = f" at agent {agent}" if agent else ""
        raise HubError(
            f"there is no device {text!r}{where}: give its id, serial number or address as the page shows it"
        )
    raise HubError(_several("devices", text, found, "give the device id, and --agent where that is not enough"))


async def list_agents(connection: Connection) -> list[asyncpg.Record]:
    """Return every agent's record with its `site_name`, by site and host name."""
    return await connection.fetch(LIST, None)


async def agent_record(connection: Connection, agent: AgentRef) -> asyncpg.Record:
    """Return one agent's record with its `site_name`."""
    found = await connection.fetchrow(LIST, agent.id)
    assert found is not None
    return found


async def revoke_agent(connection: Connection, agent: AgentRef, reason: str, now: datetime) -> None:
    """Shut an agent out at once; running hubs hear of it.

    Raises: HubError when it is shut out already, or the reason is none.
    """
    reason = reason.strip()
    if not reason or len(reason) > REASON_LIMIT or not reason.isprintable():
        raise HubError(f"a reason has 1 to {REASON_LIMIT} printable characters")
    await _change(connection, agent, "is revoked already", REVOKE, now, reason)


async def restore_agent(connection: Connection, agent: AgentRef) -> None:
    """Let a revoked agent in again.

    Raises: HubError when it is not revoked.
    """
    await _change(connection, agent, "is not revoked", RESTORE)


async def _change(connection: Connection, agent: AgentRef, otherwise: str, statement: str, *given: object) -> None:
    async with connection.transaction():
        if await connection.fetchval(statement, agent.id, *given) is None:
            raise HubError(f"agent {agent} {otherwise}")
        await connection.execute(NOTIFY, str(agent.agent_id))


def _searched(text: str) -> str:
    """Return what a person typed as a column could hold it."""
    return text.strip().replace("\0", "").encode("utf-8", "replace").decode()


def _several(what: str, text: str, found: Sequence[object], advice: str) -> str:
    lines = [f"{len(found)} {what} fit {text!r}: {advice}", *map(str, found[:CHOICES])]
    if len(found) > CHOICES:
        lines.append(f"and {len(found) - CHOICES} more")
    return "\n".join(lines)

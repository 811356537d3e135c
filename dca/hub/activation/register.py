"""The register of agents and their certificates."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from dca.hub.ingest.agents import REPLACED
from dca.hub.ingest.rows import clean

if TYPE_CHECKING:
    from datetime import datetime

    from dca.hub.activation.codes import Judged
    from dca.hub.database import Connection
    from dca.hub.pki import Issued
    from dca.wire.activation_pb2 import ActivateRequest

__all__ = [
    "GRACE",
    "MOST_FROM_SOURCE",
    "NOT_RENEWED",
    "REFUSED",
    "enrol",
    "keep_certificate",
    "may_renew",
    "note",
    "too_many",
]

GRACE = timedelta(days=400)
"""After its end a certificate can still be renewed so long: a PC that was off for a year comes back by itself."""
MOST_FROM_SOURCE = 50
"""Refused tries of one address in an hour before nothing from it is judged."""
REFUSED = "refused: "
NOT_RENEWED = "not renewed: "
MOST_RENEWALS = 20
"""Certificates for one agent in an hour; one that asks for more is out of its mind, or stolen."""


async def note(
    connection: Connection,
    now: datetime,
    source: str,
    outcome: str,
    *,
    code: str | None = None,
    agent: int | None = None,
) -> None:
    """Write down what came of a try."""
    await connection.execute(
        "INSERT INTO activations (at, source, code, agent, outcome) VALUES ($1, $2, $3, $4, $5)",
        now, clean(source, 64), code, agent, outcome,
    )  # fmt: skip


async def too_many(connection: Connection, source: str, now: datetime, word: str = REFUSED) -> bool:
    """Tell whether an address has been refused so often lately that nothing more from it is judged, or noted."""
    count: int = await connection.fetchval(
        "SELECT count(*) FROM activations WHERE source = $1 AND at > $2 AND starts_with(outcome, $3)",
        clean(source, 64), now - timedelta(hours=1), word,
    )  # fmt: skip
    return count >= MOST_FROM_SOURCE


async def enrol(
    connection: Connection, judged: Judged, key: bytes, asked: ActivateRequest, now: datetime
) -> tuple[int, UUID]:
    """Return the agent that a code makes or names; the code is used from here on, and a revoked agent let in again."""
    agent = judged.agent
    if agent is None:
        agent_id = uuid4()
        agent = await connection.fetchval(
            "INSERT INTO agents (agent_id, site, version, hostname, platform, devices, devices_answering, backlog,"
            " first_report_at, last_report_at) VALUES ($1, $2, $3, $4, '', 0, 0, 0, $5, $5) RETURNING id",
            agent_id, judged.site, clean(asked.agent_version), clean(asked.hostname), now,
        )  # fmt: skip
        assert agent is not None
    else:
        agent_id = UUID(str(await connection.fetchval("SELECT agent_id FROM agents WHERE id = $1", agent)))
    if not judged.repeated:
        await connection.execute(
            "UPDATE codes SET used_at = $2, used_by = $3, used_key = $4 WHERE id = $1", judged.id, now, agent, key
        )
        await connection.execute(
            "UPDATE certificates SET replaced_at = $2 WHERE agent = $1 AND replaced_at IS NULL", agent, now
        )
        await connection.execute(
            "UPDATE agents SET revoked_at = NULL, revoked_reason = NULL, clone_seen_at = NULL WHERE id = $1", agent
        )
        await connection.execute("SELECT pg_notify('dca_agents', $1)", str(agent_id))
    return agent, agent_id


async def keep_certificate(connection: Connection, agent: int, issued: Issued, now: datetime) -> None:
    """Write a certificate into the register."""
    await connection.execute(
        "INSERT INTO certificates (serial, agent, not_before, not_after, issued_at) VALUES ($1, $2, $3, $4, $5)",
        issued.serial, agent, issued.not_before, issued.not_after, now,
    )  # fmt: skip
    await connection.execute(
        "UPDATE agents SET certificate_until = greatest(certificate_until, $2) WHERE id = $1", agent, issued.not_after
    )


async def may_renew(connection: Connection, serial: str, now: datetime) -> tuple[int, UUID] | str:
    """Return the agent whose certificate this is, or why it is not renewed, in words."""
    row = await connection.fetchrow(
        "SELECT c.not_after, c.replaced_at, a.id, a.agent_id, a.revoked_at, a.revoked_reason"
        " FROM certificates c JOIN agents a ON a.id = c.agent WHERE c.serial = $1",
        serial,
    )
    if row is None:
        return "this hub has not issued that certificate: activate the agent anew (dca activate)"
    if row["revoked_at"] is not None:
        return f"this agent was revoked: {row['revoked_reason'] or 'no reason was given'}"
    if row["replaced_at"] is not None:
        await connection.execute("UPDATE agents SET clone_seen_at = $2 WHERE id = $1", row["id"], now)
        return REPLACED
    if row["not_after"] + GRACE < now:
        ended = f"{row['not_after']:%Y-%m-%d}"
        return f"the certificate ended at {ended}, too long ago: activate the agent anew (dca activate)"
    issued = await connection.fetchval(
        "SELECT count(*) FROM certificates WHERE agent = $1 AND issued_at > $2", row["id"], now - timedelta(hours=1)
    )
    if issued >= MOST_RENEWALS:
        return f"{issued} certificates were issued to this agent within an hour: try again later"
    return row["id"], UUID(str(row["agent_id"]))

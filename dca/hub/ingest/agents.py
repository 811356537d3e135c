"""The agent's own record: brought up to date with each report; copies of it and a rewritten audit log are noticed."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from dca.hub.ingest.rows import clean, moment
from dca.hub.ingest.statements import AGENT, AGENT_BEFORE, CLONE

if TYPE_CHECKING:
    from datetime import datetime

    import asyncpg

    from dca.hub.database import Connection
    from dca.hub.ingest.storage import Arrival
    from dca.wire.report_pb2 import AuditHead

__all__ = ["REPLACED", "Known", "audit_head", "keep_agent"]

HASH_BYTES = 32
INSTANCE_BYTES = 16
TOLD_FOR = timedelta(days=1)
"""How long both copies of an agent are told that there are two."""
REMEMBERED = timedelta(days=400)
"""How long a run that has ended is known again."""
MOST_KINDS = 100
REPLACED = (
    "a newer certificate of this agent is in use: this is a copy of it, or its state was restored from a "
    "backup. Activate one of them anew (dca activate)"
)


class Known(NamedTuple):
    """An agent that may report."""

    id: int
    audit_number: int
    clone_seen: bool
    audit_broken: bool


async def keep_agent(connection: Connection, arrival: Arrival) -> Known | str:
    """Write what a report says of its agent and lock its record; return why it may not report, in words."""
    before = await connection.fetchrow(AGENT_BEFORE, arrival.agent_id, arrival.serial)
    if before is None:
        return "this hub does not know the agent any more: activate it anew (dca activate)"
    if before["revoked_at"] is not None:
        return f"this agent was revoked: {before['revoked_reason'] or 'no reason was given'}"
    agent, now = before["id"], arrival.received_at
    if before["replaced_at"] is not None:
        await connection.execute(CLONE, agent, now)
        return REPLACED
    cloned = await _is_copy(connection, before, arrival)
    number, digest, broken = _audit(before, arrival)
    info = arrival.info
    policy = {clean(kind, 64): clean(word, 16) for kind, word in sorted(info.policy.items())[:MOST_KINDS]}
    clone_seen_at = now if cloned else before["clone_seen_at"]
    await connection.execute(
        AGENT,
        agent,
        clean(info.version),
        clean(info.hostname),
        clean(info.platform),
        moment(info.started_at),
        info.devices,
        info.devices_answering,
        min(arrival.backlog, 2**63 - 1),
        arrival.offset.total_seconds() if arrival.offset is not None else None,
        now,
        json.dumps(policy),
        clean(info.channel, 16),
        number,
        digest,
        now if broken and before["audit_broken_at"] is None else before["audit_broken_at"],
        clone_seen_at,
        arrival.instance if not cloned and len(arrival.instance) == INSTANCE_BYTES else before["instance"],
    )
    await _used(connection, agent, arrival.serial, now)
    return Known(agent, number, clone_seen_at is not None and now - clone_seen_at < TOLD_FOR, broken)


async def _is_copy(connection: Connection, before: asyncpg.Record, arrival: Arrival) -> bool:
    """Tell whether this run of the agent had ended by another one's beginning: then there are two of it."""
    last, this = before["instance"], arrival.instance
    if len(this) != INSTANCE_BYTES or this == last:
        return False
    if await connection.fetchval(
        "SELECT true FROM agent_instances WHERE agent = $1 AND instance = $2", before["id"], this
    ):
        return True
    if last is not None:
        await connection.execute(
            "DELETE FROM agent_instances WHERE agent = $1 AND ended_at < $2",
            before["id"], arrival.received_at - REMEMBERED,
        )  # fmt: skip
        await connection.execute(
            "INSERT INTO agent_instances (agent, instance, ended_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            before["id"], last, arrival.received_at,
        )  # fmt: skip
    return False


async def _used(connection: Connection, agent: int, serial: str, now: datetime) -> None:
    """Note that an agent came with this certificate: the ones issued before it are over."""
    first = await connection.fetchval(
        "UPDATE certificates SET first_used = $2 WHERE serial = $1 AND first_used IS NULL RETURNING issued_at",
        serial,
        now,
    )
    if first is not None:
        await connection.execute(
            "UPDATE certificates SET replaced_at = $3 WHERE agent = $1 AND issued_at < $2 AND replaced_at IS NULL",
            agent, first, now,
        )  # fmt: skip
        await connection.execute("SELECT pg_notify('dca_agents', '')")


def _audit(before: asyncpg.Record, arrival: Arrival) -> tuple[int, bytes | None, bool]:
    """Return the audit entry to hold from now on, and whether the log does not hold what it had held.

    A newer head is taken when the agent has shown the entry that is held here; the first report of a run cannot,
    for it does not know which one that is.
    """
    number, digest = before["audit_number"], before["audit_hash"]
    head, held = arrival.audit, arrival.audit_held
    if head is None:
        return number, digest, False
    if not number:
        return head.number, head.hash, False
    if head.number < number or (head.number == number and head.hash != digest):
        return head.number, head.hash, True
    if held is None or held.number != number:
        return number, digest, False
    return head.number, head.hash, held.hash != digest


def audit_head(head: AuditHead) -> AuditHead | None:
    """Return an entry that a report names, None where it names none."""
    return head if 0 < head.number < 2**63 and len(head.hash) == HASH_BYTES else None

"""Activation codes in the database: made, listed, withdrawn, and judged when somebody comes with one."""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from dca.contract.codes import Code, make_code
from dca.errors import HubError

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    import asyncpg

    from dca.hub.database import Connection

__all__ = ["MOST_FAILURES", "CodeRow", "Judged", "add_code", "judge", "list_codes", "withdraw_code"]

MOST_FAILURES = 5
"""Wrong secrets after which a code is locked."""
MOST_LIFE = timedelta(days=90)
# The agent has used, or lost by a later code, a certificate that came of an activation.
HEARD = """
SELECT true FROM certificates
WHERE agent = $1 AND issued_at >= $2 AND (first_used IS NOT NULL OR replaced_at IS NOT NULL) LIMIT 1
"""
NOT_VALID = "this activation code is not valid"
"""Said of one that is unknown, wrong or locked: who guesses learns nothing of the others."""


class CodeRow(NamedTuple):
    """A code as it is listed."""

    id: str
    site: str
    agent_id: UUID | None
    """The known agent that it is for, or the one that used it."""
    created_by: str
    created_at: datetime
    expires_at: datetime
    failures: int
    locked_at: datetime | None
    used_at: datetime | None


class Judged(NamedTuple):
    """A code that holds."""

    id: str
    site: int
    site_name: str
    agent: int | None
    """The known agent that it gives a new identity to, or that has used it with the same key."""
    repeated: bool
    """It was used before, with the very same key, and the agent never came with what it got: an answer was lost."""


async def add_code(
    connection: Connection, pin: bytes, site: str, *, agent_id: UUID | None, life: timedelta, by: str, now: datetime
) -> Code:
    """Make a code for a site, or for a known agent of it, and return it; only its digest is kept.

    Raises: HubError when there is no such site or agent.
    """
    if not timedelta(minutes=1) <= life <= MOST_LIFE:
        raise HubError(f"a code lasts from one minute to {MOST_LIFE.days} days")
    code = make_code(pin)
    async with connection.transaction():
        found = await connection.fetchval("SELECT id FROM sites WHERE name = $1", site.strip())
        if found is None:
            raise HubError(f"there is no site {site.strip()!r}; dca hub site list shows them")
        agent = None
        if agent_id is not None:
            agent = await connection.fetchval(
                "SELECT id FROM agents WHERE agent_id = $1 AND site = $2", agent_id, found
            )
            if agent is None:
                raise HubError(f"the site has no agent {agent_id}; dca hub agent list shows them")
        await connection.execute(
            "INSERT INTO codes (id, digest, site, agent, created_at, created_by, expires_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7)",
            code.id, code.digest(), found, agent, now, by, now + life,
        )  # fmt: skip
    return code


async def list_codes(connection: Connection) -> list[CodeRow]:
    """Return every code, the newest first."""
    found = await connection.fetch(
        """
        SELECT c.id, s.name, coalesce(u.agent_id, a.agent_id), c.created_by, c.created_at, c.expires_at, c.failures,
               c.locked_at, c.used_at
        FROM codes c JOIN sites s ON s.id = c.site LEFT JOIN agents a ON a.id = c.agent
        LEFT JOIN agents u ON u.id = c.used_by ORDER BY c.created_at DESC, c.id
        """
    )
    return [CodeRow(*row) for row in found]


async def withdraw_code(connection: Connection, code_id: str, now: datetime) -> None:
    """Let a code end now.

    Raises: HubError when there is none that could still be used.
    """
    done = await connection.execute(
        "UPDATE codes SET expires_at = $2 WHERE id = $1 AND used_at IS NULL AND expires_at > $2",
        code_id.strip().upper(), now,
    )  # fmt: skip
    if not done.endswith(" 1"):
        raise HubError(f"there is no open code {code_id.strip()!r}; dca hub code list shows them")


async def judge(connection: Connection, code: Code, key: bytes, now: datetime) -> Judged | str:
    """Judge a code within a transaction; `key` is the SHA-256 of the public key. Return why not as words.

    The row stays locked until the transaction ends, so that a code is used once however many come with it.
    """
    row = await connection.fetchrow(
        "SELECT c.*, s.name AS site_name FROM codes c JOIN sites s ON s.id = c.site WHERE c.id = $1 FOR UPDATE OF c",
        code.id,
    )
    if row is None:
        return NOT_VALID
    if not hmac.compare_digest(row["digest"], code.digest()):
        await connection.execute(
            "UPDATE codes SET failures = failures + 1,"
            " locked_at = CASE WHEN failures + 1 >= $2 THEN coalesce(locked_at, $3) ELSE locked_at END WHERE id = $1",
            code.id, MOST_FAILURES, now,
        )  # fmt: skip
        return NOT_VALID
    heard = row["used_at"] is not None and await connection.fetchval(HEARD, row["used_by"], row["used_at"])
    return _judge_right(row, key, now, heard=bool(heard))


def _judge_right(row: asyncpg.Record, key: bytes, now: datetime, *, heard: bool) -> Judged | str:
    """Judge a code whose secret is right: its owner may hear why it does not hold."""
    if row["locked_at"] is not None:
        return "this activation code was locked after five wrong tries: ask the hub's operator for a new one"
    if row["used_at"] is not None:
        if not heard and hmac.compare_digest(row["used_key"], key):
            return Judged(row["id"], row["site"], row["site_name"], row["used_by"], repeated=True)
        return "this activation code was used already: ask the hub's operator for a new one"
    if row["expires_at"] <= now:
        return f"this activation code ended at {row['expires_at']:%Y-%m-%d %H:%M} UTC: ask for a new one"
    return Judged(row["id"], row["site"], row["site_name"], row["agent"], repeated=False)

"""How agents are shown on the command line: a table, one agent in full, JSON."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from dca.cli.hub_task_view import SHORT, utc
from dca.cli.render import ago, number, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    import asyncpg

__all__ = ["agent_fields", "agent_text", "agents_table"]

COLUMNS = ("site", "agent", "id", "version", "last report", "devices", "channel", "certificate", "policy", "")
_POLICY_STYLES = {"allow": "green", "ask": "blue", "rules": "cyan", "deny": "dim"}
_COPIED = ("version", "hostname", "platform", "devices", "devices_answering", "backlog", "channel", "audit_number")
_TIMES = (
    "first_report_at",
    "last_report_at",
    "certificate_until",
    "revoked_at",
    "clone_seen_at",
    "audit_broken_at",
)


def agents_table(agents: Sequence[asyncpg.Record], now: datetime) -> Table:
    """Return a table of agents."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for title in COLUMNS:
        table.add_column(title, no_wrap=title in {"id", "certificate"}, overflow="fold")
    for agent in agents:
        until = agent["certificate_until"]
        table.add_row(
            Text(plain(agent["site_name"])),
            Text(plain(agent["hostname"])),
            str(agent["agent_id"])[:SHORT],
            Text(plain(agent["version"])),
            ago((now - agent["last_report_at"]).total_seconds()),
            f"{number(agent['devices_answering'])}/{number(agent['devices'])}",
            Text(plain(agent["channel"])),
            f"{until:%Y-%m-%d}" if until else "",
            Text(_brief(agent)),
            Text(", ".join(_marks(agent)), style="red"),
        )
    return table


def agent_text(agent: asyncpg.Record, now: datetime) -> Text:
    """Return an agent with all that is known of it."""
    lines = Text()
    for title, words in _head(agent, now):
        lines.append(f"{title:<14}", style="bold").append(f"{words}\n")
    for mark in _marks(agent, full=True):
        lines.append(f"{mark}\n", style="red")
    lines.append("\nWhat the customer's policy says of each kind of task\n", style="bold")
    policy = json.loads(agent["policy"])
    for kind, says in sorted(policy.items()):
        lines.append(f"  {plain(kind):<20}").append(f"{plain(says)}\n", style=_POLICY_STYLES.get(says, ""))
    if not policy:
        lines.append("  it has not reported it yet\n", style="dim")
    lines.rstrip()
    return lines


def agent_fields(agent: asyncpg.Record) -> dict[str, Any]:
    """Return an agent as JSON has it: times in UTC, absent where there is none."""
    fields: dict[str, Any] = {"agent_id": agent["agent_id"], "site": agent["site_name"]}
    fields |= {name: agent[name] for name in _COPIED} | {name: utc(agent[name]) for name in _TIMES}
    digest = agent["audit_hash"]
    return fields | {
        "audit_hash": digest.hex() if digest else None,
        "revoked_reason": agent["revoked_reason"],
        "policy": json.loads(agent["policy"]),
    }


def _head(agent: asyncpg.Record, now: datetime) -> Iterator[tuple[str, str]]:
    until, digest = agent["certificate_until"], agent["audit_hash"]
    yield "Agent", f"{agent['agent_id']}"
    yield "Host", f"{plain(agent['hostname'])}, {plain(agent['platform'])}, dca {plain(agent['version'])}"
    yield "Site", plain(agent["site_name"])
    yield "Last report", ago((now - agent["last_report_at"]).total_seconds())
    yield "Devices", f"{number(agent['devices_answering'])} of {number(agent['devices'])} answering"
    yield "Channel", plain(agent["channel"]) or "not reported"
    yield "Certificate", f"until {until:%Y-%m-%d %H:%M} UTC" if until else "none yet"
    yield "Audit head", f"{agent['audit_number']}:{digest.hex()}" if digest else "none yet"


def _brief(agent: asyncpg.Record) -> str:
    counts = Counter(plain(says, 16) for says in json.loads(agent["policy"]).values())
    return ", ".join(f"{counts[says]} {says}" for says in sorted(counts))


def _marks(agent: asyncpg.Record, *, full: bool = False) -> Iterator[str]:
    if at := agent["revoked_at"]:
        yield f"revoked {at:%Y-%m-%d %H:%M} UTC: {plain(agent['revoked_reason'] or '', 500)}" if full else "revoked"
    if at := agent["clone_seen_at"]:
        yield f"two copies of it were seen, last {at:%Y-%m-%d %H:%M} UTC" if full else "two copies"
    if at := agent["audit_broken_at"]:
        yield f"its audit log was changed, seen {at:%Y-%m-%d %H:%M} UTC" if full else "audit log changed"

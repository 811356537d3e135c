"""What the running agent writes into the state file for `dca status`, beside its devices and rows."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from dca.store import get_meta, set_meta

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

__all__ = ["MOST_TROUBLES", "Notes", "Trouble", "load_notes", "save_notes", "since_before"]

_KEY = "agent.notes"
MOST_TROUBLES = 50
"""Of each kind that are kept by name; more are only counted."""
_MOST_WORDS = 300


@dataclass(frozen=True)
class Trouble:
    """A host that let nobody in, or a host name that does not resolve."""

    what: str
    """Address or name."""
    range: str
    """Label of its range; empty for a name in ``exclude`` only."""
    reason: str
    since: float
    """Unix seconds."""


@dataclass
class Notes:
    """The agent's own state, all times Unix seconds, 0 for never."""

    version: str = ""
    started_at: float = 0.0
    discovered_at: float = 0.0
    """End of the last discovery."""
    delivered_at: float = 0.0
    """The hub's last answer."""
    delivery_error: str = ""
    """Why the last delivery failed; empty when it did not."""
    delivery_failed_at: float = 0.0
    next_runs: dict[str, float] = field(default_factory=dict)
    """When each job is due next."""
    closed: bool = False
    """Nothing is contacted, for a name in ``exclude`` was never resolved."""
    others: int = 0
    """Hosts of the last discovery that are no printers: left alone."""
    refused: int = 0
    """Hosts of the last discovery that let nobody in."""
    let_nobody_in: list[Trouble] = field(default_factory=list)
    """The first of these."""
    names: list[Trouble] = field(default_factory=list)
    """Host names that do not resolve, or not wholly."""
    clock_offset: float = 0.0
    """Seconds that the hub's clock is ahead of this one's, as last heard: a task may come before the first report."""
    hub: str = ""
    """Where the hub is, ``host:port``."""
    site: str = ""
    """The site that the agent was activated for; empty without an identity."""
    certificate_until: float = 0.0
    channel: str = ""
    """How it listens for tasks: wss, mqtts, down or off."""
    channel_error: str = ""
    """Why it is down."""
    policy_closed: str = ""
    """Why every task is denied."""


def since_before(found: Iterable[Trouble], before: Iterable[Trouble]) -> list[Trouble]:
    """Return the first of `found`, each with the time since when it was in `before` already."""
    since = {(trouble.what, trouble.range): trouble.since for trouble in before}
    return [
        replace(
            trouble, reason=trouble.reason[:_MOST_WORDS], since=since.get((trouble.what, trouble.range), trouble.since)
        )
        for trouble in islice(found, MOST_TROUBLES)
    ]


def save_notes(connection: sqlite3.Connection, notes: Notes) -> None:
    """Write the notes."""
    set_meta(connection, _KEY, json.dumps(asdict(notes)))


def load_notes(connection: sqlite3.Connection) -> Notes:
    """Read the notes; what is not there, or not what it should be, keeps its default."""
    notes = Notes()
    text = get_meta(connection, _KEY)
    try:
        found = json.loads(text) if isinstance(text, str) else {}
    except ValueError:
        return notes
    for item in fields(notes):
        value = found.get(item.name) if isinstance(found, dict) else None
        default = getattr(notes, item.name)
        if isinstance(default, float) and isinstance(value, int | float):
            setattr(notes, item.name, float(value))
        elif type(value) is type(default):
            setattr(notes, item.name, value)
    notes.next_runs = {str(job): float(at) for job, at in notes.next_runs.items() if isinstance(at, int | float)}
    notes.let_nobody_in, notes.names = _troubles(notes.let_nobody_in), _troubles(notes.names)
    return notes


def _troubles(found: list[Any]) -> list[Trouble]:
    troubles = []
    for item in found:
        if isinstance(item, dict) and isinstance(since := item.get("since"), int | float):
            what, label, reason = (str(item.get(name, "")) for name in ("what", "range", "reason"))
            troubles.append(Trouble(what, label, reason, float(since)))
    return troubles

"""What the running agent writes into the state file for `dca status`, beside its devices and rows."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING

from dca.store import get_meta, set_meta

if TYPE_CHECKING:
    import sqlite3

__all__ = ["Notes", "load_notes", "save_notes"]

_KEY = "agent.notes"


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
        elif isinstance(value, type(default)):
            setattr(notes, item.name, value)
    notes.next_runs = {str(job): float(at) for job, at in notes.next_runs.items() if isinstance(at, int | float)}
    return notes

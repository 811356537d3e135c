"""An agent as the pages show it: how it is, how it is reached, and what is wrong with it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from dca.hub.web.queries import Row

__all__ = ["AgentView", "agent_view"]

LATE = timedelta(minutes=15)
"""Three reports that did not come."""
LOST = timedelta(days=1)
CLOCK_NOTED, CLOCK_WRONG = 5.0, 120.0
"""Seconds of an agent's clock offset that are worth saying, and worth a warning."""
CLONE_SHOWN = timedelta(days=7)
CHANNELS = {
    "wss": "takes tasks at once (WebSocket)",
    "mqtts": "takes tasks at once (MQTT)",
    "down": "its channel is down: tasks wait for its reports",
    "off": "takes tasks with its reports",
}
"""How it listens for tasks, as it reported."""


class AgentView(NamedTuple):
    """An agent as it is shown."""

    row: Row
    html_id: str
    name: str
    grade: str
    """ok, warn (reports are late) or bad (none for a day)."""
    clock: str
    """In words when the clock is off."""
    clock_grade: str
    cloned: bool
    channel: str
    """In words while it reports."""
    channel_grade: str


def agent_view(row: Row, now: datetime) -> AgentView:
    """Prepare an agent's record for showing."""
    age = now - row["last_report_at"]
    offset = row["clock_offset_s"]
    clock, clock_grade = "", ""
    if offset is not None and abs(offset) >= CLOCK_NOTED:
        clock = f"{_span(abs(offset))} {'ahead' if offset > 0 else 'behind'}"
        clock_grade = "warn" if abs(offset) >= CLOCK_WRONG else "ok"
    cloned = row["clone_seen_at"]
    revoked = row["revoked_at"] is not None
    current = age <= LATE and not revoked
    return AgentView(
        row=row,
        html_id=f"agent-{row['agent_id']}",
        name=row["hostname"] or str(row["agent_id"]),
        grade="bad" if age > LOST or revoked else "warn" if age > LATE else "ok",
        clock=clock,
        clock_grade=clock_grade,
        cloned=cloned is not None and now - cloned < CLONE_SHOWN,
        channel=CHANNELS.get(row["channel"], "") if current else "",
        channel_grade="warn" if row["channel"] == "down" else "",
    )


def _span(seconds: float) -> str:
    for size, word in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {word}"
    return f"{seconds:.0f} s"

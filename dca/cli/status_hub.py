"""What `dca status` says of the hub: who the agent is there, how it listens, what waits for the customer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.text import Text

from dca.cli.render import plain
from dca.identity.lockout import MOST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dca.identity.lockout import Standing
    from dca.service.status import Status

__all__ = ["hub_fields", "hub_lines", "lock_words"]

_WAYS = {
    "wss": "hears of tasks at once (MQTT over WebSocket)",
    "mqtts": "hears of tasks at once (MQTT on its own port)",
}


def hub_lines(found: Status) -> Iterator[tuple[str, Text]]:
    """Yield titles and words."""
    notes = found.notes
    if found.lock.locked:
        yield "Activation", Text(lock_words(found.lock), style="red")
    if notes.site:
        words = Text(f"agent of {plain(notes.site)} at {plain(notes.hub)}")
        words.append(
            f", certificate until {datetime.fromtimestamp(notes.certificate_until, UTC):%Y-%m-%d}", style="dim"
        )
        yield "Hub", words
    if found.pid and notes.channel:
        words = Text(_WAYS.get(notes.channel, "hears of tasks with each delivery"))
        if notes.channel == "down":
            words.append(f"; the channel is down: {plain(notes.channel_error)}", style="yellow")
        if found.asks:
            words.append(f"; {found.asks} wait for your word: dca tasks", style="yellow")
        yield "Tasks", words
    if notes.policy_closed:
        yield "Policy", Text(f"closed, every task is denied: {plain(notes.policy_closed)}", style="red")


def lock_words(lock: Standing) -> str:
    """Say how many activations failed, and what to do."""
    last = f", the last one: {plain(lock.last_reason)}" if lock.last_reason else ""
    return f"locked after {lock.used} of {MOST} tries{last}; nothing is sent until dca unlock --reason ..."


def hub_fields(found: Status) -> dict[str, Any]:
    """Return the same for JSON."""
    notes = found.notes
    until = datetime.fromtimestamp(notes.certificate_until, UTC).isoformat().replace("+00:00", "Z")
    return {
        "hub": notes.hub or None,
        "site": notes.site or None,
        "certificate_until": until if notes.certificate_until else None,
        "channel": {"state": notes.channel or None, "error": notes.channel_error or None},
        "policy_closed": notes.policy_closed or None,
        "waiting_for_approval": found.asks,
        "activation": {"tries": found.lock.used, "locked": found.lock.locked},
    }

"""How tasks are shown on the command line: a table, one task's whole story, a line of progress, JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from rich.table import Table
from rich.text import Text

from dca.cli.render import ago, plain
from dca.hub.tasks.states import state_word

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import asyncpg

    from dca.hub.tasks.story import Story

__all__ = ["SHORT", "json_line", "progress", "story_fields", "story_text", "task_fields", "tasks_table", "utc"]

SHORT = 8
"""Characters of an id that are shown where space is short; they are enough to name a task or an agent."""
_STYLES = {
    "open": "dim",
    "waiting": "blue",
    "running": "cyan",
    "done": "green",
    "failed": "red",
    "refused": "yellow",
    "cancelled": "dim",
    "expired": "yellow",
}
_TIMES = ("issued_at", "not_before", "expires_at", "handed_at", "told_at")
_TEXTS = ("kind", "device_id", "requested_by", "role", "reason", "text", "code")


def tasks_table(tasks: Sequence[asyncpg.Record], now: datetime) -> Table:
    """Return a table of tasks."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for title in ("task", "asked", "kind", "device", "agent", "state", "said"):
        table.add_column(title, no_wrap=title in {"task", "asked", "kind", "state"}, overflow="fold")
    for task in tasks:
        table.add_row(
            str(task["id"])[:SHORT],
            ago((now - task["issued_at"]).total_seconds()),
            plain(task["kind"]),
            Text(plain(_device(task))),
            Text(plain(task["hostname"])),
            _state(task["state"]),
            Text(plain(task["text"], 120)),
        )
    return table


def progress(state: int, text: str, at: datetime | None) -> Text:
    """Return a line that says how a task stands."""
    line = Text(f"{at:%H:%M:%S}  " if at else " " * 10).append_text(_state(state))
    return line.append(f"  {plain(text)}") if text else line


def story_text(story: Story) -> Text:
    """Return a task with all that is known of it."""
    lines = Text()
    for title, words in _head(story.task):
        lines.append(f"{title:<12}", style="bold").append_text(words).append("\n")
    lines.append("\n")
    for event in story.events:
        lines.append(f"{event['received_at']:%Y-%m-%d %H:%M:%S}  ", style="dim")
        lines.append_text(_state(event["state"])).append(f"  {plain(event['by'])}", style="dim")
        said = filter(None, (plain(event["code"]), plain(event["text"], 2000)))
        lines.append(f"  {': '.join(said)}\n")
    if story.task["result"] is not None:
        lines.append("\n").append(_ascii(json.loads(story.task["result"]), indent=2)).append("\n")
    lines.rstrip()
    return lines


def task_fields(task: asyncpg.Record) -> dict[str, Any]:
    """Return a task as JSON has it: times in UTC, absent where there is none."""
    fields: dict[str, Any] = {"id": task["id"], "agent_id": task["agent_id"], "hostname": task["hostname"]}
    fields |= {"site": task["site_name"], "number": task["number"], "state": state_word(task["state"])}
    fields |= {name: task[name] for name in _TEXTS} | {name: utc(task[name]) for name in _TIMES}
    return fields


def story_fields(story: Story) -> dict[str, Any]:
    """Return a task with its story as JSON has it."""
    task = story.task
    fields = task_fields(task) | {"parameters": json.loads(task["parameters"]), "cancels": task["cancels"]}
    fields["result"] = None if task["result"] is None else json.loads(task["result"])
    fields["events"] = [
        dict(event) | {"state": state_word(event["state"])} | {key: utc(event[key]) for key in ("at", "received_at")}
        for event in story.events
    ]
    return fields


def json_line(value: object) -> str:
    """Return one line of ASCII JSON: no text of an agent reaches a terminal raw."""
    return _ascii(value)


def utc(at: datetime | None) -> str | None:
    """Return a time as JSON has it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None


def _ascii(value: object, indent: int | None = None) -> str:
    return json.dumps(value, default=_plain_value, indent=indent).replace("\x7f", "\\u007f")


def _plain_value(value: object) -> str:
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON")


def _head(task: asyncpg.Record) -> Iterator[tuple[str, Text]]:
    yield "Task", Text(f"{task['id']}, number {task['number']} of its agent")
    yield "State", _state(task["state"])
    yield "Kind", Text(f"{plain(task['kind'])} {_ascii(json.loads(task['parameters']))}")
    if task["device_id"]:
        yield "Device", Text(f"{plain(_device(task))} ({plain(task['device_id'])})")
    yield "Agent", Text(f"{plain(task['hostname'])} of {plain(task['site_name'])} ({task['agent_id']})")
    role = f", {plain(task['role'])}" if task["role"] else ""
    yield "Asked by", Text(f"{plain(task['requested_by'])}{role}: {plain(task['reason'], 500) or 'no reason given'}")
    yield "From, until", Text(f"{task['not_before']:%Y-%m-%d %H:%M:%S}, {task['expires_at']:%Y-%m-%d %H:%M:%S} UTC")
    handed = f"{task['handed_at']:%Y-%m-%d %H:%M:%S} UTC" if task["handed_at"] else "not yet"
    yield "Handed out", Text(handed)
    if task["cancels"]:
        yield "Ends", Text(f"task {task['cancels']}")


def _device(task: asyncpg.Record) -> str:
    if not task["device_id"]:
        return ""
    title = " ".join(filter(None, (task["manufacturer"], task["model"])))
    return f"{title or task['device_id']} at {task['host']}" if task["host"] else task["device_id"]


def _state(state: int) -> Text:
    word = state_word(state)
    return Text(f"{word:<9}", style=_STYLES.get(word, ""))

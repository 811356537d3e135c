"""A task as the pages show it, and its story put into one line a step."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from dca.hub.tasks.states import FINAL, state_word

if TYPE_CHECKING:
    from datetime import datetime

    from dca.hub.tasks.story import Story
    from dca.hub.web.queries import Row

__all__ = ["Step", "TaskView", "pretty", "steps_of", "task_view"]

GRADES = {"done": "ok", "failed": "bad", "refused": "warn", "expired": "warn", "running": "running"}
"""CSS class of a state's badge; the others are plain."""
CODES = {"asked": "Asked", "cancel_asked": "Cancellation asked", "done_twice": "Done twice"}
"""What the hub's own entries in a story are called."""
SHOWN = 100_000
"""Characters of a result on its page."""


class TaskView(NamedTuple):
    """A task in a table or at the head of its page."""

    row: Row
    state: str
    grade: str
    over: bool
    """Nothing follows."""
    device: str
    """Maker and model, the id where they are not known; empty where it concerns none."""


class Step(NamedTuple):
    """One entry of a task's story."""

    at: datetime
    what: str
    grade: str
    by: str
    text: str
    code: str


def task_view(row: Row) -> TaskView:
    """Prepare a task's record for showing."""
    word = state_word(row["state"])
    return TaskView(row, word, GRADES.get(word, "plain"), row["state"] in FINAL, _device(row))


def steps_of(story: Story) -> list[Step]:
    """Return a task's story; when the agent was first handed it stands where it belongs."""
    steps = [_step(event) for event in story.events]
    handed: datetime | None = story.task["handed_at"]
    if handed is not None:
        place = next((at for at, event in enumerate(story.events) if event["received_at"] > handed), len(steps))
        steps.insert(max(place, 1), Step(handed, "Handed out", "plain", "hub", "", ""))
    return steps


def pretty(text: str | None) -> str:
    """Return JSON as people read it, cut where it is very long."""
    if text is None:
        return ""
    found: Any = json.loads(text)
    shown = json.dumps(found, indent=2, ensure_ascii=False)
    return (
        shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}\n… {len(shown) - SHOWN} more characters: dca hub task show"
    )


def _step(event: Row) -> Step:
    word = state_word(event["state"])
    own = CODES.get(event["code"]) if event["by"] != "agent" else None
    return Step(
        at=event["received_at"],
        what=own or word.capitalize(),
        grade="bad" if event["code"] == "done_twice" else "plain" if own else GRADES.get(word, "plain"),
        by=event["by"],
        text=event["text"],
        code="" if own else event["code"],
    )


def _device(row: Row) -> str:
    if not row["device_id"]:
        return ""
    maker, model = row["manufacturer"] or "", row["model"] or ""
    title = model if model.lower().startswith(maker.lower()) and maker else f"{maker} {model}".strip()
    return title or row["device_id"]

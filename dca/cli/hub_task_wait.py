"""Follow a task on the command line until its end."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dca.cli.hub_task_view import json_line, progress, story_fields, story_text
from dca.cli.render import console_for
from dca.hub.tasks import expire
from dca.hub.tasks.states import FINAL
from dca.hub.tasks.story import state_of, story_of

if TYPE_CHECKING:
    from uuid import UUID

    import asyncpg

__all__ = ["follow"]

LOOK_S = 0.1


async def follow(connection: asyncpg.Connection, task_id: UUID, seconds: float, *, as_json: bool) -> int:
    """Print each change of a task for so many seconds or until its end, then the whole; return its state.

    As JSON only the whole is printed, as one line.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    console, before = console_for(), None
    while True:
        now = await state_of(connection, task_id)
        if seconds and not as_json and now != before and now["told_at"] is not None:
            console.print(progress(now["state"], now["text"], now["told_at"]), soft_wrap=True)
        before = now
        if now["state"] in FINAL or loop.time() >= deadline:
            break
        await asyncio.sleep(LOOK_S)
        await expire(connection, datetime.now(UTC))
    story = await story_of(connection, task_id)
    assert story is not None
    if as_json:
        print(json_line(story_fields(story)))
    elif story.task["result"] is not None:
        console.print(story_text(story), soft_wrap=True)
    elif seconds and now["state"] not in FINAL:
        console_for("stderr").print(f"not at its end after {seconds:g} s; see: dca hub task show {task_id}")
    return int(now["state"])

"""`dca hub task`: ask agents to do something, and follow what becomes of it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from dca.cli.hub_agents import agent
from dca.cli.hub_database import Data, DatabaseUrl, with_database
from dca.cli.hub_task_options import (
    STATES,
    AgentOption,
    DeviceOption,
    JsonOption,
    ReasonOption,
    TaskId,
    life_of,
    parameters_of,
    target_of,
    time_of,
)
from dca.cli.render import console_for, plain
from dca.service.person import who_asks

if TYPE_CHECKING:
    import asyncpg

    from dca.hub.agents import AgentRef
    from dca.hub.tasks.ending import Cancelled
    from dca.hub.tasks.issue import NewTask
    from dca.hub.tasks.story import Story

__all__ = ["agent", "task"]

task = typer.Typer(name="task", help="What agents are asked to do.", no_args_is_help=True)


@task.command("new")
def task_new(  # noqa: PLR0917 - typer gives every option by name
    kind: Annotated[str, typer.Argument(help="What to do: read, discover, ping, ...")],
    data: Data,
    device: DeviceOption = None,
    agent: AgentOption = None,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", metavar="NAME=VALUE", help="JSON, or text where it is none; repeat for more."),
    ] = None,
    reason: ReasonOption = "",
    role: Annotated[str, typer.Option("--role", help="As whom, for the customer's policy, e.g. support.")] = "",
    life: Annotated[str, typer.Option("--for", help="How long it may wait for its start.")] = "1h",
    not_before: Annotated[
        str | None, typer.Option("--not-before", metavar="TIME", help="ISO 8601, UTC unless it says otherwise.")
    ] = None,
    anyway: Annotated[bool, typer.Option("--anyway", help="Ask although the customer's policy denies it.")] = False,
    wait: Annotated[float, typer.Option("--wait", min=0, help="Follow it so many seconds, or to its end.")] = 0.0,
    as_json: JsonOption = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Ask an agent to do something; its customer's policy has the last word.

    Exit codes with --wait: 0 when it was done, 1 when it was not, or not yet.
    """
    from dca.cli.hub_task_wait import follow  # noqa: PLC0415 - imports the hub's libraries
    from dca.hub.tasks import TaskKey, new_task  # noqa: PLC0415 - as above
    from dca.hub.tasks.states import STATES as NUMBERS  # noqa: PLC0415 - as above

    parameters, seconds, start = parameters_of(param or []), life_of(life), time_of(not_before)

    async def work(connection: asyncpg.Connection) -> bool:
        target, device_id = await target_of(connection, device, agent)
        made = await new_task(
            connection,
            TaskKey(data.absolute()),
            target,
            kind,
            parameters,
            device_id=device_id,
            requested_by=who_asks(),
            role=role,
            reason=reason,
            not_before=start,
            life=seconds,
            anyway=anyway,
            now=datetime.now(UTC),
        )
        if not as_json:
            _announce(made, target, kind)
        state = await follow(connection, made.id, wait, as_json=as_json)
        return not wait or state == NUMBERS["done"]

    if not with_database(data, database_url, work):
        raise typer.Exit(1)


@task.command("list")
def task_list(  # noqa: PLR0917 - as above
    data: Data,
    device: DeviceOption = None,
    agent: AgentOption = None,
    state: Annotated[str | None, typer.Option("--state", help=f"Only those: {STATES}.")] = None,
    last: Annotated[int, typer.Option("--last", min=1, max=100_000, help="So many, the latest.")] = 50,
    as_json: JsonOption = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Show the latest tasks, newest first."""
    from dca.cli.hub_task_view import json_line, task_fields, tasks_table  # noqa: PLC0415 - imports the hub's libraries
    from dca.hub.tasks import expire  # noqa: PLC0415 - as above
    from dca.hub.tasks.states import STATES as NUMBERS  # noqa: PLC0415 - as above
    from dca.hub.tasks.story import list_tasks  # noqa: PLC0415 - as above

    if state is not None and state not in NUMBERS:
        raise typer.BadParameter(f"{state!r} is no state; there are {STATES}", param_hint="--state")
    now = datetime.now(UTC)

    async def work(connection: asyncpg.Connection) -> list[asyncpg.Record]:
        of, device_id = (None, None) if device is None and agent is None else await target_of(connection, device, agent)
        await expire(connection, now)
        number = None if state is None else NUMBERS[state]
        return await list_tasks(connection, last, agent=of.id if of else None, device_id=device_id, state=number)

    tasks = with_database(data, database_url, work)
    if as_json:
        for found in tasks:
            print(json_line(task_fields(found)))
    else:
        console_for().print(tasks_table(tasks, now) if tasks else "No such tasks; ask with: dca hub task new KIND")


@task.command("show")
def task_show(task_id: TaskId, data: Data, as_json: JsonOption = False, database_url: DatabaseUrl = None) -> None:
    """Show a task's whole story: who asked, why, when, and what became of it."""
    from dca.cli.hub_task_view import json_line, story_fields, story_text  # noqa: PLC0415 - imports the hub's libraries
    from dca.hub.tasks import expire  # noqa: PLC0415 - as above
    from dca.hub.tasks.story import find_task, story_of  # noqa: PLC0415 - as above

    async def work(connection: asyncpg.Connection) -> Story:
        await expire(connection, datetime.now(UTC))
        story = await story_of(connection, await find_task(connection, task_id))
        assert story is not None
        return story

    story = with_database(data, database_url, work)
    if as_json:
        print(json_line(story_fields(story)))
    else:
        console_for().print(story_text(story), soft_wrap=True)


@task.command("cancel")
def task_cancel(task_id: TaskId, data: Data, reason: ReasonOption, database_url: DatabaseUrl = None) -> None:
    """End a task: at once when no agent has it yet, else by telling the agent."""
    from dca.hub.tasks import TaskKey, cancel_task  # noqa: PLC0415 - imports the hub's libraries
    from dca.hub.tasks.story import find_task  # noqa: PLC0415 - as above

    async def work(connection: asyncpg.Connection) -> Cancelled:
        found = await find_task(connection, task_id)
        key, now = TaskKey(data.absolute()), datetime.now(UTC)
        return await cancel_task(connection, key, found, requested_by=who_asks(), reason=reason, now=now)

    done = with_database(data, database_url, work)
    print(f"the agent is told by task {done.by.id}" if done.by else "cancelled; no agent had it yet")


def _announce(made: NewTask, agent: AgentRef, kind: str) -> None:
    print(f"task {made.id}")
    print(f"{plain(kind)} for agent {plain(str(agent))}; it may begin until {made.expires_at:%Y-%m-%d %H:%M} UTC")
    said = {
        "ask": "the customer's policy asks there first (dca approve)",
        "rules": "the customer's policy decides there by device, hour and role",
        "deny": "the customer's policy denies it: it will be refused, and on record",
    }
    if made.policy in said:
        print(said[made.policy])
    sys.stdout.flush()

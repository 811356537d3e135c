"""`dca hub agent`: the agents that a hub knows, and shutting one out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from dca.cli.hub_database import Data, DatabaseUrl, with_database
from dca.cli.render import console_for

if TYPE_CHECKING:
    import asyncpg

    from dca.hub.agents import AgentRef

__all__ = ["agent"]

agent = typer.Typer(name="agent", help="The agents that report here.", no_args_is_help=True)

AgentId = Annotated[
    str, typer.Argument(metavar="ID", help="The agent's id, the id's first characters, or its host name.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


@agent.command("list")
def agent_list(data: Data, as_json: JsonOption = False, database_url: DatabaseUrl = None) -> None:
    """Show the agents: where they are, how they are reached, and what is wrong with them."""
    from dca.cli.hub_agent_view import agent_fields, agents_table  # noqa: PLC0415 - imports the hub's libraries
    from dca.cli.hub_task_view import json_line  # noqa: PLC0415 - as above
    from dca.hub.agents import list_agents  # noqa: PLC0415 - as above

    found = with_database(data, database_url, list_agents)
    if as_json:
        for record in found:
            print(json_line(agent_fields(record)))
        return
    table = agents_table(found, datetime.now(UTC))
    console_for().print(table if found else "No agents yet; make a code with: dca hub code new --site NAME")


@agent.command("show")
def agent_show(name: AgentId, data: Data, as_json: JsonOption = False, database_url: DatabaseUrl = None) -> None:
    """Show an agent: its customer's policy, its certificate, and the newest entry of its audit log.

    The entry is what `dca audit verify --head` on the agent's machine is given.
    """
    from dca.cli.hub_agent_view import agent_fields, agent_text  # noqa: PLC0415 - imports the hub's libraries
    from dca.cli.hub_task_view import json_line  # noqa: PLC0415 - as above
    from dca.hub.agents import agent_record, find_agent  # noqa: PLC0415 - as above

    async def work(connection: asyncpg.Connection) -> asyncpg.Record:
        return await agent_record(connection, await find_agent(connection, name))

    record = with_database(data, database_url, work)
    if as_json:
        print(json_line(agent_fields(record)))
    else:
        console_for().print(agent_text(record, datetime.now(UTC)), soft_wrap=True)


@agent.command("revoke")
def agent_revoke(
    name: AgentId,
    data: Data,
    reason: Annotated[str, typer.Option("--reason", help="Why; the agent is told.")],
    database_url: DatabaseUrl = None,
) -> None:
    """Shut an agent out at once: its reports, its channel and its renewals end."""
    from dca.hub.agents import find_agent, revoke_agent  # noqa: PLC0415 - imports the hub's libraries

    async def work(connection: asyncpg.Connection) -> AgentRef:
        found = await find_agent(connection, name)
        await revoke_agent(connection, found, reason, datetime.now(UTC))
        return found

    print(f"agent {with_database(data, database_url, work)} is revoked")


@agent.command("restore")
def agent_restore(name: AgentId, data: Data, database_url: DatabaseUrl = None) -> None:
    """Let a revoked agent in again."""
    from dca.hub.agents import find_agent, restore_agent  # noqa: PLC0415 - imports the hub's libraries

    async def work(connection: asyncpg.Connection) -> AgentRef:
        found = await find_agent(connection, name)
        await restore_agent(connection, found)
        return found

    print(f"agent {with_database(data, database_url, work)} is let in again")

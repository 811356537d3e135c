"""What the commands of `dca hub task` take, and how it is read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dca.config.durations import Duration
from dca.config.kinds import BadValueError, Context
from dca.errors import HubError

if TYPE_CHECKING:
    import asyncpg

    from dca.hub.agents import AgentRef

__all__ = [
    "STATES",
    "AgentOption",
    "DeviceOption",
    "JsonOption",
    "ReasonOption",
    "TaskId",
    "life_of",
    "parameters_of",
    "target_of",
    "time_of",
]

LONGEST = 7 * 86_400.0
STATES = "open, waiting, running, done, failed, refused, cancelled, expired"

TaskId = Annotated[str, typer.Argument(metavar="ID", help="The task's id, or its first characters.")]
DeviceOption = Annotated[
    str | None, typer.Option("--device", help="The device: its id, serial number, address, name, MAC or asset number.")
]
AgentOption = Annotated[
    str | None, typer.Option("--agent", help="The agent: its id, the id's first characters, or its host name.")
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, for the record at both ends.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


async def target_of(
    connection: asyncpg.Connection, device: str | None, agent: str | None
) -> tuple[AgentRef, str | None]:
    """Return the agent, and the device's id where one was named.

    Raises: HubError when there is none such, or several.
    """
    from dca.hub.agents import find_agent, find_device  # noqa: PLC0415 - imports the hub's libraries

    of = await find_agent(connection, agent) if agent is not None else None
    if device is not None:
        found = await find_device(connection, device, of)
        return found.agent, found.device_id
    if of is None:
        raise HubError("say whom to ask: --device, or --agent for what concerns no device")
    return of, None


def parameters_of(given: list[str]) -> dict[str, Any]:
    """Return what --param gave: a value is JSON, or text where it is none."""
    found: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise typer.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--param")
        try:
            found[name] = json.loads(value)
        except (ValueError, RecursionError):
            found[name] = value
    return found


def life_of(text: str) -> float:
    """Return the seconds that --for gave."""
    try:
        return Duration(1.0, LONGEST).parse(text, Context({}, Path()))
    except BadValueError as error:
        raise typer.BadParameter(str(error), param_hint="--for") from None


def time_of(text: str | None) -> datetime | None:
    """Return the time that --not-before gave, if any."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time: write 2027-01-31T18:00Z", param_hint="--not-before") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)

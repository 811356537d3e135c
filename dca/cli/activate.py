"""``dca activate``: exchange a code for the agent's identity at its hub."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path  # noqa: TC003  # typer reads it at run time
from typing import TYPE_CHECKING, Annotated

import typer

from dca.cli.options import ConfigFileOption, command_app
from dca.cli.places import StateDirOption, state_dir_of
from dca.errors import ConfigError, DcaError

if TYPE_CHECKING:
    from dca.contract.codes import Code
    from dca.identity.activate import HubPlace

__all__ = ["app"]

app = command_app()
HTTPS = 443


@app.command()
def activate(
    code: Annotated[
        str | None, typer.Argument(help="The code; without one, or with -, it is read from standard input.")
    ] = None,
    *,
    hub: Annotated[
        str | None, typer.Option("--hub", metavar="HOST[:PORT]", help="The hub.", show_default="the config file's")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Replace the identity that is there already.")] = False,
    config: ConfigFileOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Exchange an activation code for this agent's identity; run it as the agent's user or as root.

    After five codes that the hub refused the agent is locked, and nothing more is sent until `dca unlock`.
    """
    from dca.agent.enrol import Enrolment  # noqa: PLC0415  # --help does without all of it
    from dca.service.sealed import seal_memory  # noqa: PLC0415  # as above

    seal_memory()
    read = _code(code)
    place = _place(hub, config)
    enrolment = Enrolment(state_dir_of(config, state_dir))
    identity = asyncio.run(enrolment.activate(read, place, again=again, who="local"))
    print(f"activated at {place.host}:{place.port} as agent {identity.agent_id} of {identity.site}")
    print(f"its certificate holds until {identity.ends:%Y-%m-%d} and renews itself; start the agent: dca run")


def _code(text: str | None) -> Code:
    from dca.contract.codes import Code  # noqa: PLC0415  # see above

    if text is None or text == "-":
        if sys.stdin.isatty():
            text = str(typer.prompt("Activation code", hide_input=True, err=True))
        else:
            text = sys.stdin.readline(1000)
    try:
        return Code.parse(text)
    except ValueError as error:
        raise DcaError(f"{error}. Nothing was sent, and no try was used") from None


def _place(hub: str | None, config: Path | None) -> HubPlace:
    from dca.agent.enrol import place_of  # noqa: PLC0415  # see above
    from dca.config import default_path, load  # noqa: PLC0415  # see above
    from dca.identity.activate import HubPlace  # noqa: PLC0415  # see above
    from dca.net.hosts import parse_host_port  # noqa: PLC0415  # see above

    path = config or default_path()
    known = None
    if config is not None or hub is None or path.exists():
        try:
            known = place_of(load(path))
        except ConfigError:
            if hub is None:
                raise
    if hub is None:
        assert known is not None
        return known
    try:
        host, port = parse_host_port(hub.removeprefix("https://").rstrip("/"))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--hub") from None
    return HubPlace(host, port or HTTPS, known.proxy if known else None, known.ca_file if known else None)

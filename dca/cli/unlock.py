"""``dca unlock``: the local administrator lets a locked agent try again."""

from __future__ import annotations

from typing import Annotated

import typer

from dca.cli.options import ConfigFileOption, command_app
from dca.cli.places import StateDirOption, state_dir_of

__all__ = ["app"]

app = command_app()


@app.command()
def unlock(
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why; it goes into the audit log.")],
    config: ConfigFileOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Open the lock once: five activations can be tried again. Written to the audit log."""
    from dca.agent.enrol import Enrolment  # noqa: PLC0415  # --help does without it

    if not reason.strip():
        raise typer.BadParameter("say why: it goes into the audit log", param_hint="--reason")
    before = Enrolment(state_dir_of(config, state_dir)).unlock(reason.strip())
    word = "was locked" if before.locked else "was not locked"
    print(f"unlocked: the agent {word} ({before.used} tries used); five tries are free again")

"""``dca approve``: the customer's yes or no to a task that waits for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from dca.cli.options import ConfigFileOption, command_app
from dca.cli.places import StateDirOption, state_dir_of
from dca.cli.render import plain
from dca.errors import StoreError, TaskError
from dca.service.person import who_asks

if TYPE_CHECKING:
    from pathlib import Path

    from dca.tasks.ledger import Entry

__all__ = ["app"]

app = command_app()

_LEAST = 4
"""Characters of an id that name a task."""
_LOOKED_AT = 10_000


@app.command()
def approve(
    task: Annotated[
        str, typer.Argument(metavar="TASK", help="Its id or the beginning of it, as `dca tasks` shows it.")
    ],
    *,
    deny: Annotated[bool, typer.Option("--deny", help="Say no instead.")] = False,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="For the hub and the audit log.")] = "",
    config: ConfigFileOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Approve a task that waits for it, or deny it. The running agent takes it up within a second."""
    # Imported here: --help does without the state file.
    from dca.store import holder  # noqa: PLC0415  # as said above
    from dca.tasks.spool import Answer, Spool  # noqa: PLC0415  # as said above

    place = state_dir_of(config, state_dir)
    try:
        runs = holder(place) is not None
    except OSError as error:
        raise StoreError(
            f"the state directory {place} cannot be read: {error.strerror or error}; "
            "ask as the user that the agent runs as, or as root"
        ) from error
    found = _the_one(place, task)
    Spool(place).put(Answer(found.task_id, approve=not deny, by=who_asks(), reason=reason))
    print(f"{'Denied' if deny else 'Approved'}: {_described(found)}.")
    if not runs:
        print("No agent runs here now; the next start takes it up, unless the task has expired by then.")


def _the_one(place: Path, text: str) -> Entry:
    """Return the waiting task whose id begins with `text`. Raises TaskError saying what there is instead."""
    from dca.store import read_only  # noqa: PLC0415  # see above
    from dca.tasks.ledger import entries  # noqa: PLC0415  # see above

    wanted = text.strip().lower()
    if not re.fullmatch(rf"[0-9a-f-]{{{_LEAST},36}}", wanted):
        raise typer.BadParameter(f"the beginning of a task's id has at least {_LEAST} digits or letters a to f")
    with read_only(place) as connection:
        found = [entry for entry in entries(connection, _LOOKED_AT) if entry.task_id.startswith(wanted)]
    waiting = [entry for entry in found if entry.code == "approval"]
    if len(waiting) == 1:
        return waiting[0]
    if waiting:
        ids = ", ".join(entry.task_id for entry in waiting)
        raise TaskError(f"{len(waiting)} tasks that wait begin with {wanted}: {ids}; give more of the id")
    if found:
        raise TaskError(f"{_described(found[0])} does not wait for approval: it is {found[0].state.word}")
    raise TaskError(f"no task {wanted} waits for approval; `dca tasks` shows what there is")


def _described(entry: Entry) -> str:
    return f"{plain(entry.kind)} ({entry.task_id[:8]}), asked for by {plain(entry.requested_by) or 'nobody named'}"

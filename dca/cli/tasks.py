"""``dca tasks``: what the hub asked of this agent, what became of it, and what waits for the customer's yes."""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from dca.cli.options import ConfigFileOption, command_app
from dca.cli.places import StateDirOption, state_dir_of
from dca.cli.render import ago, console_for, counted, plain

if TYPE_CHECKING:
    from dca.model import Known
    from dca.tasks.ledger import Entry

__all__ = ["app"]

app = command_app()

_STYLES = {"waiting": "yellow", "running": "cyan", "done": "green", "failed": "red", "refused": "red"}


@app.command()
def tasks(
    *,
    last: Annotated[int, typer.Option("--last", min=1, max=10_000, help="How many, the newest first.")] = 20,
    config: ConfigFileOption = None,
    state_dir: StateDirOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show what the hub asked of this agent and what became of it, whether the agent runs or not."""
    # Imported here: --help does without the state file.
    from dca.store import load_devices, read_only  # noqa: PLC0415  # as said above
    from dca.tasks.ledger import entries  # noqa: PLC0415  # as said above

    with read_only(state_dir_of(config, state_dir)) as connection:
        found = entries(connection, last)
        devices = {known.device_id: known for known in load_devices(connection)}
    if as_json:
        for entry in found:
            sys.stdout.write(json.dumps(_fields(entry)).replace("\x7f", "\\u007f") + "\n")
    elif found:
        _show(found, devices)
    else:
        print("The hub has asked for nothing.")


def _show(found: list[Entry], devices: dict[str, Known]) -> None:
    console = console_for()
    now = time.time()
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for title in ("Task", "Asked for", "Kind", "Device", "By", "State", "What became of it"):
        table.add_column(title, no_wrap=title in {"Task", "Asked for", "State"}, overflow="fold")
    for entry in found:
        known = devices.get(entry.device_id)
        table.add_row(
            Text(entry.task_id[:8]),
            ago(max(now - entry.received_at, 0)),
            Text(plain(entry.kind)),
            Text(plain(known.address if known else entry.device_id)),
            Text(plain(entry.requested_by)),
            Text(entry.state.word, style=_STYLES.get(entry.state.word, "")),
            Text(plain(entry.text)),
        )
    console.print(table)
    waiting = sum(entry.code == "approval" for entry in found)
    if waiting:
        verb = "waits" if waiting == 1 else "wait"
        console.print()
        console.print(Text(f"{counted(waiting, 'task')} {verb} for your word: dca approve TASK", style="yellow"))


def _fields(entry: Entry) -> dict[str, Any]:
    """Return it as JSON has it: times in UTC, absent where there is none."""
    return {
        "id": entry.task_id,
        "number": entry.number,
        "kind": entry.kind,
        "state": entry.state.word,
        "code": entry.code or None,
        "text": entry.text or None,
        "device_id": entry.device_id or None,
        "requested_by": entry.requested_by or None,
        "role": entry.role or None,
        "reason": entry.reason or None,
        "approved_by": entry.approved_by or None,
        "received_at": _utc(entry.received_at),
        "decided_at": _utc(entry.decided_at),
        "started_at": _utc(entry.started_at),
        "ended_at": _utc(entry.ended_at),
        "expires_at": _utc(entry.expires_at),
    }


def _utc(seconds: float) -> str | None:
    if not seconds:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

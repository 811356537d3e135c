"""``dca status``: what the agent knows, reads and delivers, from its state directory."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from dca.cli.options import ConfigFileOption, command_app
from dca.cli.places import StateDirOption, state_dir_of
from dca.cli.render import ago, console_for, number, outcome_word, plain
from dca.cli.status_hub import hub_fields, hub_lines
from dca.cli.tables import by_address, read_table
from dca.service.logs import duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dca.service.notes import Trouble
    from dca.service.status import DeviceStatus, Status
    from dca.wire.snapshot_pb2 import Snapshot

__all__ = ["app"]

app = command_app()


@app.command()
def status(
    *,
    config: ConfigFileOption = None,
    state_dir: StateDirOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show what the agent knows, reads and delivers, whether it runs or not."""
    from dca.service.status import read_status  # noqa: PLC0415  # --help does without the state file

    found = read_status(state_dir_of(config, state_dir))
    if as_json:
        sys.stdout.write(json.dumps(_fields(found)).replace("\x7f", "\\u007f") + "\n")
    else:
        _show(found)


def _show(found: Status) -> None:
    console = console_for()
    answering = [device for device in found.devices if device.answers]
    silent = [device for device in found.devices if not device.answers]
    head = Table.grid(padding=(0, 2, 0, 0))
    head.add_column(style="bold", no_wrap=True)
    for title, words in _head(found, len(answering)):
        head.add_row(title, words)
    console.print(head)
    pictures = sorted((device.picture for device in answering if device.picture.host), key=by_address)
    if pictures:
        console.print()
        console.print(read_table(pictures, console.width))
    if silent:
        console.print()
        console.print(_silent_table(silent, found.read_at))
    notes = found.notes
    for troubles, count, title in (
        (notes.let_nobody_in, notes.refused, "Let nobody in"),
        (notes.names, len(notes.names), "Names"),
    ):
        if troubles:
            console.print()
            console.print(_troubles_table(troubles, title, found.read_at))
        if troubles and count > len(troubles):
            console.print(Text(f"and {number(count - len(troubles))} more", style="dim"))


def _head(found: Status, answering: int) -> Iterator[tuple[str, Text]]:
    notes, now = found.notes, found.read_at
    running = Text(f"running as process {found.pid}", style="green") if found.pid else Text("not running", style="red")
    if found.pid and notes.started_at:
        running.append(f" for {duration(now - notes.started_at)}", style="")
    yield "Agent", running.append(f", dca {plain(notes.version)}, {plain(found.agent_id)[:8]}", style="dim")
    silent = len(found.devices) - answering
    devices = Text(f"{len(found.devices)} known, {answering} answering")
    if silent:
        devices.append(f", {silent} silent", style="yellow")
    if notes.discovered_at:
        devices.append(f"; ranges searched {ago(now - notes.discovered_at)}", style="dim")
    yield "Devices", devices
    if notes.closed:
        closed = "closed: nothing is contacted until the names in exclude are resolved, see Names below"
        yield "Ranges", Text(closed, style="red")
    if notes.refused or notes.others:
        others = Text(f"{number(notes.refused)} let nobody in", style="yellow" if notes.refused else "dim")
        left = "1 host is no printer" if notes.others == 1 else f"{number(notes.others)} hosts are no printers"
        yield "Others", others.append(f", {left} and left alone", style="dim")
    yield from hub_lines(found)
    yield "Outbox", _outbox(found)
    yield "Delivery", _delivery(found)
    if found.pid and notes.next_runs:
        coming = sorted(notes.next_runs.items(), key=lambda run: run[1])
        yield (
            "Next",
            Text(", ".join(f"{plain(job)} in {duration(max(at - now, 0))}" for job, at in coming), style="dim"),
        )


def _outbox(found: Status) -> Text:
    figures = found.figures
    words = Text(f"{number(figures.depth)} rows wait")
    if figures.depth:
        words.append(f", the oldest for {duration(figures.oldest_age)}")
    words.append(f"; {number(figures.rows_acknowledged)} of {number(figures.rows_written)} acknowledged", style="dim")
    dropped = sum(figures.rows_dropped.values())
    for count, what in ((dropped, "dropped"), (figures.rows_aside, "set aside"), (figures.rows_lost, "lost")):
        if count:
            words.append(f", {number(count)} {what}", style="red")
    return words


def _delivery(found: Status) -> Text:
    notes, now = found.notes, found.read_at
    words = Text(f"last {ago(now - notes.delivered_at)}" if notes.delivered_at else "none yet")
    if notes.delivery_error:
        failed = f"; failed {ago(now - notes.delivery_failed_at)}: {plain(notes.delivery_error)}"
        words.append(failed, style="yellow")
    return words


def _silent_table(devices: list[DeviceStatus], now: float) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for title in ("Address", "Device", "Silent for", "Why"):
        table.add_column(title, no_wrap=title in {"Address", "Silent for"}, overflow="fold")
    for device in sorted(devices, key=lambda device: by_address(device.picture)):
        known = device.known
        name = " ".join(filter(None, (plain(known.manufacturer), plain(known.model)))) or known.device_id
        why = plain(known.reason) or outcome_word(known.outcome)
        table.add_row(plain(known.address), Text(name), duration(now - known.silent_since), Text(why, style="yellow"))
    return table


def _troubles_table(troubles: list[Trouble], title: str, now: float) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in (title, "Range", "For", "Why"):
        table.add_column(column, no_wrap=column == "For", overflow="fold")
    for trouble in troubles:
        where = plain(trouble.range) or "exclude"
        since = duration(max(now - trouble.since, 0))
        table.add_row(Text(plain(trouble.what)), Text(where), since, Text(plain(trouble.reason), style="yellow"))
    return table


def _fields(found: Status) -> dict[str, Any]:
    """Return it as JSON has it: times in UTC, absent where there is none."""
    figures, notes = found.figures, found.notes
    return {
        "agent_id": found.agent_id,
        "version": notes.version,
        "running": found.pid is not None,
        "pid": found.pid,
        "started_at": _utc(notes.started_at),
        "discovered_at": _utc(notes.discovered_at),
        "outbox": {
            "depth": figures.depth,
            "oldest_age": round(figures.oldest_age, 3),
            "written": figures.rows_written,
            "acknowledged": figures.rows_acknowledged,
            "dropped": figures.rows_dropped,
            "aside": figures.rows_aside,
            "lost": figures.rows_lost,
        },
        "delivery": {
            "last": _utc(notes.delivered_at),
            "error": notes.delivery_error or None,
            "failed_at": _utc(notes.delivery_failed_at),
        },
        "next": {job: _utc(at) for job, at in notes.next_runs.items()} if found.pid else {},
        "devices": [_device(device) for device in found.devices],
        "closed": notes.closed,
        **hub_fields(found),
        "others": {"let_nobody_in": notes.refused, "left_alone": notes.others},
        "let_nobody_in": [_trouble(trouble, "address") for trouble in notes.let_nobody_in],
        "names": [_trouble(trouble, "name") for trouble in notes.names],
    }


def _trouble(trouble: Trouble, what: str) -> dict[str, str | None]:
    since = _utc(trouble.since)
    return {what: trouble.what, "range": trouble.range or None, "reason": trouble.reason, "since": since}


def _device(device: DeviceStatus) -> dict[str, Any]:
    known = device.known
    return {
        "device_id": known.device_id,
        "address": known.address,
        "port": known.port,
        "range": known.range,
        "credential": known.credential,
        "manufacturer": known.manufacturer,
        "model": known.model,
        "serial": known.serial,
        "mac": known.mac,
        "name": known.name,
        "answering": device.answers,
        "outcome": outcome_word(known.outcome),
        "reason": known.reason or None,
        "silent_since": _utc(known.silent_since),
        "first_seen": _utc(known.first_seen),
        "last_read": _utc(known.last_read),
        "snapshot": _snapshot(device.picture),
    }


def _snapshot(picture: Snapshot) -> dict[str, Any] | None:
    from dca.cli.jsonlines import snapshot_fields  # noqa: PLC0415  # only for JSON

    return snapshot_fields(picture) if picture.host else None


def _utc(seconds: float) -> str | None:
    return (
        datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if seconds else None
    )

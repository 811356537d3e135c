"""``dca policy``: what the hub may ask for, and what would become of one task."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from dca.cli.devices import device_text, find_device, known_devices
from dca.cli.options import ConfigFileOption  # noqa: TC001  # typer reads it at run time
from dca.cli.places import StateDirOption, state_dir_of
from dca.cli.render import console_for, plain
from dca.config import Config, default_path, load
from dca.config.kinds import nearest
from dca.discovery.ranges import Ranges
from dca.errors import DcaError, StoreError
from dca.model import Known
from dca.net.addresses import locate
from dca.net.dns import Answer

if TYPE_CHECKING:
    from pathlib import Path

    from dca.tasks.kind import Kind
    from dca.tasks.policy import Policy, Verdict

__all__ = ["app"]

app = typer.Typer(
    name="policy",
    help="What the hub may ask for, and why.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object.")]
_EXIT = {"allow": 0, "ask": 3, "deny": 4}
_MEANS = {"allow": "would be done", "ask": "would wait for `dca approve`", "deny": "would be refused"}
_STYLES = {"allow": "green", "ask": "yellow", "deny": "red", "rules": "cyan"}


@app.command()
def show(*, config: ConfigFileOption = None, as_json: JsonOption = False) -> None:
    """Show every kind of task, what it does, and what becomes of it."""
    from dca.tasks.policy import Policy  # noqa: PLC0415  # --help does without the kinds

    policy = Policy(load(config or default_path(), follow=False))
    brief = policy.summary()
    rows = [(kind, brief[name], _reasons(policy, kind)) for name, kind in policy.kinds.items()]
    if as_json:
        found = [{"kind": kind.name, "does": kind.summary, "verdict": word, "why": why} for kind, word, why in rows]
        print(json.dumps({"closed": policy.closed or None, "kinds": found}))
        return
    if policy.closed:
        print(f"Everything is denied: {plain(policy.closed, 1000)}")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("Kind", no_wrap=True)
    table.add_column("Verdict", no_wrap=True)
    table.add_column("What it does", overflow="fold")
    table.add_column("Why", overflow="fold")
    for kind, word, why in rows:
        reasons = "" if policy.closed else "\n".join(why)
        table.add_row(Text(kind.name), Text(word, style=_STYLES[word]), Text(kind.summary), Text(reasons))
    console_for().print(table)


@app.command()
def explain(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="Kind of task, as `dca policy show` lists them.")],
    device: Annotated[
        str | None, typer.Argument(metavar="DEVICE", help="Address, device id, serial number or host name.")
    ] = None,
    *,
    role: Annotated[str, typer.Option("--role", metavar="TEXT", help="Of those who ask, as the hub names it.")] = "",
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="2026-11-25T20:00, local time.", show_default="now")
    ] = None,
    config: ConfigFileOption = None,
    state_dir: StateDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what would happen if the hub asked, and why. Nothing is sent.

    Exit codes: 0 it would be done, 3 it would wait to be approved, 4 it would be refused.
    """
    from dca.tasks.policy import Policy  # noqa: PLC0415  # as above

    file = load(config or default_path(), follow=False)
    found, notes = _device(device, file, state_dir_of(config, state_dir))
    policy = Policy(file, ranges=_ranges(file, found))
    wanted = _kind(policy, kind)
    if found and not wanted.on_device:
        raise typer.BadParameter(f"{wanted.name} concerns no device", param_hint="DEVICE")
    if not found and wanted.on_device:
        notes.append("name a DEVICE to see what rules by range say")
    moment = _moment(at)
    verdict = policy.decide(wanted, device=found, role=role, at=moment)
    elsewhere = policy.elsewhere(wanted, device=found, role=role, at=moment)
    if as_json:
        print(json.dumps(_fields(wanted, verdict, found, role, moment) | {"elsewhere": elsewhere, "notes": notes}))
    else:
        target = f" on {device_text(found)}" if found else ""
        asked = f", asked by role {plain(role)}" if role else ""
        when = f" on {moment:%a %Y-%m-%d %H:%M}" if at else ""
        print(f"{verdict.action}: {wanted.name}{target}{asked}{when} {_MEANS[verdict.action]}")
        for title, texts in (("why", [verdict.why]), ("but", elsewhere), ("note", notes)):
            for text in texts:
                print(f"  {title}: {plain(text, 1000)}")
    raise typer.Exit(_EXIT[verdict.action])


def _reasons(policy: Policy, kind: Kind) -> list[str]:
    rules = [
        f"{rule.action} by rule {number}, for {' and '.join(rule.conditions.values())}"
        for number, rule in policy.conditional(kind)
    ]
    base = policy.base(kind)
    return [*rules, f"else {base.action}: {base.why}" if rules else base.why]


def _kind(policy: Policy, name: str) -> Kind:
    if name not in policy.kinds:
        near = nearest(name, policy.kinds)
        known = f"meant {near}?" if near else f"known are {', '.join(policy.kinds)}"
        raise typer.BadParameter(f"there is no kind of task {name!r}; {known}", param_hint="KIND")
    return policy.kinds[name]


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC).astimezone()
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError, OSError):
        raise typer.BadParameter(f"{text!r} is no time; write 2026-11-25T20:00", param_hint="--at") from None


def _device(text: str | None, config: Config, state_dir: Path) -> tuple[Known | None, list[str]]:
    """Return the device that is meant, and what has to be said about it; an address need not be known."""
    if text is None:
        return None, []
    is_address = locate(text) is not None
    try:
        found = find_device(known_devices(state_dir), text)
    except StoreError:
        if not is_address:
            raise
        found = None
    if found is not None:
        return found, []
    if not is_address:
        raise DcaError(f"the agent knows no device with the id, serial number, MAC or name {plain(text)}")
    held = Ranges(config.ranges).range_of(text)
    known = Known("", text, held.port if held else 161, held.label if held else "", "", "2c")
    return known, [f"the agent knows no device at {plain(text)} yet; a task needs one that it knows"]


def _ranges(config: Config, device: Known | None) -> Ranges:
    """Lay out the ranges without asking for a name: a range that names hosts holds the device it was found in."""
    ranges = Ranges(config.ranges)
    homes = [item for item in config.ranges if device is not None and item.enabled and item.label == device.range]
    names = {name for item in homes for name in ranges.names_of(item)}

    async def answer(name: str) -> Answer:
        if device is not None and name in names:
            return Answer(addresses=(device.address,))
        return Answer(failure=f"{name}: not asked", unknown=True)

    asyncio.run(ranges.resolve(answer))
    return ranges


def _fields(kind: Kind, verdict: Verdict, device: Known | None, role: str, at: datetime) -> dict[str, object]:
    return {
        "kind": kind.name,
        "device_id": device.device_id or None if device else None,
        "address": device.address if device else None,
        "role": role,
        "at": at.isoformat(timespec="seconds"),
        "action": verdict.action,
        "why": verdict.why,
        "rule": verdict.rule,
    }

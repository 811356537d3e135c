"""``dca audit``: show what was asked, decided and done, and prove that nobody has rewritten it."""

from __future__ import annotations

import json
import re
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from dca.audit import AuditLog, Entry
from dca.cli.options import ConfigFileOption  # noqa: TC001  # typer reads it at run time
from dca.cli.places import StateDirOption, state_dir_of
from dca.cli.render import console_for, counted, number, plain
from dca.errors import AuditError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dca.audit import Verdict

__all__ = ["app"]

app = typer.Typer(
    name="audit",
    help="What was asked, decided and done.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_HEAD = re.compile(r"([1-9][0-9]{0,17}):([0-9a-f]{16,64})", re.IGNORECASE)


@app.command()
def show(
    *,
    last: Annotated[int, typer.Option("--last", min=1, metavar="N", help="So many entries.")] = 20,
    utc: Annotated[bool, typer.Option("--utc", help="Times in UTC.", show_default="local time")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, as in the file.")] = False,
    config: ConfigFileOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Show the newest entries, the newest last."""
    entries = AuditLog(state_dir_of(config, state_dir)).entries(last)
    if as_json:
        for entry in entries:
            sys.stdout.write(json.dumps(entry.fields()).replace("\x7f", "\\u007f") + "\n")
        return
    rows = list(entries)
    if rows:
        console_for().print(_table(rows, utc=utc))
    else:
        print("The audit log is empty.")


@app.command()
def verify(
    *,
    head: Annotated[
        str | None, typer.Option("--head", metavar="N:HASH", help="Prove as well that entry N has this hash.")
    ] = None,
    config: ConfigFileOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Prove that no entry was changed, removed or put in. Exit code 1 if one was, with its place.

    Who can write the file can also write a new one: the hub shows each agent's newest entry as N:HASH, and
    --head compares with that.
    """
    log = AuditLog(state_dir_of(config, state_dir))
    expected = _expected(head)
    verdict = log.verify()
    if not verdict.whole:
        raise AuditError(
            f"the audit log is broken at {verdict.file} line {verdict.line}: {plain(verdict.why)}\n"
            f"what stands before it is whole ({number(verdict.entries)} of its entries); keep the files as they are"
        )
    for line in _words(verdict):
        print(line)
    if expected:
        _compare(log, verdict, *expected)
        print(f"entry {expected[0]} is the one that has this hash")


def _table(entries: Iterable[Entry], *, utc: bool) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("No.", justify="right", no_wrap=True)
    table.add_column("Time (UTC)" if utc else "Time", no_wrap=True)
    for title in ("Who", "What"):
        table.add_column(title, overflow="fold")
    table.add_column("", overflow="fold", ratio=1)
    for entry in entries:
        text = Text(plain(entry.text, 1000))
        details = " ".join(f"{plain(name)}={plain(value, 500)}" for name, value in entry.details.items())
        if details:
            text.append(f"\n{details}", style="dim")
        table.add_row(str(entry.n), _time(entry.at, utc=utc), Text(plain(entry.who)), Text(plain(entry.what)), text)
    return table


def _time(at: str, *, utc: bool) -> str:
    """Return an entry's time for people; what is no time stays as it stands there."""
    try:
        moment = datetime.fromisoformat(at)
        return f"{moment if utc else moment.astimezone():%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return plain(at, 40)


def _words(verdict: Verdict) -> Iterator[str]:
    if verdict.newest is None:
        yield "whole: the audit log is empty"
        return
    newest = verdict.newest
    yield f"whole: the entries {verdict.first} to {newest.n}"
    yield f"newest: {newest.n}:{newest.hash} of {plain(newest.at, 40)}"
    if verdict.first != 1:
        yield f"note: the entries before {verdict.first} were deleted as old, as the log itself says"
    if verdict.torn:
        lines = counted(verdict.torn, "line")
        yield f"note: {lines} cut short by a power cut or a full disk, each told by the entry after"


def _expected(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    match = _HEAD.fullmatch(text.strip())
    if match is None:
        raise typer.BadParameter(
            "is not N:HASH, a number and at least 16 hex digits, as the hub shows it", param_hint="--head"
        )
    return int(match[1]), match[2].lower()


def _compare(log: AuditLog, verdict: Verdict, wanted: int, digest: str) -> None:
    """Hold an entry against what the hub was told. Raises AuditError."""
    entry = log.entry(wanted)
    if entry is not None and entry.hash.startswith(digest):
        return
    newest = verdict.newest.n if verdict.newest else 0
    if entry is not None:
        why = f"entry {wanted} has another hash, {entry.hash}: the log was rewritten"
    elif wanted > newest:
        why = f"the log ends with entry {newest}: entries were removed, or it was begun anew"
    else:
        why = f"entry {wanted} was deleted as old; compare a newer one"
    raise AuditError(f"the audit log is not the one that the hub knows: {why}")

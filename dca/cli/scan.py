"""``dca scan``: find and read the printers in ranges, without a hub and without a config file."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Annotated

import typer

from dca.cli.entries import check_entries
from dca.cli.options import (
    AuthFileOption,
    AuthOption,
    AuthVariableOption,
    CommunityOption,
    ConfigOption,
    ContextOption,
    InFlightOption,
    JsonOption,
    PortOption,
    PrivFileOption,
    PrivOption,
    PrivVariableOption,
    RateOption,
    RetriesOption,
    TimeoutOption,
    UserOption,
    V3Options,
    VersionOption,
    command_app,
    credentials_of,
)
from dca.cli.render import console_for, counted
from dca.cli.session import Bar, Pace, Sheet, complain, load_config
from dca.cli.tables import fleet_table, summary
from dca.model import Range

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dca.discovery.sweep import Progress

__all__ = ["app"]

LABEL = "command line"
NOTHING = (
    "No printer answered. Check the community (or SNMPv3 user), --snmp-version, --port, the range, and firewalls on "
    "the way; a printer that sleeps may not answer."
)
REFRESH = 0.1
"""Seconds between two looks at the progress."""

app = command_app()


@app.command()
def scan(
    ranges: Annotated[
        list[str] | None,
        typer.Argument(metavar="RANGE", help="CIDR, a-b, addresses or names.", show_default="those of --config"),
    ] = None,
    *,
    community: CommunityOption = None,
    snmp_version: VersionOption = None,
    port: PortOption = 161,
    user: UserOption = "",
    auth: AuthOption = None,
    auth_password_env: AuthVariableOption = None,
    auth_password_file: AuthFileOption = None,
    priv: PrivOption = None,
    priv_password_env: PrivVariableOption = None,
    priv_password_file: PrivFileOption = None,
    context: ContextOption = "",
    timeout: TimeoutOption = None,
    retries: RetriesOption = None,
    rate: RateOption = None,
    in_flight: InFlightOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Find and read the printers in ranges of addresses.

    Nothing else is contacted, and hosts that are no printers are left alone.
    Exit codes: 0 all read, 1 some failed, 2 wrong use, 3 nothing found.
    """
    v3 = V3Options(
        user=user,
        auth=auth,
        auth_variable=auth_password_env,
        auth_file=auth_password_file,
        priv=priv,
        priv_variable=priv_password_env,
        priv_file=priv_password_file,
        context=context,
    )
    loaded = load_config(config, communities=community, version=snmp_version, v3=v3)
    if loaded is not None and ranges:
        raise typer.BadParameter("the config file says the ranges; give the one or the other", param_hint="RANGE")
    check_entries(ranges or [], "RANGE")
    if loaded is None and not ranges:
        raise typer.BadParameter("name at least one range, or a config file with --config", param_hint="RANGE")
    if loaded is None:
        credentials = credentials_of(community, snmp_version, v3)
        wanted: Sequence[Range] = (Range(LABEL, tuple(ranges or ()), credentials=credentials, port=port),)
    else:
        wanted = loaded.ranges
    pace = Pace.of(loaded, timeout=timeout, retries=retries, rate=rate, in_flight=in_flight)
    sheet = Sheet(as_json=as_json)
    began = time.monotonic()
    progress = asyncio.run(_scan(wanted, pace, sheet))
    if not as_json:
        _show(sheet, progress, time.monotonic() - began)
    raise typer.Exit(sheet.exit_code())


async def _scan(wanted: Sequence[Range], pace: Pace, sheet: Sheet) -> Progress:
    # Imported here: --help does without all of it.
    from dca.discovery.discover import discover  # noqa: PLC0415  # as said above
    from dca.discovery.ranges import Ranges  # noqa: PLC0415  # as said above
    from dca.discovery.sweep import Progress  # noqa: PLC0415  # as said above
    from dca.net.dns import SystemResolver  # noqa: PLC0415  # as said above
    from dca.printers.profiles import load_profiles  # noqa: PLC0415  # as said above

    gate = Ranges(wanted)
    for complaint in (await gate.resolve(SystemResolver())).values():
        complain(complaint)
    for warning in gate.warnings:
        complain(warning)
    progress = Progress(total=gate.count)
    with Bar("Scanning", "addresses", as_json=sheet.as_json) as bar:
        watcher = asyncio.create_task(_watch(bar, progress))
        try:
            async with pace.client(gate.allows) as client:
                async for visit in discover(client, gate, load_profiles(), progress=progress):
                    sheet.add(visit.snapshot)
        finally:
            watcher.cancel()
    return progress


async def _watch(bar: Bar, progress: Progress) -> None:
    while True:
        found = f"{progress.printers} printers" if progress.printers else ""
        bar.show(progress.done, progress.total, found)
        await asyncio.sleep(REFRESH)


def _show(sheet: Sheet, progress: Progress, seconds: float) -> None:
    console = console_for()
    if sheet.snapshots:
        console.print(fleet_table(sheet.snapshots, console.width))
        console.print()
    console.print(summary(sheet.snapshots, seconds, progress.total), style="bold")
    if progress.others:
        verb = "was" if progress.others == 1 else "were"
        console.print(f"{counted(progress.others, 'other host')} answered and {verb} left alone", style="dim")
    if not sheet.snapshots:
        console.print(NOTHING, style="yellow", soft_wrap=True)

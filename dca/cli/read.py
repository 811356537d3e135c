"""``dca read``: read printers at known addresses, without a hub and without a config file."""

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
from dca.cli.render import console_for
from dca.cli.session import Bar, Exit, Pace, Sheet, load_config
from dca.cli.tables import card, fleet_table, summary
from dca.model import Range
from dca.wire.snapshot_pb2 import OUTCOME_NO_ANSWER, READ_KIND_FULL, Snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dca.discovery.ranges import Ranges, ResolvedRange

__all__ = ["app"]

CARDS = 5
"""Devices that are shown in full; more become a table."""
LABEL = "command line"

app = command_app()


@app.command()
def read(
    hosts: Annotated[list[str], typer.Argument(metavar="HOST", help="Addresses or names.", show_default=False)],
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
    """Read printers at known addresses.

    Exit codes: 0 all read, 1 some failed, 2 wrong use.
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
    check_entries(hosts, "HOST")
    loaded = load_config(config, communities=community, version=snmp_version, v3=v3)
    credentials = () if loaded else credentials_of(community, snmp_version, v3)
    pace = Pace.of(loaded, timeout=timeout, retries=retries, rate=rate, in_flight=in_flight)
    wanted = Range(LABEL, tuple(_single(host) for host in hosts), credentials=credentials, port=port)
    sheet = Sheet(as_json=as_json)
    began = time.monotonic()
    asyncio.run(_read(wanted, loaded.ranges if loaded else (), pace, sheet))
    if not as_json:
        _show(sheet.snapshots, time.monotonic() - began)
    raise typer.Exit(Exit.SOME_FAILED if sheet.failed else Exit.ALL_READ)


def _single(host: str) -> str:
    """Return an entry that is one address or one name. Raises typer.BadParameter."""
    from dca.net.addresses import parse_spec  # noqa: PLC0415  # --help does without all of it

    try:
        spec = parse_spec(host)
    except ValueError as error:
        raise typer.BadParameter(f"{host!r} {error}", param_hint="HOST") from error
    if not spec.name and spec.interval[0] != spec.interval[1]:
        raise typer.BadParameter(f"{host} is more than one address; use `dca scan` for ranges", param_hint="HOST")
    return host


async def _read(wanted: Range, configured: Sequence[Range], pace: Pace, sheet: Sheet) -> None:
    from dca.discovery.discover import discover  # noqa: PLC0415  # --help does without all of it
    from dca.discovery.ranges import Ranges  # noqa: PLC0415  # --help does without all of it
    from dca.discovery.visit import visit  # noqa: PLC0415  # as above
    from dca.net.dns import SystemResolver  # noqa: PLC0415  # as above
    from dca.printers.profiles import load_profiles  # noqa: PLC0415  # as above

    resolver = SystemResolver()
    asked = Ranges([wanted])
    for name, complaint in (await asked.resolve(resolver)).items():
        sheet.add(_unresolved(name, complaint))
    gate = asked
    if configured:
        gate = Ranges(configured)
        await gate.resolve(resolver)
    places = {target.address: _range_of(gate, target.address) for target in asked.addresses()}
    profiles = load_profiles()
    silent = dict(places)
    async with pace.client(gate.allows) as client:
        with Bar("Reading", "devices", as_json=sheet.as_json) as bar:
            # All at once as a sweep does it: one that answers only v1 is not waited for with every retry of v2c.
            async for visited in discover(client, Ranges(_as_ranges(places)), profiles):
                sheet.add(visited.snapshot)
                silent.pop(visited.snapshot.host, None)
                bar.show(len(places) - len(silent), len(places))
            visits = [
                visit(client, address, place.port, place.credentials, profiles=profiles, kind=READ_KIND_FULL)
                for address, place in silent.items()
            ]
            for done, coming in enumerate(asyncio.as_completed(visits), len(places) - len(silent) + 1):
                sheet.add((await coming).snapshot)
                bar.show(done, len(places))


def _as_ranges(places: dict[str, ResolvedRange]) -> list[Range]:
    """Return ranges of just these addresses, each with port and credentials of its own range."""
    labels = {place.label: place.range for place in places.values()}
    return [
        Range(label, tuple(a for a, place in places.items() if place.label == label), (), item.credentials, item.port)
        for label, item in labels.items()
    ]


def _range_of(gate: Ranges, address: str) -> ResolvedRange:
    found = gate.range_of(address)
    if found is None:
        raise typer.BadParameter(f"{address} is in no range of the config file", param_hint="HOST")
    return found


def _unresolved(name: str, complaint: str) -> Snapshot:
    snapshot = Snapshot(host=name, outcome=OUTCOME_NO_ANSWER, reason=complaint, kind=READ_KIND_FULL)
    snapshot.read_at.GetCurrentTime()
    return snapshot


def _show(snapshots: Sequence[Snapshot], seconds: float) -> None:
    console = console_for()
    if len(snapshots) <= CARDS:
        for snapshot in snapshots:
            console.print(card(snapshot, console.width))
    else:
        console.print(fleet_table(snapshots, console.width))
        console.print()
        console.print(summary(snapshots, seconds), style="bold")

"""Reading a printer: everything, or only the cells that are known to change.

The conversations do no I/O (see `dca.snmp.types`); what they return is the snapshot, of which the caller fills in
what it knows better: host, range, credential, protocol, device id, duration, requests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dca.printers import objects
from dca.printers.cells import Cells
from dca.printers.gather import gather
from dca.printers.identity import read_device
from dca.printers.known import read_known
from dca.printers.levels import bare
from dca.printers.meters import read_meters
from dca.printers.never import Fence, fenced
from dca.printers.parts import read_alerts, read_console, read_covers, read_trays
from dca.printers.state import set_outcome, set_status, set_time
from dca.printers.supplies import read_supplies
from dca.wire.snapshot_pb2 import (
    OUTCOME_NOT_A_PRINTER,
    READ_KIND_FULL,
    Outcome,
    ReadKind,
    Snapshot,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from dca.printers.facts import Facts
    from dca.printers.profiles import Profiles
    from dca.snmp.types import Conversation, Peer, VarBind

__all__ = ["Cells", "Reading", "failure", "read_full", "read_known"]


class Reading(NamedTuple):
    """What a full reading brought."""

    snapshot: Snapshot
    cells: Cells
    is_printer: bool


def failure(outcome: Outcome.ValueType, reason: str, *, kind: ReadKind.ValueType = READ_KIND_FULL) -> Snapshot:
    """Return the snapshot of a visit that brought nothing; no old number is in it."""
    return Snapshot(outcome=outcome, reason=reason, kind=kind)


def read_full(peer: Peer, profiles: Profiles, *, now: Callable[[], float]) -> Conversation[Reading]:
    """Read everything that the device tells, in at most a dozen requests on most. `now` is Unix seconds, UTC.

    What fails on the way makes the outcome partial and is named in `missing`; the rest is kept. A device that is
    no printer brings an empty snapshot that says so.

    Raises:
        SnmpError: nothing at all was answered.
    """
    fence = Fence()
    facts = yield from fenced(gather(peer, profiles, now), fence)
    if not facts.is_printer:
        reason = "it answers, but has no Printer-MIB and is none of the printers known by their OID or description"
        snapshot = failure(OUTCOME_NOT_A_PRINTER, reason)
        set_time(snapshot, facts.first_reply)
        return Reading(snapshot, Cells(), is_printer=False)
    return _reading(facts, fence)


def _reading(facts: Facts, fence: Fence) -> Reading:
    """Turn what was gathered into the snapshot and the cells."""
    snapshot = Snapshot(kind=READ_KIND_FULL, device=read_device(facts))
    set_time(snapshot, facts.first_reply)
    snapshot.profiles.extend(profile.name for profile in facts.profiles)
    status, errors = _status_cells(facts)
    values = facts.scalars | {errors[0]: errors, status[0]: status}
    set_status(snapshot, values, status[0], errors[0])
    meters = read_meters(facts)
    supplies = read_supplies(facts)
    console = _console_cells(facts)
    snapshot.meters.extend(meter for meter, _ in meters)
    snapshot.supplies.extend(cell.supply for cell in supplies)
    snapshot.trays.extend(read_trays(facts.columns, facts.charset))
    snapshot.covers.extend(read_covers(facts.columns, facts.charset))
    snapshot.alerts.extend(read_alerts(facts.columns, facts.charset))
    snapshot.console.extend(read_console((value for _, _, value in console), facts.charset))
    set_outcome(snapshot, facts.missing, facts.reason)
    serial = objects.PRT_SERIAL + objects.FIRST if facts.octets(objects.PRT_SERIAL + objects.FIRST) else b""
    cells = Cells(
        uptime=objects.SYS_UPTIME if snapshot.HasField("uptime") else b"",
        serial=serial,
        serial_value=facts.octets(serial) or b"",
        status=status[0] if status[2] is not None else b"",
        errors=errors[0] if errors[2] is not None else b"",
        console=tuple(name for name, _, _ in console),
        charset=facts.charset,
        steps=fence.steps,
        profiles=tuple(snapshot.profiles),
        meters=tuple(cell for _, cell in meters),
        supplies=tuple(map(bare, supplies)),
    )
    return Reading(snapshot, cells, is_printer=True)


def _status_cells(facts: Facts) -> tuple[VarBind, VarBind]:
    """Return hrPrinterStatus and hrPrinterDetectedErrorState of the first printer, wherever they are."""
    found = []
    for column in (objects.HR_PRINTER_STATUS, objects.HR_PRINTER_ERRORS):
        rows = facts.rows(column)
        missing = (column + objects.FIRST, 0, None)
        other = (column + rows[0][0], *rows[0][1:]) if rows else missing
        found.append(facts.scalars.get(column + objects.FIRST, other))
    return found[0], found[1]


def _console_cells(facts: Facts) -> list[VarBind]:
    """Return the cells of the panel: the vendor's own where it shows text and is preferred, else the standard's."""
    standard = [(objects.CONSOLE_TEXT + index, tag, value) for index, tag, value in facts.rows(objects.CONSOLE_TEXT)]
    shows = bool(read_console((value for _, _, value in standard), facts.charset))
    for profile in facts.profiles:
        if profile.console and not (shows and profile.console_fallback):
            own = facts.scalars.get(profile.console)
            if own and read_console((own[2],), facts.charset):
                return [own]
    return standard

"""Reading a printer: everything, or only the cells that are known to change.

The conversations do no I/O (see `dca.snmp.types`); what they return is the snapshot, of which the caller fills in
what it knows better: host, range, credential, protocol, device id, duration, requests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dca.errors import SnmpError
from dca.printers import objects
from dca.printers.cells import Cells
from dca.printers.gather import Facts, gather
from dca.printers.identity import read_device
from dca.printers.levels import bare, read_again
from dca.printers.meters import count, meter_of, read_meters
from dca.printers.names import PRINTER_STATES, error_names
from dca.printers.never import Fence, fenced
from dca.printers.parts import read_alerts, read_console, read_covers, read_trays
from dca.printers.supplies import read_supplies
from dca.snmp.ask import MAX_OIDS, columns, get
from dca.wire.snapshot_pb2 import (
    OUTCOME_NOT_A_PRINTER,
    OUTCOME_OK,
    OUTCOME_PARTIAL,
    READ_KIND_FULL,
    READ_KIND_STATUS,
    READ_KIND_SUPPLIES,
    Outcome,
    ReadKind,
    Snapshot,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dca.printers.profiles import Profiles
    from dca.snmp.types import Conversation, Peer, Value, VarBind

__all__ = ["Cells", "Reading", "failure", "read_full", "read_known"]

_UINT32 = 0xFFFFFFFF
_ALERT_ROWS = 16
"""Alerts that one GETBULK of a status poll asks for."""
_ALERT_ROWS_V1 = 4


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
        _set_time(snapshot, facts.first_reply)
        return Reading(snapshot, Cells(), is_printer=False)
    return _reading(facts, fence)


def _reading(facts: Facts, fence: Fence) -> Reading:
    """Turn what was gathered into the snapshot and the cells."""
    snapshot = Snapshot(kind=READ_KIND_FULL, device=read_device(facts))
    _set_time(snapshot, facts.first_reply)
    snapshot.profiles.extend(profile.name for profile in facts.profiles)
    status, errors = _status_cells(facts)
    values = facts.scalars | {errors[0]: errors, status[0]: status}
    _set_status(snapshot, values, status[0], errors[0])
    meters = read_meters(facts)
    supplies = read_supplies(facts)
    console = _console_cells(facts)
    snapshot.meters.extend(meter for meter, _ in meters)
    snapshot.supplies.extend(cell.supply for cell in supplies)
    snapshot.trays.extend(read_trays(facts.columns, facts.charset))
    snapshot.covers.extend(read_covers(facts.columns, facts.charset))
    snapshot.alerts.extend(read_alerts(facts.columns, facts.charset))
    snapshot.console.extend(read_console((value for _, _, value in console), facts.charset))
    _set_outcome(snapshot, facts.missing, facts.reason)
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


def _set_time(snapshot: Snapshot, seconds: float) -> None:
    snapshot.read_at.FromNanoseconds(round(seconds * 1000) * 1_000_000)


def _set_status(snapshot: Snapshot, values: dict[bytes, VarBind], status: bytes, errors: bytes) -> None:
    """Set status, errors and uptime from single objects."""
    state = values[status][2] if status in values else None
    if type(state) is int:
        snapshot.status = PRINTER_STATES.get(state, "unknown")
    octets = values[errors][2] if errors in values else None
    if isinstance(octets, bytes):
        snapshot.errors.extend(error_names(octets))
    uptime = values[objects.SYS_UPTIME][2] if objects.SYS_UPTIME in values else None
    if type(uptime) is int and 0 <= uptime <= _UINT32:
        snapshot.uptime = uptime


def _set_outcome(snapshot: Snapshot, missing: Iterable[str], reason: str) -> None:
    snapshot.missing.extend(missing)
    snapshot.outcome = OUTCOME_PARTIAL if snapshot.missing else OUTCOME_OK
    if snapshot.missing:
        snapshot.reason = f"not complete: {', '.join(snapshot.missing)} ({reason}); the next reading asks again"


def read_known(
    peer: Peer, cells: Cells, kind: ReadKind.ValueType, *, now: Callable[[], float]
) -> Conversation[Snapshot | None]:
    """Read only the known cells: for STATUS one GET and one request for the alerts, for SUPPLIES the meters as well.

    Returns None when the device is not as it was (a cell is gone, another serial number, a cartridge was changed):
    then a full reading is due.

    Raises:
        SnmpError: the device did not answer.
    """
    return (yield from fenced(_read_known(peer, cells, kind, now), Fence(cells.steps)))


def _read_known(
    peer: Peer, cells: Cells, kind: ReadKind.ValueType, now: Callable[[], float]
) -> Conversation[Snapshot | None]:
    wanted = _wanted(cells, kind)
    if not wanted:
        return None
    found = yield from get(peer, wanted)
    first_reply = now()
    if any(name not in found for name in wanted):
        return None
    if cells.serial and found[cells.serial][2] != cells.serial_value:
        return None
    snapshot = Snapshot(kind=kind)
    _set_time(snapshot, first_reply)
    _set_status(snapshot, found, cells.status, cells.errors)
    snapshot.profiles.extend(cells.profiles)

    def value(name: bytes) -> Value:
        varbind = found.get(name)
        return varbind[2] if varbind else None

    if not _set_numbers(snapshot, cells, found, value):
        return None
    if kind == READ_KIND_SUPPLIES:
        _set_outcome(snapshot, (), "")
        return snapshot
    snapshot.console.extend(read_console(map(value, cells.console), cells.charset))
    missing, reason = yield from _read_alerts(peer, cells, snapshot)
    _set_outcome(snapshot, missing, reason)
    return snapshot


def _wanted(cells: Cells, kind: ReadKind.ValueType) -> list[bytes]:
    """Return the objects to ask for; a status poll takes what fits into one PDU, the status first."""
    names = [cells.uptime, cells.serial, cells.status, cells.errors]
    levels = [cell.level for cell in cells.supplies]
    if kind == READ_KIND_STATUS:
        life = [cell.terms[0][0] for cell in cells.meters if cell.name in ("total", "life") and len(cell.terms) == 1]
        names = [*names, *cells.console, *life, *levels]
    else:
        capacities = [cell.capacity for cell in cells.supplies]
        terms = [name for cell in cells.meters for name, _ in cell.terms]
        names = [*names, *levels, *capacities, *terms]
    names = [name for name in dict.fromkeys(names) if name]
    return names[:MAX_OIDS] if kind == READ_KIND_STATUS else names


def _set_numbers(
    snapshot: Snapshot, cells: Cells, found: dict[bytes, VarBind], value: Callable[[bytes], Value]
) -> bool:
    """Set the meters and supplies that were asked for; False when one of them is not what it was."""
    for meter in cells.meters:
        if all(name in found for name, _ in meter.terms):
            number = count(meter, value)
            if number is None:
                return False
            snapshot.meters.append(meter_of(meter, number))
    for cell in cells.supplies:
        if cell.level in found or (not cell.level and snapshot.kind == READ_KIND_SUPPLIES):
            supply = snapshot.supplies.add()
            supply.CopyFrom(cell.supply)
            if not read_again(cell._replace(supply=supply), value):
                return False
    return True


def _read_alerts(peer: Peer, cells: Cells, snapshot: Snapshot) -> Conversation[tuple[tuple[str, ...], str]]:
    """Read the alerts with one request; returns (the parts that are missing, why)."""
    rows = _ALERT_ROWS_V1 if peer.version == "1" or peer.no_bulk else min(_ALERT_ROWS, peer.max_repetitions)
    if cells.steps:
        rows = min(rows, cells.steps)
    try:
        table = yield from columns(peer, objects.ALERT_COLUMNS, rows=rows)
    except SnmpError as error:
        return ("alerts",), str(error)
    snapshot.alerts.extend(read_alerts(table, cells.charset))
    return (), ""

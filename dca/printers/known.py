"""Reading only what is known of a device and changes: two PDUs in the steady state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dca.errors import SnmpError
from dca.printers import objects
from dca.printers.levels import read_again
from dca.printers.meters import count, meter_of
from dca.printers.never import Fence, fenced
from dca.printers.parts import read_alerts, read_console
from dca.printers.state import set_outcome, set_status, set_time
from dca.snmp.ask import MAX_OIDS, columns, get
from dca.wire.snapshot_pb2 import READ_KIND_STATUS, ReadKind, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from dca.printers.cells import Cells
    from dca.snmp.types import Conversation, Peer, Value, VarBind

__all__ = ["read_known"]

_ALERT_ROWS = 32


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
    found = yield from get(peer, wanted[:MAX_OIDS])
    snapshot = Snapshot(kind=kind)
    set_time(snapshot, now())
    unanswered, reason = yield from _rest(peer, wanted[MAX_OIDS:], found)
    if any(name not in found and name not in unanswered for name in wanted):
        return None
    if cells.serial and found[cells.serial][2] != cells.serial_value:
        return None
    set_status(snapshot, found, cells.status, cells.errors)
    snapshot.profiles.extend(cells.profiles)

    def value(name: bytes) -> Value:
        varbind = found.get(name)
        return varbind[2] if varbind else None

    if not _set_numbers(snapshot, cells, found, value):
        return None
    missing = _parts(cells, unanswered)
    if kind == READ_KIND_STATUS:
        snapshot.console.extend(read_console(map(value, cells.console), cells.charset))
        table = yield from columns(peer, objects.ALERT_COLUMNS, rows=_ALERT_ROWS)
        snapshot.alerts.extend(read_alerts(table.rows, cells.charset))
        if table.cut:
            missing, reason = ["alerts"], str(table.error or "")
    set_outcome(snapshot, missing, reason)
    return snapshot


def _rest(peer: Peer, names: list[bytes], found: dict[bytes, VarBind]) -> Conversation[tuple[set[bytes], str]]:
    """Ask for what did not fit into the first PDU; returns (what stayed unanswered, why)."""
    for at in range(0, len(names), MAX_OIDS):
        try:
            found.update((yield from get(peer, names[at : at + MAX_OIDS])))
        except SnmpError as error:
            return set(names[at:]), str(error)
    return set(), ""


def _parts(cells: Cells, unanswered: set[bytes]) -> list[str]:
    """Return the names of the parts that stayed unanswered."""
    supplies = any(cell.level in unanswered or cell.capacity in unanswered for cell in cells.supplies)
    meters = any(name in unanswered for cell in cells.meters for name, _ in cell.terms)
    return ["supplies"] * supplies + ["meters"] * meters


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
        if cell.level in found or (not cell.level and snapshot.kind != READ_KIND_STATUS):
            supply = snapshot.supplies.add()
            supply.CopyFrom(cell.supply)
            if not read_again(cell._replace(supply=supply), value):
                return False
    return True

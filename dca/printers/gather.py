"""Asking a device everything, in few requests: one GET, the columns of the tables side by side, the vendor's objects.

What fails on the way is named and the rest is kept; a device that falls silent is not asked on and on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dca.errors import SnmpError
from dca.printers import objects
from dca.printers.facts import Facts
from dca.printers.text import clean_text
from dca.snmp.ask import MAX_OIDS, columns, get
from dca.snmp.oids import arcs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dca.printers.profiles import Profiles
    from dca.snmp.types import Conversation, Peer

__all__ = ["gather"]

_ROWS = 48
_SCALARS = 4 * MAX_OIDS
"""Single vendor objects at most."""
_FURTHER = 2
"""Rows that a vendor's table of supplies may have after the standard table's last."""
_PATIENCE = 2
"""Parts that may stay unanswered before the rest is not asked any more."""
_GROUPS: tuple[tuple[tuple[str, tuple[bytes, ...]], ...], ...] = (
    (("supplies", objects.SUPPLY_COLUMNS), ("meters", objects.MARKER_COLUMNS)),
    (
        ("alerts", objects.ALERT_COLUMNS),
        ("covers", objects.COVER_COLUMNS),
        ("console", objects.CONSOLE_COLUMNS),
    ),
    (
        ("trays", objects.INPUT_COLUMNS + objects.OUTPUT_COLUMNS),
        ("interfaces", objects.INTERFACE_COLUMNS),
    ),
)
"""Tables that are asked for together, with about as many rows each."""
_MIB_ENUMS = 0xFFFF
_NOT_PRINTERS = ("1.3.6.1.4.1.311.",)
"""sysObjectIDs of computers that show the printers they serve in hrDeviceTable (Microsoft)."""


def gather(peer: Peer, profiles: Profiles, now: Callable[[], float]) -> Conversation[Facts]:
    """Ask for everything that the standard and the profiles that fit know.

    Raises:
        SnmpError: nothing at all was answered.
    """
    facts = Facts()
    names: tuple[bytes, ...] = objects.IDENTITY
    if peer.version == "1":  # where each object that is missing costs a request
        names = tuple(name for name in names if name not in objects.DEVICE_IDS)
    facts.scalars = yield from get(peer, names)
    facts.first_reply = now()
    _match(facts, profiles)
    if names is not objects.IDENTITY and not facts.profiles:
        yield from _more(peer, facts, objects.DEVICE_IDS, "identity")
        _match(facts, profiles)
    if not _shows_printer(facts, profiles):
        facts.is_printer = yield from _probe(peer, facts)
        if not facts.is_printer:
            return facts
    yield from _vendor_scalars(peer, facts)
    elsewhere = not any(
        name + objects.FIRST in facts.scalars for name in (objects.HR_PRINTER_STATUS, objects.HR_PRINTER_ERRORS)
    )
    for group in _GROUPS:
        extra = (("status", objects.DEVICE_COLUMNS),) if elsewhere and group is _GROUPS[1] else ()
        yield from _tables(peer, facts, group + extra)
        if group is _GROUPS[0]:
            yield from _asked_tables(peer, facts)
    yield from _walked_tables(peer, facts)
    return facts


def _match(facts: Facts, profiles: Profiles) -> None:
    """Find the profiles and the character set, once the first objects are there."""
    named = facts.device_id
    model = clean_text(facts.value(objects.HR_DEVICE_DESCR + objects.FIRST))
    if not model or not facts.description:
        model = f"{named.get('MFG', '')} {named.get('MDL', '')}".strip() or model
    facts.profiles = profiles.match(facts.object_id, facts.description, model)
    facts.charset = _charset(facts, 1)


def _charset(facts: Facts, localization: int) -> int:
    """Return the IANA MIBenum of a localization's character set; 0 when there is none."""
    announced = facts.number(objects.PRT_CHARSET + bytes((1, localization)))
    return announced if announced is not None and 0 < announced <= _MIB_ENUMS else 0


def _shows_printer(facts: Facts, profiles: Profiles) -> bool:
    """Tell whether what is known already is a printer's."""
    if any(name.startswith(objects.PRINTER_MIB) for name in facts.scalars):
        return True
    if facts.device_id or profiles.is_printer(facts.object_id, facts.description):
        return True
    if facts.object_id.startswith(_NOT_PRINTERS):
        return False
    printer = facts.value(objects.HR_DEVICE_TYPE + objects.FIRST) == objects.HR_DEVICE_PRINTER
    return printer or objects.HR_PRINTER_STATUS + objects.FIRST in facts.scalars


def _probe(peer: Peer, facts: Facts) -> Conversation[bool]:
    """Ask whether there is anything of the Printer-MIB, or another device that is a printer."""
    found = (yield from columns(peer, (objects.PRINTER_MIB, objects.HR_DEVICE_TYPE), rows=8)).rows
    if found[objects.PRINTER_MIB]:
        return True
    is_pc = facts.object_id.startswith(_NOT_PRINTERS)
    return not is_pc and any(value == objects.HR_DEVICE_PRINTER for _, _, value in found[objects.HR_DEVICE_TYPE])


def _more(peer: Peer, facts: Facts, names: Sequence[bytes], part: str) -> Conversation[None]:
    """Ask for further single objects; what is answered is kept."""
    wanted = [name for name in names if name not in facts.scalars]
    for at in range(0, len(wanted), MAX_OIDS):
        if facts.failures >= _PATIENCE:
            facts.missing[part] = None
            return
        try:
            facts.scalars.update((yield from get(peer, wanted[at : at + MAX_OIDS])))
        except SnmpError as error:
            facts.failed((part,), error)


def _vendor_scalars(peer: Peer, facts: Facts) -> Conversation[None]:
    """Ask for the single objects of the profiles, and for the character set where it is not the first."""
    names: list[bytes] = []
    current = facts.number(objects.PRT_LOCALIZATION + objects.FIRST)
    if current and 1 < current < 0x80:  # noqa: PLR2004 - one octet of an OID
        names.append(objects.PRT_CHARSET + bytes((1, current)))
    for profile in facts.profiles:
        names += profile.scalars
    yield from _more(peer, facts, names[:_SCALARS], "vendor")
    if current and current > 1:
        facts.charset = _charset(facts, current & 0x7F) or facts.charset


def _tables(peer: Peer, facts: Facts, group: tuple[tuple[str, tuple[bytes, ...]], ...]) -> Conversation[None]:
    """Walk the columns of several tables side by side."""
    if facts.failures >= _PATIENCE:
        facts.missing.update(dict.fromkeys(part for part, _ in group))
        return
    wanted = [column for _, found in group for column in found]
    table = yield from columns(peer, wanted, rows=_ROWS)
    facts.columns.update(table.rows)
    cut = [part for part, found in group if table.cut.intersection(found)]
    if table.error is not None:
        facts.failed(cut, table.error)
    else:
        facts.missing.update(dict.fromkeys(cut))


def _walked_tables(peer: Peer, facts: Facts) -> Conversation[None]:
    """Walk the vendor's tables where that is safe."""
    walked: list[bytes] = []
    for profile in facts.profiles:
        for counters in profile.counter_tables:
            walked += () if counters.rows else (counters.key, counters.value)
        for supplies in profile.supply_tables:
            walked += () if supplies.rows else supplies.columns
    if walked:
        yield from _tables(peer, facts, (("vendor", tuple(dict.fromkeys(walked))),))


def _asked_tables(peer: Peer, facts: Facts) -> Conversation[None]:
    """Ask for the rows of the vendor's other tables one by one, and lay them side by side with those walked."""
    last = max((arcs(index)[-1] for index, _, _ in facts.rows(objects.SUPPLY_LEVEL) if arcs(index)), default=0)
    tables: list[tuple[tuple[bytes, ...], bytes, int]] = []
    for profile in facts.profiles:
        if profile.scalars and not any(name in facts.scalars for name in profile.scalars):
            continue  # the vendor's tree is not there, or hidden: no row of it either
        tables += [((part.key, part.value), part.before, part.rows) for part in profile.counter_tables]
        for supplies in profile.supply_tables:
            rows = min(supplies.rows, last + _FURTHER) if last else supplies.rows
            tables.append((supplies.columns, supplies.before, rows))
    cells = {
        column + before + bytes((row,)): column
        for columns_, before, rows in tables
        for row in range(1, rows + 1)
        for column in columns_
    }
    if not cells:
        return
    yield from _more(peer, facts, list(cells), "vendor")
    for name, column in cells.items():
        if name in facts.scalars:
            _, tag, value = facts.scalars[name]
            facts.columns.setdefault(column, []).append((name[len(column) :], tag, value))

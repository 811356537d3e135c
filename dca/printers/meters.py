"""Lifetime counters: the life count of each marker, and the vendor's counters, which win where both name one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dca.printers import objects
from dca.printers.names import SUPPLY_UNITS
from dca.printers.records import records
from dca.printers.text import clean_text
from dca.snmp.oids import arcs, dotted
from dca.wire.snapshot_pb2 import Meter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dca.printers.facts import Facts
    from dca.printers.profiles.schema import CounterTable
    from dca.snmp.types import Value

__all__ = ["MeterCell", "count", "meter_of", "read_meters"]

_MOST = (1 << 64) - 1
_NO_RECORD = -1


class MeterCell(NamedTuple):
    """A counter and where its number comes from, so that it can be read again."""

    name: str
    unit: str
    source: str
    terms: tuple[tuple[bytes, int], ...]
    """(object, +1 or -1)."""
    record: int = _NO_RECORD
    """Id of the record within the one object; -1 for none."""


def count(cell: MeterCell, value: Callable[[bytes], Value]) -> int | None:
    """Return the counter's number; None when a part of it is not there or is none."""
    if cell.record != _NO_RECORD:
        body = records(value(cell.terms[0][0])).get(cell.record)
        return int.from_bytes(body, "big") if body and len(body) <= 8 else None  # noqa: PLR2004 - 64 bits
    total = 0
    for name, sign in cell.terms:
        number = value(name)
        if type(number) is not int or number < 0:
            return None
        total += sign * number
    return total if 0 <= total <= _MOST else None


def meter_of(cell: MeterCell, number: int) -> Meter:
    """Return the message of a counter."""
    meter = Meter(name=cell.name, value=number, source=cell.source)
    if cell.unit:
        meter.unit = cell.unit
    return meter


def read_meters(facts: Facts) -> list[tuple[Meter, MeterCell]]:
    """Return every counter with the cell to read it again; names are unique, but for further markers' life counts.

    A standard life count whose name a vendor's counter takes is given as ``life``.
    """
    found: dict[str, tuple[Meter, MeterCell]] = {}
    values = _values(facts)
    fallbacks: list[MeterCell] = []
    for cell, fallback in _vendor_cells(facts):
        if fallback:
            fallbacks.append(cell)
        else:
            _keep(found, cell, values)
    for number, cell in enumerate(_life_counts(facts), 1):
        name = "total" if number == 1 else f"life_{number}"
        _keep(found, cell._replace(name="life" if name in found else name), values)
    for cell in fallbacks:
        _keep(found, cell, values)
    for profile in facts.profiles:
        for difference in profile.differences:
            if difference.whole in found and difference.less in found:
                _keep(found, _less(difference.name, found[difference.whole][1], found[difference.less][1]), values)
    return list(found.values())


def _less(name: str, whole: MeterCell, less: MeterCell) -> MeterCell:
    terms = whole.terms + tuple((term, -sign) for term, sign in less.terms)
    return MeterCell(name, whole.unit, f"{whole.source} - {less.source}", terms)


def _keep(found: dict[str, tuple[Meter, MeterCell]], cell: MeterCell, values: Callable[[bytes], Value]) -> None:
    if cell.name in found:
        return
    number = count(cell, values)
    if number is not None:
        found[cell.name] = (meter_of(cell, number), cell)


def _values(facts: Facts) -> Callable[[bytes], Value]:
    """Return a look-up of single objects and of the cells of the counters' columns."""
    cells = {objects.MARKER_LIFE + index: value for index, _, value in facts.rows(objects.MARKER_LIFE)}
    for profile in facts.profiles:
        for table in profile.counter_tables:
            cells.update({table.value + index: value for index, _, value in facts.rows(table.value)})

    def value(name: bytes) -> Value:
        return cells[name] if name in cells else facts.value(name)

    return value


def _life_counts(facts: Facts) -> Iterator[MeterCell]:
    """Yield prtMarkerLifeCount of each marker, the lowest index first; INTEGER is taken as well as Counter32."""
    units = {index: value for index, _, value in facts.rows(objects.MARKER_UNIT)}
    for index, _, value in sorted(facts.rows(objects.MARKER_LIFE), key=lambda row: arcs(row[0])):
        unit = units.get(index)
        if type(value) is int and value >= 0:
            name = objects.MARKER_LIFE + index
            word = SUPPLY_UNITS.get(unit, "") if type(unit) is int else ""
            yield MeterCell("total", word, dotted(name), ((name, 1),))


def _vendor_cells(facts: Facts) -> Iterator[tuple[MeterCell, bool]]:
    """Yield (counter, whether the standard one of that name is better) of the profiles."""
    for profile in facts.profiles:
        for meter in profile.meters:
            if meter.terms[0][0] in facts.scalars:
                yield MeterCell(meter.name, meter.unit, meter.source, meter.terms), meter.fallback
        for part in profile.records:
            if part.oid in facts.scalars:
                for record, name in part.meters:
                    yield MeterCell(name, part.unit, part.source, ((part.oid, 1),), record), False
        for table in profile.counter_tables:
            for cell in _table_cells(table, facts):
                yield cell, False


def _table_cells(table: CounterTable, facts: Facts) -> Iterator[MeterCell]:
    """Yield the counters of a table: rows whose code or label has a name; those of one name are added."""
    keys = {index: value for index, _, value in facts.rows(table.key)}
    terms: dict[str, list[bytes]] = {}
    for index, _, _ in facts.rows(table.value):
        key = keys.get(index)
        name = table.names.get(key if type(key) is int else clean_text(key, facts.charset).lower())
        if name:
            terms.setdefault(name, []).append(table.value + index)
    for name, cells in terms.items():
        source = " + ".join(map(dotted, cells))
        yield MeterCell(name, table.unit, source, tuple((cell, 1) for cell in cells))

"""Supplies: every row of the standard table, made better by the vendor's own where only that one measures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from dca.printers import objects
from dca.printers.levels import UNKNOWN, SupplyCell, fill
from dca.printers.names import SUPPLY_TYPES, SUPPLY_UNITS
from dca.printers.parts import row_number, table_rows
from dca.printers.text import clean_text, is_placeholder
from dca.printers.vendor_supplies import record_supplies, table_supplies
from dca.printers.words import color_of, type_of
from dca.snmp.oids import dotted
from dca.wire.snapshot_pb2 import Supply

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dca.printers.facts import Facts
    from dca.printers.profiles.schema import SupplyRules
    from dca.snmp.types import Value

__all__ = ["read_supplies"]

_RECEPTACLE = 4
_KNOWN_CLASSES = frozenset((3, _RECEPTACLE))
_MOST = 64
_NUMBERS: tuple[Literal["level", "capacity", "unit", "percent"], ...] = ("level", "capacity", "unit", "percent")
_PART_MARKS = ((", PN ", ";"), (", P/N ", ";"), ("PN:", ";"))
_SERIAL_MARKS = (";SN:", ";SN", ", SN ", " S/N:", ";S/N:", " S/N ")


def _rules(facts: Facts) -> tuple[Mapping[int, str], bool]:
    """Return (levels that are steps, whether receptacles count up) of the first profile that departs from the RFC."""
    for profile in facts.profiles:
        rules = profile.supply_rules
        if rules.codes or rules.counts_up:
            return rules.codes, rules.counts_up
    return {}, False


def read_supplies(facts: Facts) -> list[SupplyCell]:
    """Return every supply, the standard table's first, at most 64."""
    codes, counts_up = _rules(facts)
    found = list(_standard(facts, codes, counts_up=counts_up))
    for profile in facts.profiles:
        for table in profile.supply_tables:
            _join(found, list(table_supplies(table, facts, codes, counts_up=counts_up)), table.key, add=table.add)
        for part in profile.records:
            _join(found, list(record_supplies(part, facts)), "color", add=True)
    return found[:_MOST]


def _standard(facts: Facts, codes: Mapping[int, str], *, counts_up: bool) -> Iterator[SupplyCell]:
    part_rule = next((p.supply_rules for p in facts.profiles if p.supply_rules.part_number), None)
    colorants = {row_number(index): value for index, _, value in facts.rows(objects.COLORANT_VALUE)}
    for index, row in table_rows(facts.columns, objects.SUPPLY_COLUMNS[:-1]):
        full = _int(row.get(objects.SUPPLY_CAPACITY))
        now = _int(row.get(objects.SUPPLY_LEVEL))
        supply = Supply(index=row_number(index), source=dotted(objects.SUPPLY_LEVEL + index))
        colorant = row.get(objects.SUPPLY_COLORANT)
        named = clean_text(colorants.get(colorant), facts.charset) if type(colorant) is int else ""
        _describe(supply, row, named, facts.charset, part_rule)
        capacity = UNKNOWN if full is None else full
        fill(supply, now, capacity, codes, counts_up=counts_up)
        yield SupplyCell(
            supply,
            b"" if now is None else objects.SUPPLY_LEVEL + index,
            b"" if full is None else objects.SUPPLY_CAPACITY + index,
            capacity,
            UNKNOWN if now is None else now,
            codes,
            counts_up,
        )


def _int(value: Value) -> int | None:
    return value if type(value) is int else None


def _describe(
    supply: Supply, row: dict[bytes, Value], colorant: str, charset: int, part_rule: SupplyRules | None
) -> None:
    """Set what a row says besides its numbers."""
    description = _split(supply, clean_text(row.get(objects.SUPPLY_DESCR), charset))
    if description:
        supply.description = description
        if part_rule and part_rule.part_number and not supply.part_number:
            part = part_rule.part_number(description.encode(), 0)
            if part:
                supply.part_number = part
    kind = row.get(objects.SUPPLY_TYPE)
    named = SUPPLY_TYPES.get(kind, "") if type(kind) is int else ""
    if named in ("", "other", "unknown"):
        named = type_of(description) or named
    if named:
        supply.type = named
    unit = row.get(objects.SUPPLY_UNIT)
    word = SUPPLY_UNITS.get(unit, "") if type(unit) is int else ""
    if word:
        supply.unit = word
    class_ = row.get(objects.SUPPLY_CLASS)
    if class_ in _KNOWN_CLASSES:
        supply.receptacle = class_ == _RECEPTACLE
    elif named.startswith("waste_"):
        supply.receptacle = True
    color = color_of(description, "" if supply.receptacle else colorant)
    if color:
        supply.color = color


def _split(supply: Supply, description: str) -> str:
    """Take part and serial number out of a description and return what is left of it."""
    serial = ""
    for mark in _SERIAL_MARKS:
        head, found, tail = description.partition(mark)
        if found:
            description, serial = head, tail
            break
    for mark, end in _PART_MARKS:
        head, found, tail = description.partition(mark)
        if found:
            description = head
            supply.part_number = tail.partition(end)[0].strip()
            break
    serial = serial.partition(";")[0].strip(" ;,:")
    if serial and not is_placeholder(serial):
        supply.serial = serial
    return description.strip(" ;,")


def _join(found: list[SupplyCell], own: list[SupplyCell], key: str, *, add: bool) -> None:
    """Bring the vendor's supplies together with those found: by index, description or colour (and type)."""
    taken: set[int] = set()
    for cell in own:
        at = next((n for n, old in enumerate(found) if n not in taken and _same(old.supply, cell.supply, key)), -1)
        if at >= 0:
            taken.add(at)
            found[at] = _better(found[at], cell)
        elif add and (cell.supply.HasField("description") or cell.supply.HasField("level")):
            taken.add(len(found))
            found.append(cell)


def _same(old: Supply, new: Supply, key: str) -> bool:
    if key == "index":
        return old.index == new.index
    if key == "description":
        return bool(new.description) and old.description == new.description
    return _kind(old) == _kind(new) and old.color == new.color


def _kind(supply: Supply) -> str:
    kind = supply.type
    return {"toner_cartridge": "toner", "ink_cartridge": "ink"}.get(kind, kind)


def _better(old: SupplyCell, new: SupplyCell) -> SupplyCell:
    """Return the old supply with what the new one adds, and the new one's numbers where only it has measured."""
    supply = old.supply
    for field in ("part_number", "serial", "color", "type"):
        if not supply.HasField(field) and new.supply.HasField(field):
            setattr(supply, field, getattr(new.supply, field))
    if supply.HasField("percent") or supply.HasField("level") or new.supply.state in ("", "unknown"):
        return old
    if not new.supply.HasField("percent") and supply.state != "unknown":
        return old
    for field in _NUMBERS:
        supply.ClearField(field)
        if new.supply.HasField(field):
            setattr(supply, field, getattr(new.supply, field))
    supply.state = new.supply.state
    supply.source = new.supply.source
    return new._replace(supply=supply)

"""Supplies that only the vendor's own objects tell of: rows of its tables, and records in byte strings."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

from dca.printers import objects
from dca.printers.levels import UNKNOWN, SupplyCell, fill, fill_from_records
from dca.printers.parts import row_number, table_rows
from dca.printers.records import records
from dca.printers.text import clean_text, is_placeholder
from dca.printers.words import color_of, type_of
from dca.snmp.oids import dotted
from dca.wire.snapshot_pb2 import Supply

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dca.printers.facts import Facts
    from dca.printers.profiles.schema import Records, RecordSupply, SupplyTable

__all__ = ["record_supplies", "table_supplies"]

_MODEL_SOURCES = (objects.HR_DEVICE_DESCR + objects.FIRST, *objects.DEVICE_IDS)


def table_supplies(
    table: SupplyTable, facts: Facts, codes: Mapping[int, str], *, counts_up: bool
) -> Iterator[SupplyCell]:
    """Yield the rows of a vendor's table."""
    for index, row in table_rows(facts.columns, table.columns):
        description = clean_text(row.get(table.description), facts.charset)
        supply = Supply(index=row_number(index), source=dotted((table.level or table.columns[0]) + index))
        part = clean_text(row.get(table.part), facts.charset)
        serial = clean_text(row.get(table.serial), facts.charset)
        for field, text in (("description", description), ("part_number", part), ("unit", table.unit)):
            if text:
                setattr(supply, field, text)
        if serial and not is_placeholder(serial) and any(map(str.isdigit, serial)):
            supply.serial = serial
        kind, color = type_of(description), color_of(description, "")
        if kind:
            supply.type = kind
            if kind.startswith("waste_"):
                supply.receptacle = True
        if color:
            supply.color = color
        full = row.get(table.capacity) if table.capacity else table.full or None
        level = row.get(table.level)
        capacity = full if type(full) is int else UNKNOWN
        now = level if type(level) is int else None
        fill(supply, now, capacity, codes, counts_up=counts_up)
        yield SupplyCell(
            supply,
            table.level + index if now is not None else b"",
            table.capacity + index if table.capacity and full is not None else b"",
            capacity,
            UNKNOWN if now is None else now,
            codes,
            counts_up,
        )


def record_supplies(part: Records, facts: Facts) -> Iterator[SupplyCell]:
    """Yield the supplies that a byte string of records tells of; a record speaks for one, the first rule's."""
    found = records(facts.value(part.oid))
    taken: set[int] = set()
    model = next((clean_text(facts.value(name)) for name in _MODEL_SOURCES if name in facts.scalars), "").lower()
    for rule in part.supplies:
        if rule.models and not any(fnmatch.fnmatchcase(model, pattern) for pattern in rule.models):
            continue
        known = [number for number in (*rule.percent, rule.steps) if number in found]
        if known and taken.isdisjoint(known):
            taken.update(known)
            yield _of_records(rule, part, found, known[0])


def _of_records(rule: RecordSupply, part: Records, found: dict[int, bytes], number: int) -> SupplyCell:
    supply = Supply(index=number, source=part.source, description=rule.description)
    if rule.type:
        supply.type = rule.type
    if rule.color:
        supply.color = rule.color
    cell = SupplyCell(supply, part.oid, codes=part.steps, percents=rule.percent, step=rule.steps)
    fill_from_records(cell, found)
    return cell

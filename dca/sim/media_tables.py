"""The Printer-MIB's tables of paper and marking: input, output, marker, supplies, colorants, media path (RFC 3805)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dca.sim.cells import Cell, Keep, VendorCell, number, text
from dca.sim.live import fields_of, fill, life_count, supply_level, to_octets
from dca.sim.names import INPUT_TYPE, MARK_TECH, OUTPUT_TYPE, SUPPLY_TYPE, UNIT
from dca.sim.vendor import template
from dca.snmp.types import Tag

if TYPE_CHECKING:
    from dca.sim.mib import Builder
    from dca.sim.spec import Input, Model, Supply
    from dca.sim.state import State

__all__ = ["add_media"]

_MIB = "1.3.6.1.2.1.43"
_A4 = (297_000, 210_000)
"""Micrometres."""


def add_media(builder: Builder, model: Model) -> None:
    """Add them for a model."""
    for tray in model.inputs:
        builder.row(f"{_MIB}.8.2.1", f"{model.device_index}.{tray.index}", _input(model, tray))
    for bin_ in model.outputs:
        columns: dict[int, VendorCell] = {
            2: number(OUTPUT_TYPE[bin_.type]),
            3: number(UNIT["sheets"]),
            4: number(bin_.capacity),
            5: number(bin_.remaining),
            6: number(0),
            7: template(bin_.name),
            12: template(bin_.name),
        }
        builder.row(f"{_MIB}.9.2.1", f"{model.device_index}.{bin_.index}", columns)
    _marker(builder, model)
    for supply in model.supplies:
        if supply.reports != "none":
            builder.row(f"{_MIB}.11.1.1", f"{model.device_index}.{supply.index}", _supply(model, supply))
    for index, color in enumerate(model.colors, 1):
        columns = {2: number(1), 3: number(3), 4: text(color), 5: number(2)}
        builder.row(f"{_MIB}.12.1.1", f"{model.device_index}.{index}", columns)
    for index, (kind, name) in enumerate(((5, "Simplex"), (3, "Long edge duplex")), 1):
        columns = {2: number(7), 3: number(3), 4: number(model.ppm), 9: number(kind), 10: text(name), 11: number(0)}
        builder.row(f"{_MIB}.13.4.1", f"{model.device_index}.{index}", columns)


def _input(model: Model, tray: Input) -> dict[int, VendorCell]:
    def level(state: State) -> int:
        paper = state.trays.get(tray.index)
        if tray.reports == "unknown":
            return -2
        if paper is None:
            return 0 if tray.capacity > 0 else -3
        if tray.reports == "some":
            return -3 if paper.sheets else 0
        return paper.sheets

    def status(state: State) -> int:
        """Return PrtSubUnitStatusTC: available and idle, or with an alert."""
        alert = state.alerts.get(("input", tray.index))
        return 0 if alert is None else 16 if alert.severity == "critical" else 8

    columns: dict[int, VendorCell] = {
        2: number(INPUT_TYPE[tray.type]),
        3: number(UNIT["micrometers"]),
        4: number(_A4[0]),
        5: number(_A4[1]),
        6: number(_A4[0]),
        7: number(_A4[1]),
        8: number(UNIT["sheets"]),
        9: number(tray.capacity),
        10: Cell(Tag.INTEGER, level),
        11: Cell(Tag.INTEGER, status),
        12: template(tray.media),
        13: template(tray.name),
        18: template(tray.name),
        19: number(5),
    }
    if model.mark_tech.startswith("thermal"):
        del columns[5], columns[7]
    return columns


def _marker(builder: Builder, model: Model) -> None:
    colors = len(model.colors)
    columns: dict[int, VendorCell] = {
        2: number(MARK_TECH[model.mark_tech]),
        3: number(UNIT[model.counter_unit]),
        4: Cell(Tag.COUNTER32, life_count),
        5: Cell(Tag.COUNTER32, lambda state: life_count(state) % 997),
        6: number(colors),
        7: number(0),
        8: number(UNIT["tenThousandthsOfInches"]),
        9: number(600),
        10: number(600),
        15: number(0),
    }
    builder.row(f"{_MIB}.10.2.1", f"{model.device_index}.1", columns)


def _supply(model: Model, supply: Supply) -> dict[int, VendorCell]:
    colorant = supply.colorant
    if colorant is None:
        colorant = model.colors.index(supply.color) + 1 if supply.color in model.colors else 0

    def description(state: State) -> bytes:
        chip = state.supplies[supply.index].chip
        return to_octets(fill(supply.description, state, chip=chip), model)

    def level(state: State) -> int:
        return supply_level(state.supplies[supply.index])

    keep = Keep.CHANGE if "chip" in fields_of(supply.description) else Keep.EVER
    return {
        2: number(1),
        3: number(colorant),
        4: number(4 if supply.receptacle else 3),
        5: number(SUPPLY_TYPE[supply.type]),
        6: Cell(Tag.OCTET_STRING, description, keep),
        7: number(UNIT[supply.unit]),
        8: number(supply.capacity),
        9: Cell(Tag.INTEGER, level),
    }

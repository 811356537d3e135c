"""The Printer-MIB of a model, table by table (RFC 3805): what feeds, delivers and marks is in `media_tables`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dca.sim.ailments import console
from dca.sim.cells import Cell, Keep, VendorCell, encode, number, octets, text, varbind
from dca.sim.live import to_octets
from dca.sim.media_tables import add_media
from dca.sim.names import ALERT_CODE, ALERT_GROUP, CHARSET, COVER_STATUS, SEVERITY
from dca.sim.state import Alert
from dca.sim.vendor import template
from dca.snmp.oids import oid
from dca.snmp.types import Tag

if TYPE_CHECKING:
    from collections.abc import Callable

    from dca.sim.mib import Builder
    from dca.sim.spec import Cover, Model
    from dca.sim.state import State

__all__ = ["add_printer"]

_MIB = "1.3.6.1.2.1.43"
_ALERT_ENTRY = f"{_MIB}.18.1.1"
_ALERT_COLUMNS = (2, 3, 4, 5, 6, 7, 8, 9)
_LANGUAGE_CODES = {"PCL": 3, "PostScript": 6, "PCLXL": 47, "PDF": 54, "ESCPL2": 52, "ZPL": 63, "Automatic": 37}


def add_printer(builder: Builder, model: Model) -> None:
    """Add the Printer-MIB of a model."""
    _general(builder, model)
    _localization(builder, model)
    for cover in model.covers:
        _cover(builder, model, cover)
    add_media(builder, model)
    _interpreters(builder, model)
    for line in range(model.lines):
        builder.cell(f"{_MIB}.16.5.1.2", f"{model.device_index}.{line + 1}", _console_line(line))
    for index, name in enumerate(("Ready", "Data", "Attention"), 1):
        builder.row(
            f"{_MIB}.17.6.1",
            f"{model.device_index}.{index}",
            {2: number(int(index == 1)), 3: number(0), 4: number(3 if index == 1 else 5), 5: text(name)},
        )
    if model.alerts:
        builder.moving_rows(_ALERT_ENTRY, _ALERT_COLUMNS, _alert_rows(model))


def _general(builder: Builder, model: Model) -> None:
    columns: dict[int, VendorCell] = {
        1: Cell(Tag.COUNTER32, lambda state: state.config_changes),
        2: number(1),
        3: number(3),
        6: number(model.inputs[0].index if model.inputs else -1),
        7: number(model.outputs[0].index if model.outputs else -1),
        8: number(1),
        9: number(1),
        10: number(1),
        11: number(model.lines),
        12: number(model.columns or 40),
        13: number(3),
        18: Cell(Tag.COUNTER32, lambda state: state.critical_events),
        19: Cell(Tag.COUNTER32, lambda state: state.all_events),
    }
    if model.printer_name is not None:
        columns[16] = template(model.printer_name)
    if model.serial_shown is not None:
        columns[17] = template(model.serial_shown)
    builder.row(f"{_MIB}.5.1.1", model.device_index, columns)


def _localization(builder: Builder, model: Model) -> None:
    for index, (language, country) in enumerate(model.languages, 1):
        builder.row(
            f"{_MIB}.7.1.1",
            f"{model.device_index}.{index}",
            {2: text(language), 3: text(country), 4: number(CHARSET[model.charset])},
        )


def _cover(builder: Builder, model: Model, cover: Cover) -> None:
    def status(state: State) -> int:
        return COVER_STATUS["open" if cover.index in state.open_covers else "closed"]

    columns: dict[int, VendorCell] = {2: template(cover.description), 3: Cell(Tag.INTEGER, status)}
    builder.row(f"{_MIB}.6.1.1", f"{model.device_index}.{cover.index}", columns)


def _interpreters(builder: Builder, model: Model) -> None:
    for index, name in enumerate(model.interpreters, 1):
        columns: dict[int, VendorCell] = {
            2: number(_LANGUAGE_CODES.get(name, 1)),
            3: octets(b""),
            4: octets(b""),
            5: text(name),
            6: template("{firmware}"),
            7: number(3),
            12: number(3),
        }
        builder.row(f"{_MIB}.15.1.1", f"{model.device_index}.{index}", columns)
    columns = {2: number(11), 3: text("9100"), 4: number(1), 5: number(1), 6: number(1)}
    builder.row(f"{_MIB}.14.1.1", f"{model.device_index}.1", columns)


def _console_line(line: int) -> Cell:
    def read(state: State) -> bytes:
        return to_octets(console(state)[line], state.model)

    return Cell(Tag.OCTET_STRING, read, Keep.CHANGE)


def _alert_rows(model: Model) -> Callable[[State], list[tuple[bytes, bytes]]]:
    columns = [(column, oid(f"{_ALERT_ENTRY}.{column}.{model.device_index}")) for column in _ALERT_COLUMNS]

    def rows(state: State) -> list[tuple[bytes, bytes]]:
        found = []
        for alert in state.alerts.values() or _idle(state):
            values = _alert_values(alert, model)
            # an index of several octets: the arc alone, cut from an OID of it
            tail = oid(f"0.0.{alert.index}")[1:]
            for column, head in columns:
                tag, value = values[column]
                found.append((head + tail, varbind(head + tail, encode(tag, value))))
        return found

    return rows


def _idle(state: State) -> list[Alert]:
    """Return the row that some makes write while nothing is wrong."""
    if not state.model.alert_idle:
        return []
    index = state.alert_index
    return [Alert(index, "other", "generalPrinter", -1, "ready", state.model.alert_idle, state.uptime_base)]


def _alert_values(alert: Alert, model: Model) -> dict[int, tuple[Tag, int | bytes]]:
    return {
        2: (Tag.INTEGER, SEVERITY[alert.severity]),
        3: (Tag.INTEGER, 3),
        4: (Tag.INTEGER, ALERT_GROUP[alert.group]),
        5: (Tag.INTEGER, alert.group_index),
        6: (Tag.INTEGER, -2),
        7: (Tag.INTEGER, ALERT_CODE[alert.code]),
        8: (Tag.OCTET_STRING, to_octets(alert.text, model)),
        9: (Tag.TIMETICKS, alert.raised),
    }

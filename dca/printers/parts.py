"""The moving parts: trays, covers, alerts and the panel's lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dca.printers import objects
from dca.printers.names import ALERT_GROUPS, ALERT_SEVERITIES, COVER_STATES, TRAY_UNITS
from dca.printers.text import clean_text, lines
from dca.snmp.oids import arcs, dotted
from dca.wire.snapshot_pb2 import Alert, Cover, Tray

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dca.snmp.ask import Row
    from dca.snmp.types import Value

__all__ = ["read_alerts", "read_console", "read_covers", "read_trays", "row_number", "table_rows"]

_MOST_ALERTS = 32
_MOST_LINES = 16
_UINT32 = 0xFFFFFFFF
_INT32 = 0x7FFFFFFF
_LEVEL_STATES = {-1: "unrestricted", -2: "unknown", -3: "some_remaining"}
_REAL_SEVERITIES = frozenset((3, 4, 5))
_REAL_CODE = 3
"""Codes below are other and unknown."""


def row_number(index: bytes) -> int:
    """Return a row's number: the last arc of its index, whatever stands before."""
    numbers = arcs(index)
    return numbers[-1] & _UINT32 if numbers else 0


def table_rows(columns: dict[bytes, list[Row]], wanted: Iterable[bytes]) -> Iterator[tuple[bytes, dict[bytes, Value]]]:
    """Yield (index octets, the row's values by column), in the order of the index; columns join by index alone."""
    rows: dict[bytes, dict[bytes, Value]] = {}
    for column in wanted:
        for index, _, value in columns.get(column, ()):
            row = rows.get(index)
            if row is None:
                rows[index] = {column: value}
            else:
                row[column] = value
    yield from sorted(rows.items(), key=lambda item: arcs(item[0])) if len(rows) > 1 else rows.items()


def _number(value: Value, least: int = 0, most: int = _INT32) -> int | None:
    return value if type(value) is int and least <= value <= most else None


def read_trays(columns: dict[bytes, list[Row]], charset: int) -> list[Tray]:
    """Return the input and the output trays (prtInputTable, prtOutputTable)."""
    trays = []
    for index, row in table_rows(columns, objects.INPUT_COLUMNS):
        tray = Tray(index=row_number(index), direction="input", source=dotted(objects.INPUT_LEVEL + index))
        _describe(tray, row.get(objects.INPUT_NAME), row.get(objects.INPUT_DESCR), row.get(objects.INPUT_UNIT), charset)
        media = clean_text(row.get(objects.INPUT_MEDIA), charset)
        if media:
            tray.media = media
        level = _number(row.get(objects.INPUT_LEVEL), -_INT32)
        _fill(tray, level, _number(row.get(objects.INPUT_CAPACITY)))
        trays.append(tray)
    for index, row in table_rows(columns, objects.OUTPUT_COLUMNS):
        tray = Tray(index=row_number(index), direction="output", source=dotted(objects.OUTPUT_ROOM + index))
        _describe(
            tray, row.get(objects.OUTPUT_NAME), row.get(objects.OUTPUT_DESCR), row.get(objects.OUTPUT_UNIT), charset
        )
        capacity = _number(row.get(objects.OUTPUT_CAPACITY))
        room = _number(row.get(objects.OUTPUT_ROOM), -_INT32)
        if room is not None and room >= 0:  # what lies in it is what the remaining room leaves
            room = capacity - room if capacity is not None and capacity >= room else -2
        _fill(tray, room, capacity)
        trays.append(tray)
    return trays


def _describe(tray: Tray, name: Value, description: Value, unit: Value, charset: int) -> None:
    text = clean_text(name, charset) or clean_text(description, charset)
    if text:
        tray.name = text
    word = TRAY_UNITS.get(unit, "") if type(unit) is int else ""
    if word:
        tray.unit = word


def _fill(tray: Tray, level: int | None, capacity: int | None) -> None:
    if capacity is not None:
        tray.capacity = capacity
    if level is not None and level >= 0:
        tray.level = level
        tray.state = "measured"
    else:
        tray.state = _LEVEL_STATES.get(-2 if level is None else level, "unknown")


def read_covers(columns: dict[bytes, list[Row]], charset: int) -> list[Cover]:
    """Return the covers that tell their state (prtCoverTable)."""
    covers = []
    for index, row in table_rows(columns, objects.COVER_COLUMNS):
        status = row.get(objects.COVER_STATUS)
        if type(status) is not int:
            continue
        cover = Cover(
            index=row_number(index),
            status=COVER_STATES.get(status, "unknown"),
            source=dotted(objects.COVER_STATUS + index),
        )
        description = clean_text(row.get(objects.COVER_DESCR), charset)
        if description:
            cover.description = description
        covers.append(cover)
    return covers


def read_alerts(columns: dict[bytes, list[Row]], charset: int) -> list[Alert]:
    """Return the alerts that are any (prtAlertTable), at most 32.

    "Ready", "Idle" and "Sleep" are rows too: what is neither critical nor a warning and has no code of its own is
    left out, and so is a row of zeros.
    """
    alerts: list[Alert] = []
    for index, row in table_rows(columns, objects.ALERT_COLUMNS):
        severity = _number(row.get(objects.ALERT_SEVERITY))
        code = _number(row.get(objects.ALERT_CODE), -_INT32)
        text = clean_text(row.get(objects.ALERT_TEXT), charset)
        has_code = code is not None and code >= _REAL_CODE
        if not has_code and (severity not in _REAL_SEVERITIES or not (text or code)):
            continue
        alert = Alert(index=row_number(index), source=dotted(objects.ALERT_TEXT + index))
        if severity in ALERT_SEVERITIES:
            alert.severity = ALERT_SEVERITIES[severity]
        group = _number(row.get(objects.ALERT_GROUP))
        if group in ALERT_GROUPS:
            alert.group = ALERT_GROUPS[group]
        _locate(alert, row, code, text)
        alerts.append(alert)
        if len(alerts) == _MOST_ALERTS:
            break
    return alerts


def _locate(alert: Alert, row: dict[bytes, Value], code: int | None, text: str) -> None:
    place = _number(row.get(objects.ALERT_GROUP_INDEX))
    if place is not None:
        alert.group_index = place
    if code is not None:
        alert.code = code
    if text:
        alert.text = text
    raised = _number(row.get(objects.ALERT_TIME), 0, _UINT32)
    if raised is not None:
        alert.raised_at = raised


def read_console(values: Iterable[Value], charset: int) -> list[str]:
    """Return the lines of the panel that show anything, top first."""
    found = [line for value in values for line in lines(value, charset)]
    return found[:_MOST_LINES]

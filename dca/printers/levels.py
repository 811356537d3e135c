"""Supply truth: what a level means. A percent exists only when it was measured, and is 0 to 100.

RFC 3805: -1 is unrestricted, -2 unknown, -3 some is left; a receptacle's level is the room that is left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from dca.printers.records import record_percent, records
from dca.wire.snapshot_pb2 import Supply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dca.snmp.types import Value

__all__ = ["UNKNOWN", "SupplyCell", "bare", "fill", "fill_from_records", "read_again"]

UNKNOWN = -2
_STATES = {-1: "unrestricted", -2: "unknown", -3: "some_remaining"}
_PERCENT_UNITS = ("percent", "other", "unknown", "")
"""Units that a bare percentage is given in where the capacity is unknown."""
_NUMBERS: tuple[Literal["level", "capacity", "percent", "inverted", "state"], ...] = (
    "level",
    "capacity",
    "percent",
    "inverted",
    "state",
)
_INT64 = (1 << 63) - 1
_REFILLED = 1.05
"""A level that rose by more than this share of the capacity since the last full reading: another cartridge."""


class SupplyCell(NamedTuple):
    """A supply and where its numbers come from, so that its level can be read again."""

    supply: Supply
    level: bytes
    """The object of the level; b"" when it has none."""
    capacity: bytes = b""
    """The object of the capacity; b"" when it has none."""
    full: int = UNKNOWN
    """The capacity as reported, -2 when unknown."""
    now: int = UNKNOWN
    """The level as reported."""
    codes: Mapping[int, str] = {}
    """Levels, or codes in a record, that are steps."""
    counts_up: bool = False
    percents: tuple[int, ...] = ()
    """Ids of the records that hold the percent, where the object is a byte string of records."""
    step: int = -1
    """Id of the record that holds the step."""


def fill(supply: Supply, level: int | None, capacity: int, codes: Mapping[int, str], *, counts_up: bool) -> None:
    """Set level, percent, state and capacity of a supply from the numbers as they were reported.

    `capacity` is -2 when unknown; `codes` are the levels that a make uses as steps where the capacity is unknown
    (and negative ones, always); `counts_up` says that the make's receptacles tell how full they are.
    """
    if 0 <= capacity <= _INT64:
        supply.capacity = capacity
    if level is None or not -_INT64 <= level <= _INT64:
        supply.state = "unknown"
    elif level in codes and (level < 0 or (capacity < 0 and supply.unit != "percent")):
        supply.state = codes[level]
    elif level < 0:
        supply.state = _STATES.get(level, "unknown")
    else:
        supply.level = level
        supply.state = "measured"
        percent = _percent(level, capacity, supply.unit)
        if percent is not None:
            if counts_up and supply.receptacle:
                percent = 100 - percent
                supply.inverted = True
            supply.percent = percent


def _percent(level: int, capacity: int, unit: str) -> float | None:
    if capacity > 0:
        return round(100 * min(level, capacity) / capacity, 1)
    if unit == "percent" or (capacity == UNKNOWN and unit in _PERCENT_UNITS):
        return float(level) if level <= 100 else None  # noqa: PLR2004 - percent
    return None


def fill_from_records(cell: SupplyCell, found: Mapping[int, bytes]) -> bool:
    """Set percent and state of a supply from records; False when none of them speaks of it."""
    supply = cell.supply
    for number in cell.percents:
        percent = record_percent(found[number]) if number in found else None
        if percent is not None:
            supply.level = round(percent)
            supply.capacity = 100
            supply.unit = "percent"
            supply.percent = percent
            supply.state = "measured"
            return True
    code = int.from_bytes(found[cell.step], "big") if cell.step in found else -1
    supply.state = cell.codes.get(code, "unknown")
    return cell.step in found or any(number in found for number in cell.percents)


def bare(cell: SupplyCell) -> SupplyCell:
    """Return the cell with a message that holds what does not change, and no numbers."""
    supply = Supply()
    supply.CopyFrom(cell.supply)
    for field in _NUMBERS:
        supply.ClearField(field)
    return cell._replace(supply=supply)


def read_again(cell: SupplyCell, value: Callable[[bytes], Value]) -> bool:
    """Set the numbers of a known supply, whose message holds none, anew; False when it is not the one it was."""
    if not cell.level:
        cell.supply.state = "unknown"
        return True
    found = value(cell.level)
    if cell.percents or cell.step >= 0:
        return fill_from_records(cell, records(found))
    if type(found) is not int or (cell.capacity and value(cell.capacity) not in (cell.full, None)):
        return False
    if (
        cell.full > 0
        and cell.now >= 0
        and found > cell.now + cell.full * (_REFILLED - 1)
        and not cell.supply.receptacle
    ):
        return False
    fill(cell.supply, found, cell.full, cell.codes, counts_up=cell.counts_up)
    return True

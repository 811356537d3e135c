"""Fold a report's snapshots into one change per device.

A time here is the agent's clock put right by the offset of its report, and never later than the hub's own:
an agent whose clock was wrong cannot freeze a device with a reading from the future.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dca.hub.ingest.rows import clean
from dca.wire import snapshot_pb2 as wire

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dca.hub.ingest.rows import CheckedRow

__all__ = ["ANSWERED", "IDENTITY", "DeviceChange", "fold"]

ANSWERED = frozenset({wire.OUTCOME_OK, wire.OUTCOME_PARTIAL})
IDENTITY = ("manufacturer", "model", "serial", "mac", "firmware", "name", "location", "asset")
NEGLIGIBLE = timedelta(minutes=2)
"""A smaller clock offset may be the network's; it is left alone."""

Reading = tuple[datetime, bytes]


@dataclass(slots=True)
class DeviceChange:
    """What one report says about one device."""

    device_id: str
    first_at: datetime
    tried_at: datetime
    host: str = ""
    range: str | None = None
    outcome: int = 0
    reason: str | None = None
    answered: bool = False
    """Some reading of this report was answered."""
    failed_since: datetime | None = None
    """The first failure after the last answer, when the latest attempt failed."""
    identity: dict[str, str] = field(default_factory=dict)
    full: Reading | None = None
    supplies: Reading | None = None
    status: Reading | None = None
    partial: Reading | None = None


def fold(rows: Iterable[CheckedRow], offset: timedelta | None, now: datetime) -> list[DeviceChange]:
    """Return a change for every device that the rows name, ordered by device.

    `offset` is the agent's clock minus the hub's, if known; `now` the hub's clock.
    """
    shift = offset if offset is not None and abs(offset) > NEGLIGIBLE else timedelta(0)
    readings: dict[str, list[tuple[datetime, int, CheckedRow]]] = {}
    for row in rows:
        if row.device_id is not None and row.outcome and row.read_at is not None:
            readings.setdefault(row.device_id, []).append((_corrected(row.read_at, shift, now), row.number, row))
    return [_fold_one(device_id, sorted(readings[device_id], key=_order)) for device_id in sorted(readings)]


def _corrected(read_at: datetime, shift: timedelta, now: datetime) -> datetime:
    try:
        return min(read_at - shift, now)
    except OverflowError:
        return now


def _order(reading: tuple[datetime, int, CheckedRow]) -> tuple[datetime, int]:
    return reading[0], reading[1]


def _fold_one(device_id: str, readings: list[tuple[datetime, int, CheckedRow]]) -> DeviceChange:
    change = DeviceChange(device_id, readings[0][0], readings[-1][0])
    for at, _number, row in readings:
        snapshot = row.message
        assert isinstance(snapshot, wire.Snapshot)
        assert row.outcome is not None
        change.host = clean(snapshot.host)
        change.outcome = row.outcome
        change.reason = clean(snapshot.reason, 1000) if snapshot.HasField("reason") else None
        if snapshot.HasField("range"):
            change.range = clean(snapshot.range)
        if snapshot.HasField("device"):
            device = snapshot.device
            for name in IDENTITY:
                if value := getattr(device, name):
                    change.identity[name] = clean(value)
        if row.outcome in ANSWERED:
            change.answered, change.failed_since = True, None
            _keep(change, row, (at, row.payload))
        elif change.failed_since is None:
            change.failed_since = at
    return change


def _keep(change: DeviceChange, row: CheckedRow, reading: Reading) -> None:
    if row.outcome == wire.OUTCOME_PARTIAL:
        change.partial = reading
    elif row.read_kind == wire.READ_KIND_FULL:
        change.full = reading
    elif row.read_kind == wire.READ_KIND_SUPPLIES:
        change.supplies = reading
    elif row.read_kind == wire.READ_KIND_STATUS:
        change.status = reading

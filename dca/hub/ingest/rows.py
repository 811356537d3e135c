"""Check the rows of a report one by one: what is well-formed is kept, what is not is refused with its reason."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID
from zlib import crc32

from google.protobuf.message import DecodeError

from dca.wire.report_pb2 import ROW_KIND_EVENT, ROW_KIND_SNAPSHOT, ROW_KIND_TASK_RESULT, Event, Row
from dca.wire.snapshot_pb2 import Snapshot
from dca.wire.task_pb2 import TaskResult, TaskState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.timestamp_pb2 import Timestamp

__all__ = ["MAX_PAYLOAD", "CheckedRow", "CheckedRows", "check_rows", "clean", "is_device_id", "moment"]

MAX_PAYLOAD = 256 << 10
"""Bytes of one row; the largest snapshots seen are near 20 kB."""
EPOCH_BYTES = 16
LARGEST_NUMBER = 2**63 - 1
LATEST = 253_402_300_799
"""9999-12-31T23:59:59Z in Unix seconds."""
NANOS = 1_000_000_000
SMALLINT = range(0x8000)
DEVICE_ID = re.compile(r"[0-9A-Za-z._:-]{1,64}")

Name = tuple[bytes, int]


class CheckedRow(NamedTuple):
    """A row that can be stored."""

    epoch: bytes
    number: int
    kind: int
    crc32: int
    payload: bytes
    device_id: str | None
    read_at: datetime | None
    read_kind: int | None
    outcome: int | None
    message: Snapshot | Event | TaskResult

    @property
    def name(self) -> Name:
        """Its name within the agent."""
        return self.epoch, self.number


@dataclass
class CheckedRows:
    """A report's rows, sorted out. Rows that came twice in it are there once."""

    good: dict[Name, CheckedRow] = field(default_factory=dict)
    refused: list[tuple[Name, str]] = field(default_factory=list)


def is_device_id(text: str) -> bool:
    """Tell whether a text can name a device."""
    return DEVICE_ID.fullmatch(text) is not None


def clean(text: str, limit: int = 255) -> str:
    """Make a text from the network fit for a column: no NUL (PostgreSQL has none), not too long."""
    return text.replace("\0", "")[:limit]


def moment(stamp: Timestamp) -> datetime | None:
    """Return the time that a timestamp means, UTC; None when it means none."""
    seconds, nanos = stamp.seconds, stamp.nanos
    if not (0 <= seconds <= LATEST and 0 <= nanos < NANOS) or (seconds, nanos) == (0, 0):
        return None
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=nanos // 1000)


def check_rows(rows: Iterable[Row]) -> CheckedRows:
    """Sort a report's rows into good and refused ones."""
    checked = CheckedRows()
    good = checked.good
    contradicted: set[Name] = set()
    for row in rows:
        found = _check(row)
        if isinstance(found, str):
            checked.refused.append(((row.epoch, row.number), found))
            continue
        name = found.name
        other = good.setdefault(name, found)
        if other is not found and other.crc32 != found.crc32:
            contradicted.add(name)
    for name in contradicted:
        del good[name]
        checked.refused.append((name, "this name came twice in one report with different contents"))
    return checked


def _check(row: Row) -> CheckedRow | str:
    if wrong := _wrong_outside(row):
        return wrong
    try:
        if row.kind == ROW_KIND_SNAPSHOT:
            return _snapshot(row)
        if row.kind == ROW_KIND_EVENT:
            return _event(row)
        if row.kind == ROW_KIND_TASK_RESULT:
            return _task_result(row)
    except DecodeError:
        return "the payload cannot be decoded as what its kind says"
    return f"{row.kind} is no kind of row that this hub knows: upgrade the hub"


def _wrong_outside(row: Row) -> str | None:
    epoch, number, payload = row.epoch, row.number, row.payload
    if len(epoch) != EPOCH_BYTES:
        return f"the epoch has {len(epoch)} bytes instead of {EPOCH_BYTES}"
    if not 0 < number <= LARGEST_NUMBER:
        return f"{number} is no row number"
    if len(payload) > MAX_PAYLOAD:
        return f"the payload has {len(payload)} bytes; a row may have {MAX_PAYLOAD}"
    if crc32(payload) != row.crc32:
        return "the payload does not fit its CRC-32: it was damaged on the way or at the agent"
    return None


def _snapshot(row: Row) -> CheckedRow | str:
    payload = row.payload
    snapshot = Snapshot.FromString(payload)
    read_at = moment(snapshot.read_at)
    if read_at is None:
        return "the snapshot has no usable date (read_at)"
    device_id = snapshot.device_id or None
    if device_id is not None and not is_device_id(device_id):
        return "the snapshot's device_id is not made of 1 to 64 letters, digits and . _ : -"
    return CheckedRow(
        row.epoch,
        row.number,
        ROW_KIND_SNAPSHOT,
        row.crc32,
        payload,
        device_id,
        read_at,
        _small(snapshot.kind),
        _small(snapshot.outcome),
        snapshot,
    )


def _event(row: Row) -> CheckedRow:
    return _without_device(row, Event.FromString(row.payload))


def _task_result(row: Row) -> CheckedRow | str:
    result = TaskResult.FromString(row.payload)
    try:
        UUID(result.task_id)
    except ValueError:
        return "the result's task_id is no UUID"
    if not result.state or result.state not in TaskState.values():
        return f"{result.state} is no state of a task that this hub knows: upgrade the hub"
    return _without_device(row, result)


def _without_device(row: Row, message: Event | TaskResult) -> CheckedRow:
    return CheckedRow(row.epoch, row.number, row.kind, row.crc32, row.payload, None, None, None, None, message)


def _small(value: int) -> int:
    """Return an enum's number as a smallint column takes it; what is none becomes 0 (unspecified)."""
    return value if value in SMALLINT else 0

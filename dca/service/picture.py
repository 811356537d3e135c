"""What is known of a device from several readings: a smaller reading replaces only what it read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError

from dca.wire.snapshot_pb2 import (
    OUTCOME_OK,
    OUTCOME_PARTIAL,
    READ_KIND_FULL,
    READ_KIND_STATUS,
    Snapshot,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["follow", "is_after", "is_read", "merge", "parse"]


def parse(payload: bytes | None) -> Snapshot | None:
    """Return the snapshot of a serialized one; None for none, and for one that the disk has spoilt."""
    try:
        return None if payload is None else Snapshot.FromString(payload)
    except DecodeError:
        return None


def is_read(snapshot: Snapshot) -> bool:
    """Tell whether values were read."""
    return snapshot.outcome in (OUTCOME_OK, OUTCOME_PARTIAL)


def merge(before: Snapshot, now: Snapshot) -> Snapshot:
    """Return what is known after the smaller reading `now`; for people to look at, never to be delivered."""
    merged = Snapshot()
    merged.CopyFrom(now)
    merged.kind = before.kind
    merged.device.CopyFrom(before.device)
    merged.trays.MergeFrom(before.trays)
    merged.covers.MergeFrom(before.covers)
    if now.kind != READ_KIND_STATUS:
        merged.alerts.MergeFrom(before.alerts)
        merged.console.MergeFrom(before.console)
    del merged.meters[:], merged.supplies[:]
    meters = {meter.name: meter for meter in (*before.meters, *now.meters)}
    merged.meters.extend(meters.values())
    supplies = {(supply.index, supply.source): supply for supply in (*before.supplies, *now.supplies)}
    merged.supplies.extend(supplies.values())
    return merged


def is_after(one: Snapshot, other: Snapshot) -> bool:
    """Tell whether `one` was read after `other`."""
    return one.read_at.ToNanoseconds() > other.read_at.ToNanoseconds()


def follow(full: Snapshot | None, last: Snapshot | None, taken: Iterable[Snapshot]) -> Snapshot | None:
    """Return the picture to keep after `taken`, oldest first; None when the kept one stays as it is.

    `full` is the kept picture, `last` the last reading before. A status reading alone changes nothing: it is
    kept as the last reading, and goes into the picture when another takes that place.
    """
    changed = False
    status = last if full is not None and last is not None and _is_status(last) and is_after(last, full) else None
    for now in taken:
        if is_read(now) and now.kind == READ_KIND_FULL:
            full, status, changed = now, None, True
        elif full is None:
            continue
        elif _is_status(now):
            status = now
        else:
            if status is not None:
                full, status, changed = merge(full, status), None, True
            if is_read(now):
                full, changed = merge(full, now), True
    return full if changed else None


def _is_status(snapshot: Snapshot) -> bool:
    return is_read(snapshot) and snapshot.kind == READ_KIND_STATUS

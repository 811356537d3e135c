"""What is known of a device from several readings: a smaller reading replaces only what it read."""

from __future__ import annotations

from google.protobuf.message import DecodeError

from dca.wire.snapshot_pb2 import OUTCOME_OK, OUTCOME_PARTIAL, READ_KIND_STATUS, Snapshot

__all__ = ["is_read", "merge", "parse"]


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

"""What is known of a device from several readings: a smaller reading replaces only the parts it read."""

from __future__ import annotations

from google.protobuf.message import DecodeError

from dca.wire.snapshot_pb2 import OUTCOME_OK, OUTCOME_PARTIAL, READ_KIND_SUPPLIES, Snapshot

__all__ = ["is_read", "merge", "parse"]

_STATE = ("status", "reason", "errors", "missing")
_STATUS_PARTS = (*_STATE, "alerts", "console")
_SUPPLIES_PARTS = (*_STATE, "meters", "supplies")
"""What each kind of reading reads (see `dca.printers.reader`)."""


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
    merged.CopyFrom(before)
    for name in _SUPPLIES_PARTS if now.kind == READ_KIND_SUPPLIES else _STATUS_PARTS:
        merged.ClearField(name)  # type: ignore[arg-type]  # the names above are its fields
    merged.MergeFrom(now)
    merged.kind = before.kind
    return merged

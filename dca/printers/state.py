"""What every reading sets: status, errors, uptime, time and outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dca.printers import objects
from dca.printers.names import PRINTER_STATES, error_names
from dca.wire.snapshot_pb2 import OUTCOME_OK, OUTCOME_PARTIAL, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dca.snmp.types import VarBind

__all__ = ["set_outcome", "set_status", "set_time"]

_UINT32 = 0xFFFFFFFF


def set_time(snapshot: Snapshot, seconds: float) -> None:
    """Set when the first reply came, Unix seconds, UTC; kept to the millisecond."""
    snapshot.read_at.FromNanoseconds(round(seconds * 1000) * 1_000_000)


def set_status(snapshot: Snapshot, values: Mapping[bytes, VarBind], status: bytes, errors: bytes) -> None:
    """Set status, errors and uptime from single objects."""
    state = values[status][2] if status in values else None
    if type(state) is int:
        snapshot.status = PRINTER_STATES.get(state, "unknown")
    octets = values[errors][2] if errors in values else None
    if isinstance(octets, bytes):
        snapshot.errors.extend(error_names(octets))
    uptime = values[objects.SYS_UPTIME][2] if objects.SYS_UPTIME in values else None
    if type(uptime) is int and 0 <= uptime <= _UINT32:
        snapshot.uptime = uptime


def set_outcome(snapshot: Snapshot, missing: Iterable[str], reason: str) -> None:
    """Set the outcome: ok, or partial where parts are missing."""
    snapshot.missing.extend(missing)
    snapshot.outcome = OUTCOME_PARTIAL if snapshot.missing else OUTCOME_OK
    if snapshot.missing:
        snapshot.reason = f"not complete: {', '.join(snapshot.missing)} ({reason}); the next reading asks again"

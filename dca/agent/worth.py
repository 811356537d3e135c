"""What of a reading is worth a row: everything that was read, and of failures each change and one an hour.

An old number is never sent again: a device that fails gets a snapshot that says so, and no value in it.
"""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, NamedTuple

from dca.service.picture import is_read
from dca.telemetry import Weight
from dca.wire.snapshot_pb2 import READ_KIND_STATUS, READ_KIND_SUPPLIES, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from dca.model import Known

__all__ = ["Worth"]

REPEAT = 3600.0
"""Seconds after which a failure that goes on is told again."""


class _Told(NamedTuple):
    """What a device was last told to be, as digests without any time in them."""

    state: bytes
    """Status, errors, alerts, console."""
    numbers: bytes | None
    """Meters and supplies of a status reading; None after a larger one."""


class Worth:
    """Remembers of each device what was told last."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: dict[str, _Told] = {}
        self._failed: dict[str, tuple[int, float]] = {}

    def of(self, snapshot: Snapshot, before: Known | None) -> Weight | None:
        """Return what the row is worth, None for no row; `before` is the device as it was known."""
        key = snapshot.device_id or snapshot.host
        if not is_read(snapshot):
            return self._of_failure(key, snapshot.outcome, before)
        self._failed.pop(key, None)
        last = self._told.get(key)
        if snapshot.kind == READ_KIND_SUPPLIES:  # tells nothing of alerts and console
            self._told.pop(key, None)
            return Weight.FULL if snapshot.meters else Weight.SUPPLIES
        if snapshot.kind != READ_KIND_STATUS:
            self._told[key] = _Told(_state_of(snapshot), None)
            return Weight.FULL
        told = self._told[key] = _Told(_state_of(snapshot), _numbers_of(snapshot))
        return Weight.STATUS_UNCHANGED if told == last else Weight.STATUS

    def _of_failure(self, key: str, outcome: int, before: Known | None) -> Weight | None:
        self._told.pop(key, None)
        last, told = self._failed.get(key, (before.outcome if before else 0, float("-inf")))
        now = self._clock()
        if last == outcome and now - told < REPEAT:
            return None
        self._failed[key] = (outcome, now)
        return Weight.STATUS_UNCHANGED if last == outcome else Weight.STATUS


def _state_of(snapshot: Snapshot) -> bytes:
    told = Snapshot(outcome=snapshot.outcome, errors=snapshot.errors, console=snapshot.console)
    if snapshot.HasField("status"):
        told.status = snapshot.status
    for alert in snapshot.alerts:
        told.alerts.add().CopyFrom(alert)
        told.alerts[-1].ClearField("raised_at")
    return _digest(told)


def _numbers_of(snapshot: Snapshot) -> bytes:
    return _digest(Snapshot(meters=snapshot.meters, supplies=snapshot.supplies))


def _digest(told: Snapshot) -> bytes:
    return hashlib.blake2b(told.SerializeToString(deterministic=True), digest_size=16).digest()

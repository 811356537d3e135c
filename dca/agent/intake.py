"""From visits to the state file: rows for the hub and the devices of the registry, in one transaction a chunk."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from dca.agent.worth import Worth
from dca.errors import StoreError
from dca.service.logs import MASKS, StateLog
from dca.service.picture import follow, is_read, parse
from dca.store import load_snapshots, save_devices, save_snapshot
from dca.telemetry import NewRow, Weight
from dca.wire.report_pb2 import ROW_KIND_EVENT, ROW_KIND_SNAPSHOT, Event
from dca.wire.snapshot_pb2 import READ_KIND_FULL, READ_KIND_STATUS, Outcome, Snapshot

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from dca.discovery.registry import Change, Registry
    from dca.discovery.visit import Visit
    from dca.model import Known
    from dca.service.masks import Masks
    from dca.telemetry import Outbox

__all__ = ["Intake"]

log = logging.getLogger(__name__)

CHUNK = 200
"""Visits that are held in memory before they are written."""
_NAMED = 5
"""Devices that a line about many names."""
_WORDS = {
    Outcome.OUTCOME_PARTIAL: "is read in part",
    Outcome.OUTCOME_NO_ANSWER: "is silent",
    Outcome.OUTCOME_ASLEEP: "sleeps",
    Outcome.OUTCOME_AUTH_FAILED: "accepts no credential",
    Outcome.OUTCOME_REFUSED: "refuses",
    Outcome.OUTCOME_NOT_A_PRINTER: "is no printer any more",
}
_EXPECTED = (Outcome.OUTCOME_ASLEEP, Outcome.OUTCOME_PARTIAL)


class Intake:
    """Takes what visits bring: into the registry at once, into the state file by chunks.

    `wall` is Unix seconds. A state file that takes nothing stops nobody: the outbox holds rows in memory then,
    and the registry lives there anyway.
    """

    def __init__(
        self,
        outbox: Outbox,
        registry: Registry,
        *,
        wall: Callable[[], float],
        worth: Worth | None = None,
        masks: Masks = MASKS,
    ) -> None:
        self.visits = 0
        """Taken so far."""
        self._outbox = outbox
        self._registry = registry
        self._wall = wall
        self._worth = worth or Worth()
        self._masks = masks
        self._states = StateLog(log)
        self._rows: list[NewRow] = []
        self._snapshots: dict[str, list[Snapshot]] = {}  # of each device in the order they were taken
        self._touched: dict[str, Known] = {}
        self._held = 0
        self._writing = asyncio.Lock()

    async def take(self, visit: Visit) -> None:
        """Take one visit; writes when a chunk is full."""
        self.visits += 1
        self._held += 1
        snapshot, known = visit
        before = self._registry.get(known.device_id) if known is not None else None
        self._masks.add_serials(filter(None, [snapshot.device.serial, known.serial if known else ""]))
        weight = self._worth.of(snapshot, before)
        if known is not None:
            self._record(known)
        self._say(snapshot, known)
        if weight is not None:
            self._rows.append(NewRow(ROW_KIND_SNAPSHOT, snapshot.SerializeToString(), weight))
        if known is not None:
            self._snapshots.setdefault(known.device_id, []).append(snapshot)
            self._touched[known.device_id] = known
        if self._held >= CHUNK:
            await self.flush()

    def leave(self, knowns: Sequence[Known], reason: str) -> None:
        """Remember that devices are not read any more, and why; written with the next flush."""
        for known in knowns:
            self._leave(known, reason)
        named = ", ".join(known.address for known in knowns[:_NAMED])
        if len(knowns) == 1:
            log.info("the device at %s is left alone: %s", named, reason)
        elif knowns:
            more = f" and {len(knowns) - _NAMED} more" if len(knowns) > _NAMED else ""
            log.info("%d devices are left alone: %s (%s%s)", len(knowns), reason, named, more)

    async def flush(self) -> None:
        """Write what is held; finished even when the caller is cancelled meanwhile."""
        if self._held:
            await asyncio.shield(asyncio.ensure_future(self._flush()))

    async def close(self) -> None:
        """Write the rest, after whatever is being written."""
        async with self._writing:
            pass
        await self.flush()

    async def _flush(self) -> None:
        async with self._writing:
            rows, self._rows = self._rows, []
            snapshots, self._snapshots = self._snapshots, {}
            self._held = 0
            touched, self._touched = self._touched, {}
            knowns = list(touched.values())
            try:
                await self._outbox.put(rows, also=lambda connection: _save(connection, knowns, snapshots))
            except StoreError as error:
                log.error("%d rows could not be taken into the outbox: %s", len(rows), error)  # noqa: TRY400  # no bug

    def _record(self, known: Known) -> None:
        for change in self._registry.record(known):
            self._note(change)
            gone = self._registry.get(change.details.get("was", ""))
            if gone is not None and not gone.silent_since:
                self._leave(gone, f"another device answers at {gone.address}; it is found again wherever it went")

    def _leave(self, known: Known, reason: str) -> None:
        known.silent_since = self._wall()
        known.outcome = Outcome.OUTCOME_UNSPECIFIED
        known.reason = reason
        self._touched[known.device_id] = known
        self._held += 1

    def _note(self, change: Change) -> None:
        """Put what changed about a device on its way to the hub, and into the log."""
        event = Event(name=change.name, text=change.text, device_id=change.device_id, details=change.details)
        event.at.FromMicroseconds(int(self._wall() * 1e6))
        self._rows.append(NewRow(ROW_KIND_EVENT, event.SerializeToString(), Weight.EVENT))
        level = logging.WARNING if change.name == "duplicate_serial" else logging.INFO
        log.log(level, "%s", change.text)

    def _say(self, snapshot: Snapshot, known: Known | None) -> None:
        """Log the device's state if it is another than before."""
        key = snapshot.device_id or snapshot.host
        name = " ".join(filter(None, (known.manufacturer, known.model))) if known else ""
        who = f"{name or 'the device'} at {snapshot.host}"
        if snapshot.outcome == Outcome.OUTCOME_OK:
            self._states.note(key, "ok", logging.INFO, "%s answers again", who)
            return
        level = logging.INFO if snapshot.outcome in _EXPECTED else logging.WARNING
        words = _WORDS.get(snapshot.outcome, "cannot be read")
        self._states.note(key, words, level, "%s %s: %s", who, words, snapshot.reason)


def _save(connection: sqlite3.Connection, knowns: list[Known], taken: dict[str, list[Snapshot]]) -> None:
    """Save the devices, and of each what is known of it as `dca status` shows it."""
    save_devices(connection, knowns)
    needed = [name for name, snapshots in taken.items() if not all(map(_stands_alone, snapshots))]
    before = load_snapshots(connection, needed) if needed else {}
    for name, snapshots in taken.items():
        kept = before.get(name)
        full, last = (parse(kept.full), parse(kept.last)) if kept is not None else (None, None)
        picture = follow(full, last, snapshots)
        if picture is not None:
            save_snapshot(connection, name, picture.SerializeToString(), full=True)
        if picture is not snapshots[-1]:
            save_snapshot(connection, name, snapshots[-1].SerializeToString(), full=False)


def _stands_alone(snapshot: Snapshot) -> bool:
    """Tell whether it can be kept without a look at what is kept already."""
    return is_read(snapshot) and snapshot.kind in (READ_KIND_FULL, READ_KIND_STATUS)

"""The agent's two ways to visit devices: discovery of the ranges, and rounds through the known ones."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dca.discovery.discover import discover
from dca.discovery.sweep import Progress
from dca.discovery.visit import visit
from dca.errors import TaskError
from dca.service.logs import MASKS, StateLog, duration
from dca.service.notes import MOST_TROUBLES, Trouble
from dca.wire.snapshot_pb2 import (
    OUTCOME_AUTH_FAILED,
    OUTCOME_REFUSED,
    READ_KIND_FULL,
    READ_KIND_STATUS,
    READ_KIND_SUPPLIES,
    ReadKind,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dca.agent.intake import Intake
    from dca.discovery.ranges import Ranges, ResolvedRange
    from dca.discovery.registry import Registry
    from dca.model import Known
    from dca.net.dns import Resolver
    from dca.printers.profiles import Profiles
    from dca.snmp.client import SnmpClient
    from dca.wire.snapshot_pb2 import Snapshot

__all__ = ["Readings"]

log = logging.getLogger(__name__)

_CLOSED_DOORS = (OUTCOME_AUTH_FAILED, OUTCOME_REFUSED)
_SIZE = {READ_KIND_STATUS: 1, READ_KIND_SUPPLIES: 2, READ_KIND_FULL: 3}
"""A larger reading brings what a smaller one does."""


@dataclass(frozen=True)
class _Visiting:
    """A visit that goes on."""

    size: int
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Readings:
    """Visits devices through one client and hands everything to the intake.

    `in_flight` devices are visited at a time; `wall` is Unix seconds.
    """

    def __init__(
        self,
        client: SnmpClient,
        ranges: Ranges,
        profiles: Profiles,
        registry: Registry,
        intake: Intake,
        *,
        resolver: Resolver,
        in_flight: int,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.progress = Progress()
        """Of the present or last discovery."""
        self.let_nobody_in: list[Trouble] = []
        """Hosts of the last discovery that accepted no credential and are no known devices, the first of them."""
        self.refused = 0
        """How many there were."""
        self.unresolved: list[Trouble] = []
        """Host names that the last `resolve` failed for."""
        self._client = client
        self._ranges = ranges
        self._profiles = profiles
        self._registry = registry
        self._intake = intake
        self._resolver = resolver
        self._in_flight = in_flight
        self._wall = wall
        self._busy: dict[str, _Visiting] = {}
        self._running = 0
        self._counts: tuple[int, ...] = ()
        self._states = StateLog(log)

    def sign_of_life(self) -> int | None:
        """Return a figure that changes while anything is being read; None while nothing is."""
        return self._intake.visits + self.progress.done if self._running else None

    async def resolve(self) -> None:
        """Resolve the host names of the ranges anew; say once what fails, and once that it works again."""
        complaints = await self._ranges.resolve(self._resolver)
        labels = {name: item.label for item in self._ranges.resolved for name in self._ranges.names_of(item.range)}
        self.unresolved = [
            Trouble(name, labels.get(name, ""), words, self._wall()) for name, words in complaints.items()
        ]
        for item in self._ranges.resolved:
            for name in self._ranges.names_of(item.range):
                words = complaints.get(name)
                if words:
                    self._states.note(name, words, logging.WARNING, "%s", words)
                else:
                    self._states.note(name, "ok", logging.INFO, "%s resolves again", name)
        warnings = "; ".join(self._ranges.warnings)
        self._states.note("ranges", warnings or "ok", logging.WARNING, "%s", warnings or "the ranges are clear again")

    async def leave_outsiders(self) -> None:
        """Mark the known devices whose address no range holds any more: they are not read."""
        if self._ranges.closed:
            return
        outside = [
            known
            for known in self._registry
            if not known.silent_since and self._ranges.range_of(known.address, known.port) is None
        ]
        self._intake.leave(outside, "no enabled range of the config holds the address")
        await self._intake.flush()

    async def discover(self) -> None:
        """Sweep the ranges and read in full whatever is found."""
        began, before = time.monotonic(), len(self._registry)
        await self.resolve()
        self.progress = Progress(total=self._ranges.count)
        strangers: list[Trouble] = []
        refused = 0
        self._running += 1
        try:
            async for visited in discover(
                self._client,
                self._ranges,
                self._profiles,
                known_at=self._registry.at,
                name_of=self._registry.name_of,
                progress=self.progress,
                now=self._wall,
            ):
                await self._intake.take(visited)
                if visited.known is None and visited.snapshot.outcome in _CLOSED_DOORS:
                    refused += 1
                    if refused <= MOST_TROUBLES:
                        strangers.append(self._stranger(visited.snapshot))
        finally:
            self._running -= 1
            await self._intake.flush()
        self.let_nobody_in, self.refused = strangers, refused
        done = self.progress
        counts = (done.total, done.printers, done.refused, done.others)
        log.log(
            logging.INFO if counts != self._counts else logging.DEBUG,
            "discovery of %d addresses took %s: %d printers, %d of them new, %d that let nobody in, %d other hosts",
            done.total,
            duration(time.monotonic() - began),
            done.printers,
            max(len(self._registry) - before, 0),
            done.refused,
            done.others,
        )
        self._counts = counts

    def _stranger(self, snapshot: Snapshot) -> Trouble:
        return Trouble(snapshot.host, snapshot.range, MASKS.clean(snapshot.reason), self._wall())

    async def round(self, kind: ReadKind.ValueType) -> None:
        """Read every known device that a range still holds."""
        waiting = iter(list(self._registry))
        self._running += 1
        try:
            async with asyncio.TaskGroup() as visitors:
                for _ in range(min(self._in_flight, len(self._registry))):
                    visitors.create_task(self._work(waiting, kind))
        finally:
            self._running -= 1
            await self._intake.flush()

    async def read_one(self, known: Known, kind: ReadKind.ValueType) -> Snapshot:
        """Read one device now; a reading of it that is under way is waited for.

        Raises:
            TaskError: no enabled range holds its address (``no_device``).
        """
        while (other := self._busy.get(known.device_id)) is not None:
            await other.over.wait()
        known = self._registry.get(known.device_id) or known
        place = self._ranges.range_of(known.address, known.port)
        if place is None:
            raise TaskError(f"no enabled range holds {known.address} at port {known.port}", "no_device")
        visiting = self._busy[known.device_id] = _Visiting(_SIZE[kind])
        self._running += 1
        try:
            snapshot = await self._visit(known, place, kind)
            await self._intake.flush()
        finally:
            self._running -= 1
            del self._busy[known.device_id]
            visiting.over.set()
        return snapshot

    async def _work(self, waiting: Iterator[Known], kind: ReadKind.ValueType) -> None:
        for known in waiting:
            if await self._is_being_read(known.device_id, kind):
                continue
            place = self._due(known, kind)
            if place is None:
                continue
            visiting = self._busy[known.device_id] = _Visiting(_SIZE[kind])
            try:
                await self._visit(self._registry.get(known.device_id) or known, place, kind)
            finally:
                del self._busy[known.device_id]
                visiting.over.set()

    async def _is_being_read(self, device_id: str, kind: ReadKind.ValueType) -> bool:
        """Tell whether another round is just reading as much of the device; one that reads less is waited for.

        The points of the jobs are fixed and coincide again and again: a device that is left out once for a
        smaller reading would be left out for ever.
        """
        while (other := self._busy.get(device_id)) is not None:
            if other.size >= _SIZE[kind]:
                return True
            await other.over.wait()
        return False

    def _due(self, known: Known, kind: ReadKind.ValueType) -> ResolvedRange | None:
        """Return the range of a device that is to be read now."""
        if known.outcome == OUTCOME_AUTH_FAILED and kind != READ_KIND_FULL:
            return None  # a wrong credential raises an alarm on some devices: not every five minutes
        there = self._registry.at(known.address, known.port)
        if there is None or there.device_id != known.device_id:
            return None  # another device is there now
        return self._ranges.range_of(known.address, known.port)

    async def _visit(self, known: Known, place: ResolvedRange, kind: ReadKind.ValueType) -> Snapshot:
        visited = await visit(
            self._client,
            known.address,
            known.port,
            place.credentials,
            profiles=self._profiles,
            range_label=place.label,
            known=known,
            kind=kind,
            name_of=self._registry.name_of,
            now=self._wall,
        )
        await self._intake.take(visited)
        return visited.snapshot

"""Empty the outbox into the hub: take, report, forget what the hub has named, until nothing waits."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dca.errors import DeliveryError, StoreError
from dca.telemetry.pace import Pace, too_large
from dca.telemetry.rows import Batch, RowName, Stored
from dca.wire.report_pb2 import AgentInfo, AuditHead, ReportRequest, ReportResponse, Row, RowKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dca.telemetry.outbox import Outbox
    from dca.telemetry.uplink import Reporter
    from dca.wire.task_pb2 import Task

__all__ = ["Delivered", "Delivery", "phase"]

WAITS = (5.0, 15.0)
"""Seconds before the second and the third try of a report; afterwards the next cycle tries."""
_FRUITLESS = 3
"""Answers in a row that name no row at all, before the cycle ends."""
_FINAL = {"UNAUTHENTICATED", "PERMISSION_DENIED", "UNIMPLEMENTED", "INVALID_ARGUMENT"}
"""Status codes that another try within the cycle does not change."""
_MOST_FAULTS = 20
"""Different faults said in one outage; what says something new each time must not fill the log."""


async def _ignore(_: object) -> None:
    """Tell nobody."""


async def _no_heads(_: int) -> tuple[AuditHead | None, AuditHead | None]:
    """Show no audit log."""
    return None, None


@dataclass
class Delivered:
    """What one cycle brought."""

    calls: int = 0
    rows: int = 0
    """Rows that the hub has stored, now or earlier, and that are forgotten here."""
    refused: int = 0
    """Rows that the hub will never store; they are kept apart."""
    payload_bytes: int = 0
    """Of the rows that were sent, each time they were."""
    backlog: int = 0
    """Rows that waited at the last call besides those in it."""
    clock_offset: float | None = None
    """Seconds that the hub's clock is ahead of this one's; None when the hub did not say."""
    wanted_config: str | None = None
    tasks: int = 0
    """Tasks that the hub handed out."""
    clone_seen: bool = False
    """The hub sees two copies of this agent."""
    audit_broken: bool = False
    """The hub says that the audit log does not hold what it held before."""


class Delivery:
    """The delivery cycle. One call of `deliver_once` at a time.

    It logs a change between reaching the hub and not reaching it, once each.
    """

    def __init__(
        self,
        outbox: Outbox,
        uplink: Reporter,
        info: Callable[[], AgentInfo],
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
        waits: tuple[float, ...] = WAITS,
        on_failure: Callable[[DeliveryError], Awaitable[None]] = _ignore,
        on_task: Callable[[Task], Awaitable[None]] = _ignore,
        heads: Callable[[int], Awaitable[tuple[AuditHead | None, AuditHead | None]]] = _no_heads,
        log: logging.Logger | None = None,
    ) -> None:
        """Join the two ends; `info` is asked at every call, `clock` gives Unix seconds, `jitter` 0 to 1.

        `on_failure` hears of every failed try at once, `on_task` of each task in an answer. `heads` gives the newest
        entry of the audit log and the one with the number that the hub holds.
        """
        self._outbox = outbox
        self._uplink = uplink
        self._info = info
        self._clock = clock
        self._monotonic = monotonic
        self._sleep = sleep
        self._jitter = jitter
        self._waits = waits
        self._on_failure = on_failure
        self._on_task = on_task
        self._heads = heads
        self._audit_number = 0
        self._log = log or logging.getLogger(__name__)
        self._pace = Pace()
        self._after = 0
        self._faults: set[str] = set()
        self.last = Delivered()
        """The figures of the present or last cycle, also of one that failed."""
        self.offset = 0.0
        """Seconds that the hub's clock is ahead of this one's, as last heard; 0 before."""
        self.last_success = 0.0
        """Unix seconds of the hub's last answer; 0 before."""

    async def deliver_once(self) -> Delivered:
        """Deliver everything that waits, or at least say that the agent lives, and return the figures.

        Raises:
            DeliveryError: the hub did not take it; what it did take before is forgotten here.
            StoreError: the state file cannot be read.
        """
        self.last = Delivered()
        try:
            await self._drain()
            if not self.last.calls:
                await self._send(Batch((), 0, 0))
        except DeliveryError as error:
            self._complain(error)
            raise
        if self._faults:
            self._log.info("the hub takes reports again: %d rows delivered", self.last.rows)
            self._faults.clear()
        return self.last

    def _complain(self, error: DeliveryError) -> None:
        """Log a fault, once until the hub takes reports again; what gRPC said of it may differ each time."""
        fault = str(error).partition(f" ({error.code}: ")[0]
        if fault not in self._faults and len(self._faults) < _MOST_FAULTS:
            self._faults.add(fault)
            self._log.warning("%s; rows wait in the outbox until it does", error)

    async def _drain(self) -> None:
        """Go once through the outbox, oldest first, from where a fruitless cycle has stopped."""
        start, fruitless = self._after, 0
        while True:
            batch = await self._outbox.take(self._pace.rows, self._pace.size, after=self._after)
            if not batch.rows:
                self._after = 0
                if not start:
                    return
                start = 0
                continue
            sent, answer = await self._send(batch)
            fruitless = 0 if await self._settle(sent, answer) else fruitless + 1
            self._after = sent.last
            if fruitless == _FRUITLESS:
                raise DeliveryError(
                    f"the hub answered {fruitless} times without naming one of the rows it was sent; see its log"
                )

    async def _send(self, batch: Batch) -> tuple[Batch, ReportResponse]:
        """Report a batch, smaller if it must be, with waits between tries; return what was sent at last."""
        waits = iter(self._waits)
        while True:
            try:
                return batch, await self._report(batch)
            except DeliveryError as error:
                smaller = self._pace.failed(error, len(batch.rows))
                wait = 0.0 if smaller and too_large(error) else next(waits, None)
                if not smaller:  # else it may be cured by that
                    self._complain(error)
                    await self._on_failure(error)
                if wait is None or error.code in _FINAL:
                    raise
            if smaller:
                batch = batch.head(smaller)
            if wait:
                await self._sleep(wait * (0.5 + self._jitter()))

    async def _report(self, batch: Batch) -> ReportResponse:
        request = ReportRequest(
            agent_id=self._outbox.agent_id,
            agent=self._info(),
            rows=[_wire(row) for row in batch.rows],
            backlog=batch.backlog,
            instance=self._outbox.epoch,
        )
        head, held = await self._heads(self._audit_number)
        if head is not None:
            request.audit.CopyFrom(head)
        if held is not None:
            request.audit_held.CopyFrom(held)
        sent_at, started = self._clock(), self._monotonic()
        request.sent_at.FromMicroseconds(int(sent_at * 1e6))
        answer = await self._uplink.report(request)
        took = self._monotonic() - started
        self._pace.succeeded()
        self._learn(batch, answer, sent_at + took / 2)
        for task in answer.tasks:
            await self._on_task(task)
        return answer

    def _learn(self, batch: Batch, answer: ReportResponse, midway: float) -> None:
        found = self.last
        found.calls += 1
        found.payload_bytes += sum(len(row.payload) for row in batch.rows)
        found.backlog = batch.backlog
        found.tasks += len(answer.tasks)
        found.clone_seen, found.audit_broken = answer.clone_seen, answer.audit_broken
        self._audit_number = answer.audit_number
        if answer.HasField("wanted_config"):
            found.wanted_config = answer.wanted_config
        if answer.HasField("hub_time"):
            found.clock_offset = self.offset = answer.hub_time.seconds + answer.hub_time.nanos / 1e9 - midway
        self.last_success = self._clock()

    async def _settle(self, batch: Batch, answer: ReportResponse) -> int:
        """Forget and set aside what the answer names of this batch; anything else it names is ignored."""
        sent = {row.name for row in batch.rows}
        stored = {RowName(name.epoch, name.number) for name in answer.stored} & sent
        refused = {RowName(no.row.epoch, no.row.number): no.reason for no in answer.refused}
        refused = {name: reason for name, reason in refused.items() if name in sent - stored}
        if len(answer.stored) + len(answer.refused) > len(stored) + len(refused):
            self._log.debug("the hub named rows that it was not sent in this call; they are ignored")
        self.last.rows += await self._outbox.acknowledge(stored)
        if refused:
            await self._set_aside(refused)
        return len(stored) + len(refused)

    async def _set_aside(self, refused: dict[RowName, str]) -> None:
        reason = next(iter(refused.values()))[:200]
        self._log.error(
            "the hub refused %d rows for ever, they are kept aside; of the first it says %r", len(refused), reason
        )
        try:
            self.last.refused += await self._outbox.set_aside(refused)
        except StoreError as error:
            self._log.warning("refused rows stay in the outbox for now: %s", error)


def _wire(row: Stored) -> Row:
    kind = RowKind.ValueType(row.kind)
    return Row(epoch=row.name.epoch, number=row.name.number, kind=kind, payload=row.payload, crc32=row.crc32)


def phase(agent_id: str, period: float) -> float:
    """Return when within `period` seconds this agent makes its call: always the same, spread over all agents."""
    digest = hashlib.sha256(agent_id.encode("utf-8")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 * period

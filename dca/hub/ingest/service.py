"""Telemetry.Report: who is it, is there room, is it well-formed, store it, answer."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn, Protocol
from uuid import UUID

import grpc
from google.protobuf.message import DecodeError

from dca.hub.database import AWAY
from dca.hub.ingest.agents import audit_head
from dca.hub.ingest.rows import check_rows, moment
from dca.hub.ingest.storage import Arrival, Kept, store
from dca.hub.tasks.handout import open_tasks
from dca.wire.report_pb2 import RefusedRow, ReportRequest, ReportResponse, RowName

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import asyncpg

    from dca.hub.front import Caller, Callers
    from dca.wire.task_pb2 import Task

__all__ = ["MAX_ROWS", "Call", "Telemetry"]

log = logging.getLogger(__name__)

MAX_ROWS = 1000
MAX_WAITING = 32
"""Reports in the hub at once, those that wait for a connection included."""
BUSY = "the hub has its hands full: send this report again later"
DATABASE_AWAY = "the hub's database is away: send this report again later"
NO_CERTIFICATE = "no certificate of this hub was shown: activate the agent (dca activate)"
ANOTHERS = "the report names another agent than its certificate: activate the agent anew (dca activate)"


class Call(Protocol):
    """What of a gRPC call is used here."""

    def peer(self) -> str:
        """Return who calls, as gRPC writes it."""

    async def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        """End the call with an error."""


class Telemetry:
    """The handler; one for all calls."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        callers: Callers,
        on_stored: Callable[[], None],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._pool = pool
        self._callers = callers
        self._on_stored = on_stored
        self._clock = clock
        self._room = max_waiting
        self._away = False

    async def report(self, request: bytes, call: Call) -> ReportResponse:
        """Take one report; `request` is still encoded, for a stranger's is not even read."""
        if self._room == 0:
            await call.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, BUSY)
        self._room -= 1
        try:
            caller = await self._authenticate(call)
            arrival = await self._read(request, caller, call)
            kept, tasks = await self._store(arrival, call)
            return self._answer(kept, tasks)
        except AWAY as error:
            self._say_away(error)
            await call.abort(grpc.StatusCode.UNAVAILABLE, DATABASE_AWAY)
        finally:
            self._room += 1

    async def _authenticate(self, call: Call) -> Caller:
        caller = self._callers.of(call.peer())
        if caller is None or caller.agent_id is None:
            await call.abort(grpc.StatusCode.UNAUTHENTICATED, NO_CERTIFICATE)
        return caller

    async def _read(self, request: bytes, caller: Caller, call: Call) -> Arrival:
        invalid = grpc.StatusCode.INVALID_ARGUMENT
        try:
            report = ReportRequest.FromString(request)
        except DecodeError:
            await call.abort(invalid, "the report cannot be decoded")
        try:
            agent_id = UUID(report.agent_id)
        except ValueError:
            await call.abort(invalid, "agent_id is no UUID")
        if agent_id != caller.agent_id:
            await call.abort(grpc.StatusCode.UNAUTHENTICATED, ANOTHERS)
        if len(report.rows) > MAX_ROWS:
            await call.abort(invalid, f"{len(report.rows)} rows in one report; {MAX_ROWS} are allowed")
        now = self._clock()
        sent_at = moment(report.sent_at)
        offset = sent_at - now if sent_at is not None else None
        rows = check_rows(report.rows)
        return Arrival(
            agent_id,
            report.agent,
            report.backlog,
            offset,
            now,
            rows,
            caller.serial,
            report.instance,
            audit_head(report.audit),
            audit_head(report.audit_held),
        )

    async def _store(self, arrival: Arrival, call: Call) -> tuple[Kept, Sequence[Task]]:
        async with self._pool.acquire(timeout=10) as connection:
            kept = await store(connection, arrival)
            tasks = () if isinstance(kept, str) else await open_tasks(connection, kept.agent.id)
        if isinstance(kept, str):
            log.warning("agent %s was sent away: %s", arrival.agent_id, kept)
            await call.abort(grpc.StatusCode.PERMISSION_DENIED, kept)
        if self._away:
            self._away = False
            log.info("the database is back")
        if kept.refused:
            log.warning("agent %s: %d rows refused, first: %s", arrival.agent_id, len(kept.refused), kept.refused[0][1])
        if kept.fresh:
            self._on_stored()
        return kept, tasks

    def _answer(self, kept: Kept, tasks: Sequence[Task]) -> ReportResponse:
        answer = ReportResponse(
            stored=[RowName(epoch=epoch, number=number) for epoch, number in kept.stored],
            refused=[
                RefusedRow(row=RowName(epoch=epoch, number=number), reason=reason)
                for (epoch, number), reason in kept.refused
            ],
            tasks=tasks,
            audit_number=kept.agent.audit_number,
            clone_seen=kept.agent.clone_seen,
            audit_broken=kept.agent.audit_broken,
        )
        answer.hub_time.FromDatetime(self._clock())
        return answer

    def _say_away(self, error: BaseException) -> None:
        if not self._away:
            self._away = True
            log.error("the database does not take reports: %s", str(error) or type(error).__name__)

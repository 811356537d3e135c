"""One report, one transaction: rows once; devices, tasks and the agent brought up to date; the stream's entry."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from dca.hub.ingest.agents import Known, keep_agent
from dca.hub.ingest.devices import IDENTITY, DeviceChange, fold
from dca.hub.ingest.results import keep_results
from dca.hub.ingest.rows import CheckedRow, CheckedRows, clean, moment
from dca.hub.ingest.statements import CLONE, DEVICES, EVENTS, PRESENT, ROWS, UNPUBLISHED
from dca.wire.report_pb2 import ROW_KIND_EVENT, ROW_KIND_TASK_RESULT, AgentInfo, AuditHead, Event

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, timedelta
    from uuid import UUID

    from dca.hub.database import Connection

__all__ = ["Arrival", "Kept", "store"]

Name = tuple[bytes, int]
CLONED = (
    "another row with this name and other contents is stored: two copies of this agent's state file are in use; "
    "let one of them start anew"
)


class Arrival(NamedTuple):
    """A report as it came in, its rows checked."""

    agent_id: UUID
    info: AgentInfo
    backlog: int
    offset: timedelta | None
    """The agent's clock minus the hub's."""
    received_at: datetime
    rows: CheckedRows
    serial: str = ""
    """Of the certificate that the agent came with, hex."""
    instance: bytes = b""
    audit: AuditHead | None = None
    audit_held: AuditHead | None = None


class Kept(NamedTuple):
    """What the agent is told: rows that are stored, and rows that never will be."""

    stored: Iterable[Name]
    refused: Sequence[tuple[Name, str]]
    fresh: int
    """Rows that were not there before."""
    agent: Known


async def store(connection: Connection, arrival: Arrival) -> Kept | str:
    """Store a report in one transaction; return why the agent may not report, in words.

    The agent's record is written first: its lock puts the reports of one agent in a row.
    """
    async with connection.transaction():
        known = await keep_agent(connection, arrival)
        if isinstance(known, str):
            return known
        agent = known.id
        good = arrival.rows.good
        fresh = await _keep_rows(connection, agent, arrival) if good else set()
        refused = list(arrival.rows.refused)
        stored: Iterable[Name] = good
        if len(fresh) < len(good):
            present = await _present(connection, agent, [name for name in good if name not in fresh])
            cloned = {name for name, crc32 in present.items() if crc32 != good[name].crc32}
            if cloned:
                refused.extend((name, CLONED) for name in cloned)
                stored = [name for name in good if name not in cloned]
                await connection.execute(CLONE, agent, arrival.received_at)
        new = [row for name, row in good.items() if name in fresh]
        if new:
            await _keep_devices(connection, agent, fold(new, arrival.offset, arrival.received_at))
            results = [row for row in new if row.kind == ROW_KIND_TASK_RESULT]
            strays = await keep_results(connection, agent, results, arrival.received_at)
            events = [row for row in new if row.kind == ROW_KIND_EVENT]
            await _keep_events(connection, agent, [*events, *strays], arrival)
            await _keep_for_stream(connection, agent, new)
    return Kept(stored, refused, len(fresh), known)


async def _keep_rows(connection: Connection, agent: int, arrival: Arrival) -> set[Name]:
    columns = list(zip(*arrival.rows.good.values(), strict=True))
    epoch, number, kind, crc32, payload, device_id, read_at, read_kind, outcome, _message = columns
    inserted = await connection.fetch(
        ROWS, agent, arrival.received_at, epoch, number, kind, crc32, device_id, read_at, read_kind, outcome, payload
    )
    return {(row[0], row[1]) for row in inserted}


async def _present(connection: Connection, agent: int, names: list[Name]) -> dict[Name, int]:
    epochs, numbers = zip(*names, strict=True)
    return {(row[0], row[1]): row[2] for row in await connection.fetch(PRESENT, agent, epochs, numbers)}


async def _keep_devices(connection: Connection, agent: int, changes: list[DeviceChange]) -> None:
    if not changes:
        return
    identity = [[change.identity.get(name) for change in changes] for name in IDENTITY]
    slots = []
    for readings in zip(*((c.full, c.supplies, c.status, c.partial) for c in changes), strict=True):
        slots.append([reading and reading[0] for reading in readings])
        slots.append([reading and reading[1] for reading in readings])
    plain = zip(
        *((c.device_id, c.first_at, c.tried_at, c.host, c.range, c.outcome, c.reason, c.failed_since) for c in changes),
        strict=True,
    )
    await connection.execute(DEVICES, agent, *plain, *identity, *slots)


async def _keep_events(connection: Connection, agent: int, rows: list[CheckedRow], arrival: Arrival) -> None:
    if not rows:
        return
    columns = []
    for row in rows:
        event = row.message
        assert isinstance(event, Event)
        details = json.dumps({clean(key): clean(value, 1000) for key, value in event.details.items()})
        device_id = clean(event.device_id) or None
        text = clean(event.text, 4000)
        columns.append((row.epoch, row.number, moment(event.at), clean(event.name), text, device_id, details))
    await connection.execute(EVENTS, agent, arrival.received_at, *zip(*columns, strict=True))


async def _keep_for_stream(connection: Connection, agent: int, rows: list[CheckedRow]) -> None:
    numbers: dict[bytes, list[int]] = {}
    for row in rows:
        numbers.setdefault(row.epoch, []).append(row.number)
    for epoch, group in numbers.items():
        await connection.execute(UNPUBLISHED, agent, epoch, group)

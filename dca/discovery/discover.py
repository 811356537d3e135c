"""From ranges to readings: sweep, and read each printer as soon as it is found, while the sweep goes on."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from dca.discovery.identity import device_id_of
from dca.discovery.sweep import Found, Progress, sweep
from dca.discovery.visit import Visit, visit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from dca.discovery.ranges import Ranges
    from dca.model import Known
    from dca.printers.profiles import Profiles
    from dca.snmp.client import SnmpClient
    from dca.wire.snapshot_pb2 import Device

__all__ = ["discover"]

_AHEAD = 256
"""Readings begun and not yet taken by the caller; the engine itself bounds how many are in flight."""


async def discover(
    client: SnmpClient,
    ranges: Ranges,
    profiles: Profiles,
    *,
    known_at: Callable[[str, int], Known | None] = lambda _address, _port: None,
    name_of: Callable[[Device, str, int], str] = device_id_of,
    progress: Progress | None = None,
    now: Callable[[], float] = time.time,
) -> AsyncIterator[Visit]:
    """Yield a full reading of every printer in the ranges, and a snapshot of every host that let no one in.

    Hosts that are no printers are counted in `progress` and left alone. Resolve host names (`Ranges.resolve`)
    before. Order is that of arrival.
    """
    finished: asyncio.Queue[Visit | None] = asyncio.Queue()
    room = asyncio.Semaphore(_AHEAD)

    async def read(found: Found) -> None:
        target = found.target
        visited = await visit(
            client,
            target.address,
            target.port,
            target.range.credentials,
            profiles=profiles,
            range_label=target.range.label,
            known=known_at(target.address, target.port),
            hint=found.attempt if found.identity else None,
            name_of=name_of,
            now=now,
        )
        finished.put_nowait(visited)

    async def run() -> None:
        try:
            async with asyncio.TaskGroup() as readings:
                async for found in sweep(client, ranges, profiles, known_at=known_at, progress=progress):
                    await room.acquire()
                    readings.create_task(read(found))
        finally:
            finished.put_nowait(None)

    running = asyncio.create_task(run())
    try:
        while (visited := await finished.get()) is not None:
            room.release()
            yield visited
        await running  # raises what went wrong, if anything did
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

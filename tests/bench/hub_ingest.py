"""How many snapshots a second the hub stores: real process, real PostgreSQL and NATS, gRPC over TLS with gzip.

Client and hub share the machine. Every snapshot is a fresh reading (its date and its counter move) of 1 to 2 kB;
reports have 1,000 rows. A row counts when the hub has acknowledged it, which is after its commit; at the end
the table is counted: each acknowledged row must be there once.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4
from zlib import crc32

import asyncpg

from dca.hub.engines import EmbeddedPostgres
from dca.wire import report_pb2
from dca.wire.report_pb2_grpc import TelemetryStub
from tests.hub.enrolled import channel, enrol
from tests.hub.office import NOON, laser, report
from tests.hub.process import HubProcess

if TYPE_CHECKING:
    from dca.wire.snapshot_pb2 import Snapshot

AGENTS = 3
DEVICES = 250
ROWS = 1000
ALERTS = (
    ("warning", "marker_supplies", "Magenta toner is low, order a new cartridge"),
    ("critical", "input", "Tray 1 is empty: load A4 paper or touch OK"),
    ("other", "general_printer", "Sleep mode on"),
)


def fleet() -> list[Snapshot]:
    """Return one agent's devices."""
    return [
        laser(f"{number:016x}", host=f"10.0.0.{number}", serial=f"XX{number:08}", total=50_000 + number, alerts=ALERTS)
        for number in range(1, DEVICES + 1)
    ]


class Agent:
    """Sends reports one after the other until told to stop."""

    def __init__(self, hub: HubProcess) -> None:
        identity = enrol(hub, "bench")
        self._stub = TelemetryStub(channel(hub, identity))  # type: ignore[no-untyped-call]
        self._id = identity.agent_id
        self._epoch = uuid4().bytes
        self._devices = fleet()
        self._number = 0
        self.stored = 0
        self.bytes = 0

    def _rows(self) -> list[report_pb2.Row]:
        rows = []
        for _ in range(ROWS):
            number = self._number = self._number + 1
            snapshot = self._devices[number % DEVICES]
            snapshot.read_at.seconds = int(NOON.timestamp()) + number
            snapshot.meters[0].value += 1
            payload = snapshot.SerializeToString()
            self.bytes += len(payload)
            rows.append(report_pb2.Row(epoch=self._epoch, number=number, kind=1, payload=payload, crc32=crc32(payload)))
        return rows

    async def run(self, until: float) -> None:
        """Report until the clock (monotonic) says so."""
        while time.monotonic() < until:
            answer = await self._stub.Report(report(self._rows(), self._id), timeout=30)
            assert not answer.refused, answer.refused[0].reason
            self.stored += len(answer.stored)


async def measure(seconds: float) -> dict[str, float]:
    """Return {"hub_snapshots_per_s": ...} from a run of about these seconds."""
    folder = Path(tempfile.mkdtemp(prefix="dca-bench-hub-"))
    hub = HubProcess(folder / "data")
    try:
        hub.start()
        agents = [Agent(hub) for _ in range(AGENTS)]
        await asyncio.gather(*(agent.run(0) for agent in agents))
        began = time.monotonic()
        await asyncio.gather(*(agent.run(began + seconds) for agent in agents))
        took = time.monotonic() - began
        acknowledged = sum(agent.stored for agent in agents)
        await _check(folder / "data" / "postgres", acknowledged)
        hub.stop()
    finally:
        if hub.process is not None and hub.process.poll() is None:
            hub.kill()
        shutil.rmtree(folder, ignore_errors=True)
    size = sum(agent.bytes for agent in agents) / acknowledged
    print(f"  hub: {acknowledged} snapshots of {size:.0f} bytes in {took:.1f} s, each once", file=sys.stderr)
    return {"hub_snapshots_per_s": acknowledged / took}


async def _check(folder: Path, acknowledged: int) -> None:
    postgres = EmbeddedPostgres(folder)
    await postgres.attach()
    connection = await asyncpg.connect(postgres.url())
    stored, behind = await connection.fetchrow(
        "SELECT (SELECT count(*) FROM rows), (SELECT coalesce(sum(cardinality(numbers)), 0) FROM unpublished)"
    )
    await connection.close()
    postgres.close()
    assert stored == acknowledged, f"{stored} rows stored, {acknowledged} acknowledged"
    print(f"  hub: {behind} rows were not yet in the stream at the end", file=sys.stderr)


if __name__ == "__main__":
    print(asyncio.run(measure(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0)))

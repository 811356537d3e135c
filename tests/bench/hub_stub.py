"""A hub that acknowledges every row and keeps none: `python -m tests.bench.hub_stub PORT LOG`.

It writes a line for each report into LOG: monotonic seconds, rows. The agent alone is measured with it.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import grpc.aio

from dca.wire.report_pb2 import ReportRequest, ReportResponse, RowName
from dca.wire.report_pb2_grpc import TelemetryServicer, add_TelemetryServicer_to_server


class Hub(TelemetryServicer):
    """Names every row as stored."""

    def __init__(self, log: Path) -> None:
        self._log = log

    async def Report(self, request: ReportRequest, _context: object) -> ReportResponse:  # noqa: N802 - gRPC's name
        with self._log.open("a") as file:
            file.write(f"{time.monotonic()} {len(request.rows)}\n")
        stored = [RowName(epoch=row.epoch, number=row.number) for row in request.rows]
        return ReportResponse(stored=stored)


async def _serve(port: int, log: Path) -> None:
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", 16 << 20)])
    add_TelemetryServicer_to_server(Hub(log), server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    print("ready", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), Path(sys.argv[2])))

"""What agents deliver: checked, stored once, acknowledged after the commit."""

from __future__ import annotations

from dca.hub.ingest.server import IngestServer
from dca.hub.ingest.service import Telemetry

__all__ = ["IngestServer", "Telemetry"]

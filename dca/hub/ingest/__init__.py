"""What agents deliver: checked, stored once, acknowledged after the commit."""

from __future__ import annotations

from dca.hub.ingest.service import Telemetry

__all__ = ["Telemetry"]

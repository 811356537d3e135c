"""Deliver what was read: outbox, uplink, and the cycle that empties one through the other."""

from __future__ import annotations

from dca.telemetry.figures import Figures, read_figures
from dca.telemetry.outbox import Outbox, Put
from dca.telemetry.rows import Batch, NewRow, RowName, Weight

__all__ = ["Batch", "Figures", "NewRow", "Outbox", "Put", "RowName", "Weight", "read_figures"]

"""Deliver what was read: outbox, uplink, and the cycle that empties one through the other."""

from __future__ import annotations

from dca.telemetry.delivery import Delivered, Delivery, phase
from dca.telemetry.figures import Figures, read_figures
from dca.telemetry.outbox import Outbox, Put
from dca.telemetry.rows import Batch, NewRow, RowName, Weight
from dca.telemetry.uplink import Reporter, Uplink

__all__ = [
    "Batch",
    "Delivered",
    "Delivery",
    "Figures",
    "NewRow",
    "Outbox",
    "Put",
    "Reporter",
    "RowName",
    "Uplink",
    "Weight",
    "phase",
    "read_figures",
]

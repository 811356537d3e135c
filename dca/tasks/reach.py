"""The device of a task, and that it may be contacted: a task reaches nothing that no enabled range holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dca.errors import TaskError
from dca.printers.reader import Cells

if TYPE_CHECKING:
    from dca.model import Known
    from dca.tasks.kind import Order, Tools

__all__ = ["address_of", "cells_of", "device_of"]


def device_of(order: Order) -> Known:
    """Return the device that a task concerns.

    Raises:
        TaskError: it names none (``no_device``).
    """
    if order.device is None:
        raise TaskError(f"{order.kind} concerns one device, and the task names none that is known here", "no_device")
    return order.device


def address_of(order: Order, tools: Tools) -> str:
    """Return the device's address for what has no SNMP port: an enabled range has to hold it, at whichever port.

    Raises:
        TaskError: none does (``no_device``).
    """
    known = device_of(order)
    if tools.ranges.range_of(known.address) is None:
        raise TaskError(f"no enabled range holds {known.address}: nothing was sent", "no_device")
    return known.address


def cells_of(known: Known) -> Cells:
    """Return what the last full reading learned of a device; none of it where there was no such reading."""
    return (Cells.from_bytes(known.cells) if known.cells else None) or Cells()

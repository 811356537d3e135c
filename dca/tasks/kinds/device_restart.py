"""``device_restart``: let one device restart (prtGeneralReset, RFC 3805), and watch whether it did."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dca.errors import SnmpError
from dca.printers import objects
from dca.snmp.oids import oid
from dca.snmp.types import Tag
from dca.tasks.kind import Kind
from dca.tasks.reach import cells_of, device_of
from dca.tasks.writing import Written, uptime_of, write

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dca.printers.reader import Cells
    from dca.tasks.kind import Order, Result, Tools

__all__ = ["KIND"]

_RESET = oid("1.3.6.1.2.1.43.5.1.1.3")
_VALUES = {"cold": 4, "warm": 5}
"""PrtGeneralResetTC: powerCycleReset, resetToNVRAM. resetToFactoryDefaults is never sent."""
_WATCH = 240.0
"""Seconds that it is watched: printers finish their job first, and start slowly."""
_STEP = 3.0


@dataclass(frozen=True)
class _Parameters:
    how: Literal["cold", "warm"] = "cold"
    """cold: as switched off and on; warm: start anew with the settings in its memory."""


async def _run(order: Order, tools: Tools, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> Result:
    known = device_of(order)
    reset = _RESET + _index(cells_of(known))
    order.progress("asking it to restart")
    done = await write(tools, known, [(reset, Tag.INTEGER, _VALUES[order.parameters.how])])
    restarted = await _Watch(order, tools, done).run(pause)
    return {
        "restarted": restarted,
        "answered": done.answered,
        "credential": done.peer.credential.name,
        "note": _note(restarted, done),
    }


def _index(cells: Cells) -> bytes:
    """Return hrDeviceIndex of the printer: that of its serial number or status, 1 where neither is known."""
    places = ((objects.PRT_SERIAL, cells.serial), (objects.HR_PRINTER_STATUS, cells.status))
    return next((name.removeprefix(column) for column, name in places if name.startswith(column)), objects.FIRST)


class _Watch:
    """Waits for sysUpTime to fall."""

    def __init__(self, order: Order, tools: Tools, done: Written) -> None:
        self._order = order
        self._tools = tools
        self._done = done

    async def run(self, pause: Callable[[float], Awaitable[None]]) -> bool | Literal["unknown"]:
        """Return whether it restarted; unknown where it is silent to the end, or has no sysUpTime."""
        before = self._done.uptime
        if before is None:
            return "unknown"
        answered = False
        waited = 0.0
        while waited < _WATCH:
            await pause(_STEP)
            waited += _STEP
            try:
                uptime = await uptime_of(self._tools, self._done.peer)
            except SnmpError:
                answered = False
                self._order.progress(f"silent since the request, after {waited:.0f} s")
                continue
            if uptime is not None and uptime < before:
                return True
            answered = uptime is not None
            self._order.progress(f"still up after {waited:.0f} s")
        return False if answered else "unknown"


def _note(restarted: bool | Literal["unknown"], done: Written) -> str:
    if restarted is True:
        return "its uptime began anew"
    if restarted == "unknown":
        return "it has not answered again; look at the device"
    if done.answered:
        return f"it took the request, but its uptime went on for {_WATCH:.0f} s: perhaps it waits for a job to end"
    return "it never answered the request and its uptime went on: many devices are silent to who may not write"


KIND = Kind(
    name="device_restart",
    summary="Restart one device. Jobs that it holds may be lost.",
    parameters=_Parameters,
    default="deny",
    limit=600,
    run=_run,
    changes=True,
)

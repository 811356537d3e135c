"""The devices the agent knows, by who they are and by where they are; what changed about them is an event.

Held in memory, saved by the caller in the transaction that also takes the snapshots (`dca.store`).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from dca.discovery.identity import device_id_of, evidence_of, name_from

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from dca.model import Known
    from dca.wire.snapshot_pb2 import Device

__all__ = ["Change", "Registry"]


class Change(NamedTuple):
    """Something about a device that the hub must know; becomes an Event."""

    name: str
    """device_found, device_moved, device_replaced or duplicate_serial."""
    text: str
    device_id: str
    details: dict[str, str]


class Registry:
    """Every known device; `record` is the only way in. `wall` is Unix seconds, UTC."""

    def __init__(self, knowns: Iterable[Known] = (), *, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self._by_id: dict[str, Known] = {}
        self._doubles: dict[str, str] = {}
        """Names given for want of a better, and whose serial number they share; until recorded."""
        self._by_place: dict[tuple[str, int], str] = {}
        for known in knowns:
            self._put(known)

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Known]:
        return iter(list(self._by_id.values()))

    def get(self, device_id: str) -> Known | None:
        """Return the device of that name."""
        return self._by_id.get(device_id)

    def at(self, address: str, port: int) -> Known | None:
        """Return the device that was last seen there."""
        device_id = self._by_place.get((address, port))
        return self._by_id.get(device_id) if device_id else None

    def answering(self) -> int:
        """Return how many devices answered their last reading."""
        return sum(not known.silent_since for known in self._by_id.values())

    def name_of(self, device: Device, address: str, port: int) -> str:
        """Return the device's name: that of its strongest evidence, unless another device bears that already.

        Two machines with one serial (a board swap, a careless refurbisher) answer at two addresses at once: the one
        seen first keeps the name, the other goes by its next evidence, so that their meters never mix.
        """
        name = device_id_of(device, address, port)
        holder = self.get(name)
        if holder is None or (holder.address, holder.port) == (address, port):
            return name
        if device.mac and device.mac.casefold() == holder.mac.casefold():
            return name  # it moved
        there = self.at(address, port)
        for kind, text in evidence_of(device, address, port):
            other = name_from(kind, text)
            if other == name:
                continue
            if there is not None and there.device_id == other:
                return other  # known as a double from before
            if not holder.silent_since and self._wall() - holder.last_read < _AT_ONCE:
                self._doubles[other] = holder.device_id
                return other
            return name
        return name

    def record(self, known: Known) -> list[Change]:
        """Take what a visit found out and return what has changed."""
        before = self._by_id.get(known.device_id)
        there = self.at(known.address, known.port)
        changes = []
        if before is None:
            changes.append(self._found(known))
        else:
            known.first_seen = before.first_seen or known.first_seen
            if (before.address, before.port) != (known.address, known.port) and not known.silent_since:
                changes.append(self._moved(before, known))
        if there is not None and there.device_id != known.device_id and not known.silent_since:
            changes.append(self._replaced(there, known))
        self._put(known)
        return changes

    def forget(self, device_id: str) -> None:
        """Drop a device."""
        known = self._by_id.pop(device_id, None)
        if known is not None and self._by_place.get((known.address, known.port)) == device_id:
            del self._by_place[known.address, known.port]

    def _put(self, known: Known) -> None:
        before = self._by_id.get(known.device_id)
        place = (known.address, known.port)
        if before is not None:
            old = (before.address, before.port)
            if old != place and self._by_place.get(old) == known.device_id:
                del self._by_place[old]
        self._by_id[known.device_id] = known
        self._by_place[place] = known.device_id

    def _found(self, known: Known) -> Change:
        first = self._by_id.get(self._doubles.pop(known.device_id, ""))
        if first is None:
            return self._change("device_found", known, f"{_words(known)} found at {known.address}")
        text = f"{_words(known)} at {known.address} has the serial number of the device at {first.address}"
        return self._change("duplicate_serial", known, text, {"address": known.address, "other": first.device_id})

    def _moved(self, before: Known, known: Known) -> Change:
        text = f"{_words(known)} moved from {before.address} to {known.address}"
        return self._change("device_moved", known, text, {"from": before.address, "to": known.address})

    def _replaced(self, there: Known, known: Known) -> Change:
        text = f"{_words(known)} answers at {known.address}, where {_words(there)} was"
        return self._change("device_replaced", known, text, {"address": known.address, "was": there.device_id})

    @staticmethod
    def _change(name: str, known: Known, text: str, details: dict[str, str] | None = None) -> Change:
        return Change(name, text, known.device_id, details or {})


_AT_ONCE = 600.0
"""Seconds within which a device that answered at one address cannot have been carried to another, set up and found."""


def _words(known: Known) -> str:
    return " ".join(filter(None, (known.manufacturer, known.model))) or "a device"

"""Who a device is, whatever its address: serial with manufacturer, then MAC, then SNMPv3 engine ID.

The name made of it is a digest, so that it may stand in logs and addresses: serial numbers are secrets there.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dca.wire.snapshot_pb2 import Device

__all__ = ["device_id_of", "evidence_of", "name_from"]


def _plain(text: str) -> str:
    return "".join(text.split()).casefold()


def evidence_of(device: Device, address: str, port: int) -> Iterator[tuple[str, str]]:
    """Yield what tells who the device is, the strongest first, as (its kind, its text).

    The kinds are serial, mac, engine and, when all else is missing or shared, address.
    """
    serial = _plain(device.serial)
    if serial:
        yield "serial", f"{_plain(device.manufacturer)}/{serial}"
    if device.mac:
        yield "mac", device.mac.casefold()
    if device.engine_id:
        yield "engine", device.engine_id.casefold()
    yield "address", f"{address}:{port}"


def name_from(kind: str, text: str) -> str:
    """Return the stable name made of a piece of evidence: 16 hex digits."""
    return hashlib.sha256(f"dca-device/1 {kind} {text}".encode()).hexdigest()[:16]


def device_id_of(device: Device, address: str, port: int) -> str:
    """Return the name made of the strongest evidence."""
    return name_from(*next(evidence_of(device, address, port)))

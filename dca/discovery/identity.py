"""Who a device is, whatever its address: serial with manufacturer, then MAC, then SNMPv3 engine ID.

The name made of it is a digest, so that it may stand in logs and addresses: serial numbers are secrets there.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dca.wire.snapshot_pb2 import Device

__all__ = ["device_id_of", "evidence_of"]


def _plain(text: str) -> str:
    return "".join(text.split()).casefold()


def evidence_of(device: Device, address: str, port: int) -> tuple[str, str]:
    """Return the strongest evidence of who the device is, as (its kind, its text).

    The kinds are serial, mac, engine and, when a device tells nothing of itself, address.
    """
    serial = _plain(device.serial)
    if serial:
        return "serial", f"{_plain(device.manufacturer)}/{serial}"
    if device.mac:
        return "mac", device.mac.casefold()
    if device.engine_id:
        return "engine", device.engine_id.casefold()
    return "address", f"{address}:{port}"


def device_id_of(device: Device, address: str, port: int) -> str:
    """Return the stable name: 16 hex digits."""
    kind, text = evidence_of(device, address, port)
    return hashlib.sha256(f"dca-device/1 {kind} {text}".encode()).hexdigest()[:16]

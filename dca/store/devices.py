"""The registry's rows: one per known device, with its last snapshots for `dca status`."""

from __future__ import annotations

import dataclasses
import json
import logging
from typing import TYPE_CHECKING, Any, NamedTuple

from dca.model import AuthProtocol, Known, PrivProtocol

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

__all__ = ["Snapshots", "forget_devices", "load_devices", "load_snapshots", "save_devices", "save_snapshot"]

_log = logging.getLogger(__name__)
_FIELDS = {field.name for field in dataclasses.fields(Known)} - {"cells"}


class Snapshots(NamedTuple):
    """The serialized `Snapshot` messages that are kept of one device."""

    last: bytes | None
    """The last reading, whatever came of it."""
    full: bytes | None
    """The last full reading that was answered, with the supplies and meters of later, smaller ones."""


def load_devices(connection: sqlite3.Connection) -> list[Known]:
    """Return every known device, in the order they were first saved.

    A row that cannot be read is left out and logged: discovery finds the device again.
    """
    found: list[Known] = []
    for device_id, known, cells in connection.execute("SELECT device_id, known, cells FROM device ORDER BY id"):
        try:
            found.append(_known(device_id, json.loads(known), cells))
        except (ValueError, TypeError, AttributeError) as error:
            _log.warning("device %s of the registry cannot be read and will be discovered anew: %s", device_id, error)
    return found


def save_devices(connection: sqlite3.Connection, knowns: Iterable[Known]) -> None:
    """Add or replace these devices; their snapshots stay as they are."""
    connection.executemany(
        "INSERT INTO device (device_id, known, cells) VALUES (?, ?, ?) "
        "ON CONFLICT (device_id) DO UPDATE SET known = excluded.known, cells = excluded.cells",
        [(known.device_id, _json(known), known.cells) for known in knowns],
    )


def forget_devices(connection: sqlite3.Connection, device_ids: Iterable[str]) -> None:
    """Remove these devices and their snapshots."""
    connection.executemany("DELETE FROM device WHERE device_id = ?", [(device_id,) for device_id in device_ids])


def save_snapshot(connection: sqlite3.Connection, device_id: str, snapshot: bytes, *, full: bool) -> None:
    """Keep a serialized snapshot as the device's last, and with `full` as its last full one.

    Nothing happens for a device that is not in the registry.
    """
    if full:
        connection.execute(
            "UPDATE device SET snapshot = ?, full_snapshot = ? WHERE device_id = ?", (snapshot, snapshot, device_id)
        )
    else:
        connection.execute("UPDATE device SET snapshot = ? WHERE device_id = ?", (snapshot, device_id))


def load_snapshots(connection: sqlite3.Connection, device_ids: Iterable[str] | None = None) -> dict[str, Snapshots]:
    """Return the kept snapshots by device_id, of all devices or of these."""
    select = "SELECT device_id, snapshot, full_snapshot FROM device"
    if device_ids is None:
        rows = connection.execute(f"{select} ORDER BY id").fetchall()
    else:
        found = (connection.execute(f"{select} WHERE device_id = ?", (name,)).fetchone() for name in device_ids)
        rows = [row for row in found if row is not None]
    return {device_id: Snapshots(last, full) for device_id, last, full in rows}


def _json(known: Known) -> str:
    fields = {name: getattr(known, name) for name in _FIELDS - {"device_id"}}
    return json.dumps(fields, separators=(",", ":"), sort_keys=True)


def _known(device_id: str, fields: dict[str, Any], cells: bytes) -> Known:
    """Make a device of its row; fields that a newer dca wrote are left out."""
    kept = {name: value for name, value in fields.items() if name in _FIELDS and name != "device_id"}
    if kept.get("auth"):
        kept["auth"] = AuthProtocol(kept["auth"])
    if kept.get("priv"):
        kept["priv"] = PrivProtocol(kept["priv"])
    return Known(device_id=device_id, cells=bytes(cells), **kept)

"""What the demo shows at one moment, gathered from the agent's state folder."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dca.cli.render import device_name, outcome_word, plain
from dca.errors import StoreError
from dca.service.status import read_status

if TYPE_CHECKING:
    from pathlib import Path

    from dca.service.status import DeviceStatus
    from dca.wire.snapshot_pb2 import Alert, Snapshot

__all__ = ["Row", "Scene", "Watch"]


@dataclass(frozen=True)
class Row:
    """One device."""

    host: str
    name: str
    picture: Snapshot
    why_silent: str
    """In a word or two; empty while it answers."""
    pages: int | None
    printed: int
    """Pages since the demo first saw it."""


@dataclass(frozen=True)
class Scene:
    """Everything, devices in the order of their addresses."""

    rows: tuple[Row, ...] = ()
    others: int = 0
    """Hosts that answered, are no printers, and were left alone."""
    read: int = 0
    """Rows written into the outbox so far."""
    waiting: int = 0
    acknowledged: int = 0
    delivered_ago: float | None = None
    delivery_error: str = ""

    @property
    def silent(self) -> list[Row]:
        """Return the devices that do not answer now."""
        return [row for row in self.rows if row.why_silent]

    @property
    def alerts(self) -> list[tuple[Row, Alert]]:
        """Return what is wrong, the critical first."""
        found = [(row, alert) for row in self.rows for alert in row.picture.alerts if alert.text]
        return sorted(
            (pair for pair in found if pair[1].severity in ("critical", "warning")),
            key=lambda pair: pair[1].severity != "critical",
        )


class Watch:
    """Looks at an agent's state folder again and again; remembers where the page counts began."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._begin: dict[str, int] = {}

    def look(self) -> Scene:
        """Return the scene now; an empty one while the agent has not made its folder."""
        try:
            status = read_status(self._state)
        except StoreError:
            return Scene()
        notes, figures = status.notes, status.figures
        return Scene(
            rows=tuple(map(self._row, sorted(status.devices, key=_address))),
            others=notes.others,
            read=figures.rows_written,
            waiting=figures.depth + figures.waiting,
            acknowledged=figures.rows_acknowledged,
            delivered_ago=status.read_at - notes.delivered_at if notes.delivered_at else None,
            delivery_error=plain(notes.delivery_error),
        )

    def _row(self, device: DeviceStatus) -> Row:
        known, picture = device.known, device.picture
        pages = next((meter.value for meter in picture.meters if meter.name == "total"), None)
        begin = self._begin.setdefault(known.device_id, pages) if pages is not None else 0
        return Row(
            host=known.address,
            name=device_name(picture.device) or plain(f"{known.manufacturer} {known.model}").strip(),
            picture=picture,
            why_silent="" if device.answers else outcome_word(known.outcome),
            pages=pages,
            printed=(pages or 0) - begin,
        )


def _address(device: DeviceStatus) -> int:
    return int(ipaddress.ip_address(device.known.address))

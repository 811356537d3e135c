"""What is known of a device, put together for a page: each part from the newest reading that has it, with its date."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field
from itertools import starmap
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from google.protobuf.message import DecodeError

from dca.hub.web.words import CONSUMED, ERRORS, FAILURES, Level, level_of, plain, supply_label, worst
from dca.wire import snapshot_pb2 as wire
from dca.wire.snapshot_pb2 import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable
    from datetime import datetime
    from uuid import UUID

    from dca.hub.web.queries import Row

__all__ = ["DeviceView", "Meter", "Reading", "Supply", "Tray", "Trouble", "device_view"]

WHOLE = {
    wire.READ_KIND_FULL: frozenset(
        {"identity", "status", "alerts", "console", "meters", "supplies", "trays", "covers"}
    ),
    wire.READ_KIND_SUPPLIES: frozenset({"status", "meters", "supplies"}),
    wire.READ_KIND_STATUS: frozenset({"status", "alerts", "console"}),
}
"""The parts that a reading of a kind has whole. A status poll also has a few meters and levels: those that fit in."""
FIRST_COLORS = ("black", "cyan", "magenta", "yellow")
SAID_BY_SUPPLIES = frozenset({"low_toner", "no_toner"})
SLOTS = ("full", "supplies", "status", "partial")
COLORS = frozenset(
    {"black", "cyan", "magenta", "yellow", "red", "green", "blue", "white", "gray", "grey", "orange", "clear"}
    | {f"{shade}_{color}" for shade in ("light", "photo", "matte") for color in ("black", "cyan", "magenta", "gray")}
    | {"tricolor"}
)


class Reading(NamedTuple):
    """A kept reading and its time by the hub's clock."""

    snapshot: Snapshot
    at: datetime


class Trouble(NamedTuple):
    """Something to see to."""

    text: str
    grade: str


class Supply(NamedTuple):
    """A supply as it is drawn."""

    label: str
    level: Level
    tint: str
    """CSS class of its colour."""
    data: wire.Supply
    at: datetime


class Tray(NamedTuple):
    """A tray as it is drawn."""

    label: str
    level: Level
    data: wire.Tray
    at: datetime


class Meter(NamedTuple):
    """A counter and when it was read."""

    data: wire.Meter
    at: datetime


@dataclass
class DeviceView:
    """One device, ready to be shown."""

    agent_id: UUID
    device_id: str
    site_id: int
    site_name: str
    row: Row
    """Its record: host, identity, outcome, times."""
    readings: list[Reading] = field(default_factory=list)
    """The kept ones, newest first."""
    troubles: list[Trouble] = field(default_factory=list)
    supplies: list[Supply] = field(default_factory=list)
    trays: list[Tray] = field(default_factory=list)
    meters: list[Meter] = field(default_factory=list)
    """The total first."""
    failure: str = ""
    """Why it cannot be read now, in a few words; empty while it can."""
    asleep: bool = False

    @property
    def html_id(self) -> str:
        """The id of its element."""
        return f"device-{self.agent_id}-{self.device_id}"

    @property
    def title(self) -> str:
        """Manufacturer and model, the manufacturer once."""
        maker, model = self.row["manufacturer"] or "", self.row["model"] or ""
        if maker and model.lower().startswith(maker.lower()):
            return model
        return f"{maker} {model}".strip() or "Unknown model"

    @property
    def grade(self) -> str:
        """Its state as one word: bad, silent, warn, ok."""
        if self.failure and not self.asleep:
            return "silent"
        return worst([*(trouble.grade for trouble in self.troubles), *(supply.level.grade for supply in self.supplies)])

    @property
    def order(self) -> tuple[int, str, str]:
        """Sort by what needs a person first."""
        return ("bad", "silent", "warn", "ok").index(self.grade), self.title.lower(), self.row["host"]

    @property
    def status(self) -> str:
        """The printer's own status in a word."""
        reading = self.whole("status")
        return plain(reading.snapshot.status) if reading else ""

    @property
    def console(self) -> list[str]:
        """The panel's lines that say something."""
        reading = self.whole("console")
        return [line.strip() for line in reading.snapshot.console if line.strip()] if reading else []

    def whole(self, part: str) -> Reading | None:
        """Return the newest reading that has this part whole."""
        return next((found for found in self.readings if _has(found.snapshot, part)), None)


def device_view(row: Row) -> DeviceView:
    """Put a device's record and its kept readings together."""
    view = DeviceView(
        agent_id=row["agent_id"],
        device_id=row["device_id"],
        site_id=row["site"],
        site_name=row["site_name"],
        row=row,
    )
    view.readings = _readings(row)
    outcome: int = row["outcome"]
    view.failure = FAILURES.get(outcome, "")
    view.asleep = outcome == wire.OUTCOME_ASLEEP
    supplies = _newest(view, "supplies", lambda supply: (supply.index, supply.source))
    trays = _newest(view, "trays", lambda tray: (tray.direction, tray.index))
    meters = _newest(view, "meters", lambda meter: meter.name)
    view.supplies = sorted(starmap(_supply, supplies), key=_supply_order)
    view.trays = list(starmap(_tray, trays))
    view.meters = sorted(starmap(Meter, meters), key=lambda meter: _meter_order(meter.data.name))
    if not view.failure or view.asleep:  # of one that cannot be read they may be long past
        view.troubles = list(_troubles(view, outcome))
    return view


def _readings(row: Row) -> list[Reading]:
    readings = []
    for slot in SLOTS:
        content, at = row[slot], row[f"{slot}_at"]
        if content is not None and at is not None:
            # Checked when stored; a damaged table must not take the page down.
            with contextlib.suppress(DecodeError):
                readings.append(Reading(Snapshot.FromString(content), at))
    return sorted(readings, key=attrgetter("at"), reverse=True)


def _has(snapshot: Snapshot, part: str) -> bool:
    return part in WHOLE.get(snapshot.kind, ()) and part not in snapshot.missing


def _newest(view: DeviceView, part: str, key: Callable[[Any], Hashable]) -> Iterable[tuple[Any, datetime]]:
    """Yield what the newest whole reading lists, each item as the newest reading says that has it."""
    latest: dict[Hashable, tuple[Any, datetime]] = {}
    for reading in view.readings:
        items = getattr(reading.snapshot, part)
        for item in items:
            latest.setdefault(key(item), (item, reading.at))
        if _has(reading.snapshot, part):
            return [latest[key(item)] for item in items]
    return latest.values()


def _supply(supply: wire.Supply, at: datetime) -> Supply:
    label = supply_label(supply.type, supply.color, supply.description)
    percent = supply.percent if supply.HasField("percent") else None
    level = level_of(
        supply.state,
        percent,
        supply.level if supply.HasField("level") else None,
        supply.capacity if supply.HasField("capacity") else None,
    )
    color = re.sub(r"[^a-z]+", "_", supply.color.lower())
    tint = f"tint-{color}" if color in COLORS else "tint-other"
    return Supply(label, level, tint, supply, at)


def _tray(tray: wire.Tray, at: datetime) -> Tray:
    present = tray.level if tray.HasField("level") else None
    capacity = tray.capacity if tray.HasField("capacity") and tray.capacity > 0 else None
    level = level_of(tray.state, None, present, capacity)
    label = tray.name or f"{plain(tray.direction) or 'tray'} {tray.index}".capitalize()
    return Tray(label, level, tray, at)


def _troubles(view: DeviceView, outcome: int) -> Iterable[Trouble]:
    if outcome == wire.OUTCOME_PARTIAL:
        missing = next((found.snapshot.missing for found in view.readings if found.snapshot.missing), ())
        yield Trouble(f"Not read: {', '.join(map(plain, missing))}" if missing else "Not everything was read", "warn")
    short = [Trouble(*said) for supply in view.supplies if (said := _short(supply))]
    if reading := view.whole("status"):
        for error in reading.snapshot.errors:
            if not (short and error in SAID_BY_SUPPLIES):
                yield Trouble(*ERRORS.get(error, (plain(error).capitalize(), "warn")))
    yield from sorted(short, key=attrgetter("grade"))


def _supply_order(supply: Supply) -> tuple[int, int]:
    """Sort what is consumed first, in the order of the colours; the rest as the device lists it."""
    color = supply.data.color
    if supply.data.type in CONSUMED:
        return (FIRST_COLORS.index(color) if color in FIRST_COLORS else len(FIRST_COLORS)), supply.data.index
    return len(FIRST_COLORS) + 1, supply.data.index


def _short(supply: Supply) -> tuple[str, str] | None:
    """Say that a supply runs out; for a receptacle, that it is nearly full."""
    grade = supply.level.grade
    if grade not in {"bad", "warn"}:
        return None
    if supply.data.receptacle:
        return f"{supply.label} {'full' if grade == 'bad' else 'nearly full'}", grade
    return (
        f"{supply.label} {'empty' if supply.level.percent == 0 else 'nearly empty' if grade == 'bad' else 'low'}",
        grade,
    )


def _meter_order(name: str) -> tuple[int, str]:
    order = ("total", "total_mono", "total_color", "print", "copy", "scan", "fax")
    return (order.index(name), "") if name in order else (len(order), name)

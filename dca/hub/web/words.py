"""The words that the pages use for what the wire names."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dca.wire import snapshot_pb2 as wire

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

__all__ = ["CONSUMED", "ERRORS", "FAILURES", "Level", "level_of", "plain", "supply_label", "thousands", "when", "worst"]

FAILURES: dict[int, str] = {
    wire.OUTCOME_NO_ANSWER: "No answer",
    wire.OUTCOME_ASLEEP: "Asleep",
    wire.OUTCOME_AUTH_FAILED: "Credentials not accepted",
    wire.OUTCOME_REFUSED: "Refuses to be read",
    wire.OUTCOME_NOT_A_PRINTER: "Something else answers at its address",
}
"""Said with "since"."""

ERRORS = {
    "low_paper": ("Paper low", "warn"),
    "no_paper": ("Out of paper", "bad"),
    "low_toner": ("Toner low", "warn"),
    "no_toner": ("Out of toner", "bad"),
    "door_open": ("Door open", "bad"),
    "jammed": ("Paper jam", "bad"),
    "offline": ("Offline", "bad"),
    "service_requested": ("Service requested", "bad"),
    "input_tray_missing": ("Paper tray missing", "bad"),
    "output_tray_missing": ("Output tray missing", "bad"),
    "marker_supply_missing": ("Supply missing", "bad"),
    "output_near_full": ("Output nearly full", "warn"),
    "output_full": ("Output full", "bad"),
    "input_tray_empty": ("A tray is empty", "warn"),
    "overdue_prevent_maint": ("Maintenance overdue", "warn"),
}
"""hrPrinterDetectedErrorState (RFC 2790, RFC 3805) for people, with how grave it is."""

STATES = {
    "some_remaining": ("some left", "ok"),
    "unknown": ("not reported", "unknown"),
    "unrestricted": ("no limit", "ok"),
    "ok": ("OK", "ok"),
    "low": ("low", "warn"),
    "empty": ("empty", "bad"),
}
"""Supply and tray states that are no measurement: never a made-up figure."""

CONSUMED = frozenset({"toner", "ink", "toner_cartridge", "ink_cartridge", "ink_ribbon", "solid_wax", "ribbon_wax"})
TYPES = {"opc": "drum", "waste_toner": "waste", "waste_ink": "waste", "waste_wax": "waste", "cleaner_unit": "cleaner"}
LOW, EMPTY = 10.0, 3.0
"""Percent at which a supply is called low, and nearly empty."""


class Level(NamedTuple):
    """How a supply or tray is shown."""

    text: str
    percent: float | None
    grade: str
    """ok, warn, bad or unknown."""


def plain(name: str) -> str:
    """Return a wire name as words: ``waste_toner`` -> ``waste toner``."""
    return name.replace("_", " ").strip()


def thousands(number: int) -> str:
    """Return a figure in groups of three, set apart by narrow no-break spaces."""
    return f"{number:,}".replace(",", "\u202f")


def when(at: datetime, *, seconds: bool = False) -> str:
    """Return a time for a page without scripts."""
    return f"{at.day} {at:%b %Y %H:%M:%S} UTC" if seconds else f"{at.day} {at:%b %Y %H:%M} UTC"


def level_of(state: str, percent: float | None, present: int | None = None, capacity: int | None = None) -> Level:
    """Say a level: percent where it was measured, the state in words where it was not."""
    if percent is not None and 0 <= percent <= 100:  # noqa: PLR2004 - it is a percentage
        grade = "bad" if percent <= EMPTY else "warn" if percent <= LOW else "ok"
        shown = "<\u202f1" if 0 < percent < 1 else f"{percent:.0f}"
        return Level(f"{shown}\u202f%", percent, grade)
    if present is not None:
        return Level(
            thousands(present) if capacity is None else f"{thousands(present)} of {thousands(capacity)}", None, "ok"
        )
    text, grade = STATES.get(state, ("not reported", "unknown"))
    return Level(text, None, grade)


def supply_label(kind: str, color: str, description: str) -> str:
    """Return a short name: the colour for what is consumed, colour and part for the rest."""
    part = TYPES.get(kind, plain(kind))
    if part in {"", "other", "unknown"}:
        return description or plain(color).capitalize() or "Supply"
    if kind in CONSUMED and color:
        return plain(color).capitalize()
    return " ".join(word for word in (plain(color), part) if word).capitalize()


def worst(grades: Iterable[str]) -> str:
    """Return the gravest of some grades."""
    found = set(grades)
    return next((grade for grade in ("bad", "warn", "ok") if grade in found), "ok")

"""The shared look of what people read: clean texts, supply bars, words and colours.

Everything a device says goes through `plain` and into `rich.text.Text`, never into markup: a printer's
name can neither drive the terminal nor style it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from dca.wire.snapshot_pb2 import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dca.wire.snapshot_pb2 import Device, Snapshot, Supply

__all__ = [
    "LEAST_BAR",
    "ago",
    "bar",
    "bar_cells",
    "console_for",
    "counted",
    "device_name",
    "level_text",
    "number",
    "outcome_text",
    "outcome_word",
    "plain",
    "status_text",
    "supplies_text",
]

LOW = 10.0
"""Percent at which a supply is shown as low."""
LEAST_BAR = 3
"""Cells; a shorter bar says less than one step of a column."""

_STYLES = {
    "black": "grey66",
    "cyan": "cyan",
    "magenta": "magenta",
    "yellow": "yellow",
    "light_cyan": "bright_cyan",
    "light_magenta": "bright_magenta",
    "red": "red",
    "green": "green",
    "blue": "blue",
}
_LETTERS = {"black": "K", "cyan": "C", "magenta": "M", "yellow": "Y"}
_STATES = {
    "some_remaining": "some left",
    "unknown": "unknown",
    "unrestricted": "unlimited",
    "ok": "ok",
    "low": "low",
    "empty": "empty",
}
_OUTCOMES: dict[int, tuple[str, str]] = {
    Outcome.OUTCOME_OK: ("ok", "green"),
    Outcome.OUTCOME_PARTIAL: ("partial", "yellow"),
    Outcome.OUTCOME_NO_ANSWER: ("no answer", "red"),
    Outcome.OUTCOME_ASLEEP: ("asleep", "blue"),
    Outcome.OUTCOME_AUTH_FAILED: ("not accepted", "red"),
    Outcome.OUTCOME_REFUSED: ("refused", "red"),
    Outcome.OUTCOME_NOT_A_PRINTER: ("no printer", "dim"),
}
_STATUS_STYLES = {"idle": "green", "printing": "cyan", "warmup": "cyan"}
_CONSUMED = {"toner", "toner_cartridge", "ink", "ink_cartridge", "ink_ribbon", "solid_wax", "ribbon_wax"}
_STEPS = "▁▂▃▄▅▆▇█"


def console_for(stream: str = "stdout") -> Console:
    """Return a console on stdout or stderr; ``NO_COLOR`` and redirection are respected."""
    return Console(stderr=stream == "stderr", highlight=False, markup=False, emoji=False, soft_wrap=False)


def plain(text: str, limit: int = 300) -> str:
    """Return `text` in one line without control, invisible or direction-changing characters."""
    text = text[:limit]
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return " ".join(text.split())


def number(value: int) -> str:
    """Write a number in groups of three digits."""
    return f"{value:,}".replace(",", " ")


def counted(count: int, noun: str) -> str:
    """Write a number with its noun, in the plural where it needs one."""
    plural = noun + ("es" if noun.endswith("s") else "s")
    return f"{number(count)} {noun if count == 1 else plural}"


def ago(seconds: float) -> str:
    """Say how long ago something was: ``just now``, ``5 min ago``, ``3 days ago``."""
    for limit, size, unit in ((45, 0, ""), (5400, 60, "min"), (129_600, 3600, "h")):
        if seconds < limit:
            return f"{max(round(seconds / size), 1)} {unit} ago" if size else "just now"
    return f"{round(seconds / 86_400)} days ago"


def bar(percent: float, width: int) -> str:
    """Return `width` cells that are filled by `percent`; anything left shows at least half a cell."""
    halves = round(max(0.0, min(percent, 100.0)) / 100 * width * 2)
    if percent > 0:
        halves = max(halves, 1)
    return "█" * (halves // 2) + "▌" * (halves % 2) + "░" * (width - halves // 2 - halves % 2)


def device_name(device: Device) -> str:
    """Return maker and model in one, without naming the maker twice."""
    maker, model = plain(device.manufacturer), plain(device.model)
    if not maker or model.lower().startswith(maker.lower()):
        return model
    return f"{maker} {model}".strip()


def level_text(supply: Supply, width: int) -> Text:
    """Return the level as a bar of `width` cells and percent, or its state in words."""
    if not supply.HasField("percent"):
        word = _STATES.get(supply.state, plain(supply.state) or "unknown")
        style = {"low": "bold yellow", "empty": "bold red"}.get(supply.state, "dim")
        return Text(word, style=style)
    percent = max(0.0, min(supply.percent, 100.0))
    text = Text(bar(percent, width), style=_colour(supply))
    return text.append(f" {percent:3.0f} %", style=_alarm(percent))


def bar_cells(fleet: Iterable[Iterable[Supply]], width: int) -> int:
    """Return how many cells a bar may have so that the supplies of each device fit into `width`; 0: draw steps."""
    most = max((sum(map(_is_consumed, supplies)) for supplies in fleet), default=0)
    cells = min(width // most - 7, 8) if most else 0
    return cells if cells >= LEAST_BAR else 0


def supplies_text(supplies: Iterable[Supply], cells: int) -> Text:
    """Return what matters of the supplies in one line: the colours, then what else runs low.

    `cells` is a bar's width (see `bar_cells`); 0 draws one step of a column instead.
    """
    text = Text(no_wrap=True, overflow="ellipsis")
    for supply in sorted(filter(_matters, supplies), key=_order):
        text.append(" " if text else "").append(_label(supply), style="dim")
        if not supply.HasField("percent"):
            text.append(" ").append_text(level_text(supply, 0))
            continue
        percent = max(0.0, min(supply.percent, 100.0))
        if not _is_consumed(supply):
            text.append(f" {percent:.0f}", style=_alarm(percent))
        elif cells:
            text.append(" " + bar(percent, cells), style=_colour(supply)).append(
                f"{percent:4.0f}", style=_alarm(percent)
            )
        else:
            text.append(_STEPS[min(int(percent / 12.5), 7)], style=_colour(supply))
            text.append(f"{percent:.0f}", style=_alarm(percent))
    return text


def outcome_word(outcome: int) -> str:
    """Say an outcome in words."""
    return _OUTCOMES.get(outcome, ("unknown", ""))[0]


def outcome_text(outcome: int) -> Text:
    """Say an outcome in its colour."""
    return Text(*_OUTCOMES.get(outcome, ("unknown", "")))


def status_text(snapshot: Snapshot) -> Text:
    """Say how the device is: its status and errors, or why it was not read."""
    if snapshot.outcome not in (Outcome.OUTCOME_OK, Outcome.OUTCOME_PARTIAL):
        return outcome_text(snapshot.outcome)
    text = Text()
    if snapshot.HasField("status"):
        text.append(plain(snapshot.status), style=_STATUS_STYLES.get(snapshot.status, ""))
    for error in snapshot.errors:
        text.append(", " if text else "").append(plain(error).replace("_", " "), style="yellow")
    if snapshot.outcome == Outcome.OUTCOME_PARTIAL:
        missing = ", ".join(plain(part) for part in snapshot.missing)
        text.append(", " if text else "").append(f"partial, no {missing}" if missing else "partial", style="yellow")
    return text


def _colour(supply: Supply) -> str:
    return _STYLES.get(supply.color, "green")


def _alarm(percent: float) -> str:
    return "bold red" if percent <= LOW / 2 else "yellow" if percent <= LOW else ""


def _label(supply: Supply) -> str:
    if supply.color in _LETTERS and _is_consumed(supply):
        return _LETTERS[supply.color]
    words = [word for word in (plain(supply.color, 20), plain(supply.type, 20)) if word]
    return " ".join(words).replace("_", " ") or plain(supply.description, 20) or f"#{supply.index}"


def _is_consumed(supply: Supply) -> bool:
    return not supply.receptacle and (supply.type in _CONSUMED or (not supply.type and bool(supply.color)))


def _matters(supply: Supply) -> bool:
    low = supply.state in {"low", "empty"} or (supply.HasField("percent") and supply.percent <= LOW)
    return _is_consumed(supply) or low


def _order(supply: Supply) -> tuple[bool, int, int]:
    known = list(_LETTERS)
    color = known.index(supply.color) if supply.color in known else len(known)
    return (not _is_consumed(supply), color, supply.index)

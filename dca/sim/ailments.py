"""What is wrong with a device, as it says so: alerts, the detected error bits, its status and its console."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dca.sim.names import DEVICE_STATUS, ERROR_BIT, PRINTER_STATUS
from dca.sim.state import LOW, NEAR_FULL

if TYPE_CHECKING:
    from dca.sim.spec import Supply
    from dca.sim.state import State

__all__ = ["check_supply", "check_tray", "console", "device_status", "errors", "is_blocked", "label", "printer_status"]

_CODES = {
    # supply type: (alert code when low, when used up)
    "toner": ("tonerLow", "tonerEmpty"),
    "tonerCartridge": ("tonerLow", "tonerEmpty"),
    "ink": ("inkLow", "inkEmpty"),
    "inkCartridge": ("inkLow", "inkEmpty"),
    "inkRibbon": ("ribbonLow", "ribbonEmpty"),
    "wasteToner": ("wasteTonerNearFull", "wasteTonerFull"),
    "wasteInk": ("wasteInkNearFull", "wasteInkFull"),
    "opc": ("opcLow", "opcOver"),
}
_OTHER = ("almostOver", "over")
_BITS = {
    "inputLow": "lowPaper",
    "tonerLow": "lowToner",
    "inkLow": "lowToner",
    "ribbonLow": "lowToner",
    "tonerEmpty": "noToner",
    "inkEmpty": "noToner",
    "ribbonEmpty": "noToner",
    "coverOpen": "doorOpen",
    "jam": "jammed",
    "wasteTonerFull": "serviceRequested",
    "wasteInkFull": "serviceRequested",
    "opcOver": "serviceRequested",
    "over": "serviceRequested",
}
_RANK = {"critical": 0, "warning": 1}


def label(supply: Supply) -> str:
    """Return a supply's name as it stands in a message: its description without part and serial numbers."""
    return supply.description.split(",")[0].split(" S/N")[0].strip(" \0")


def check_supply(state: State, index: int) -> bool:
    """Raise or clear the alert of a supply; tell whether it has just run out."""
    filling = state.supplies[index]
    spec, panel = filling.spec, state.model.panel
    low, out = _CODES.get(spec.type, _OTHER)
    part = ("marker" if spec.reports == "none" else "supplies", index)
    if filling.left > (NEAR_FULL if spec.receptacle else LOW):
        state.clear_alert(part)
        return False
    if filling.left > 0:
        words = panel.waste_near if spec.receptacle else panel.supply_low
        state.raise_alert(part, "warning", low, words.format(name=label(spec)))
        return False
    standing = state.alerts.get(part)
    if standing is not None and standing.code == out:
        return False
    words = panel.waste_full if spec.receptacle else panel.supply_empty
    severity = "warning" if out in ("opcOver", "over") else "critical"
    state.raise_alert(part, severity, out, words.format(name=label(spec)))
    return True


def check_tray(state: State, index: int) -> bool:
    """Raise or clear the alert of an input tray; tell whether it has just become empty."""
    paper = state.trays[index]
    part, panel = ("input", index), state.model.panel
    if paper.sheets > LOW * paper.spec.capacity:
        state.clear_alert(part)
        return False
    if paper.sheets > 0:
        state.raise_alert(part, "warning", "inputLow", panel.tray_low.format(name=paper.spec.name))
        return False
    standing = state.alerts.get(part)
    if standing is not None and standing.code == "inputEmpty":
        return False
    severity = "critical" if _no_paper(state) else "warning"
    state.raise_alert(part, severity, "inputEmpty", panel.tray_empty.format(name=paper.spec.name))
    return True


def _no_paper(state: State) -> bool:
    return bool(state.trays) and not any(paper.sheets for paper in state.trays.values())


def is_blocked(state: State) -> bool:
    """Tell whether it cannot print now."""
    return _no_paper(state) or any(alert.severity == "critical" for alert in state.alerts.values())


def errors(state: State) -> bytes:
    """Return hrPrinterDetectedErrorState in as many octets as the model has."""
    names = {_BITS[alert.code] for alert in state.alerts.values() if alert.code in _BITS}
    if _no_paper(state):
        names.add("noPaper")
    elif any(alert.code == "inputEmpty" for alert in state.alerts.values()):
        names.add("inputTrayEmpty" if state.model.error_octets > 1 else "lowPaper")
    octets = bytearray(state.model.error_octets)
    for name in names:
        bit = ERROR_BIT[name]
        octets[bit >> 3] |= 0x80 >> (bit & 7)
    return bytes(octets)


def printer_status(state: State) -> int:
    """Return hrPrinterStatus (RFC 3805, appendix E, for what stands still)."""
    if is_blocked(state):
        return PRINTER_STATUS["other"]
    return PRINTER_STATUS["printing" if state.printing else "idle"]


def device_status(state: State) -> int:
    """Return hrDeviceStatus."""
    if is_blocked(state):
        return DEVICE_STATUS["down"]
    return DEVICE_STATUS["warning" if state.alerts else "running"]


def console(state: State) -> list[str]:
    """Return the lines of the display, as many as the model has, the most urgent first."""
    panel = state.model.panel
    texts = [a.text for a in sorted(state.alerts.values(), key=lambda a: (_RANK.get(a.severity, 2), a.index))]
    if state.printing:
        texts.insert(0, panel.printing)
    elif not texts or (state.model.lines > 1 and not is_blocked(state)):
        texts.insert(0, state.message or panel.ready)
    lines = (texts + [""] * state.model.lines)[: state.model.lines]
    return [line.ljust(state.model.columns)[: state.model.columns or None] for line in lines]

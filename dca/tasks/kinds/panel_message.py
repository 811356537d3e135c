"""``panel_message``: show a text on the panel of one device, where a way is known for its make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dca.errors import SnmpError, TaskError
from dca.printers.text import clean_text
from dca.snmp.ask import get
from dca.snmp.types import Tag
from dca.tasks.kind import Kind
from dca.tasks.reach import cells_of, device_of
from dca.tasks.writing import Written, write

if TYPE_CHECKING:
    from dca.model import Known
    from dca.printers.profiles.schema import PanelMessage
    from dca.tasks.kind import Order, Result, Tools

__all__ = ["KIND"]

_MOST = 80
_ROMAN8 = b"\x01\x15"
"""The symbol set that stands before a text of HP's PML."""


@dataclass(frozen=True)
class _Parameters:
    text: str
    """What is shown; empty takes the message away."""

    def __post_init__(self) -> None:
        if len(self.text) > _MOST:
            raise ValueError(f"text has {len(self.text)} characters; it may have {_MOST}")
        if not self.text.isprintable():
            raise ValueError("text has a character that does not print, such as a line end")


async def _run(order: Order, tools: Tools) -> Result:
    known, text = device_of(order), order.parameters.text
    place = _place_for(known, tools)
    order.progress("writing to the panel")
    value = _octets(text, place, known)
    done = await write(tools, known, [(place.oid, Tag.OCTET_STRING, value)], harmless=True)
    if not done.answered:
        raise TaskError(f"{known.address} gave no answer to the SET: many are silent to who may not write", "no_answer")
    return {"credential": done.peer.credential.name, "panel": await _panel(known, tools, done)}


def _place_for(known: Known, tools: Tools) -> PanelMessage:
    by_name = {profile.name: profile for profile in tools.profiles}
    fitting = [by_name[name] for name in cells_of(known).profiles if name in by_name]
    for profile in fitting:
        if profile.panel_message is not None:
            return profile.panel_message
    make = known.manufacturer or "this device"
    raise TaskError(f"how to write to the panel of {make} is not known: no profile that fits it says", "unsupported")


def _octets(text: str, place: PanelMessage, known: Known) -> bytes:
    """Return the text as the device takes it."""
    make = known.manufacturer or "it"
    if len(text) > place.most:
        raise TaskError(f"text has {len(text)} characters; the panel of {make} takes {place.most}", "bad_parameters")
    try:
        octets = text.encode("hp_roman8" if place.pml else "ascii")
    except UnicodeEncodeError as error:
        sign = text[error.start : error.end]
        raise TaskError(f"the panel of {make} does not have the character {sign!r}", "bad_parameters") from None
    return _ROMAN8 + octets if place.pml and octets else octets


async def _panel(known: Known, tools: Tools, done: Written) -> list[str]:
    """Return what the panel shows now; a message gives way to warnings."""
    cells = cells_of(known)
    try:
        found = await tools.client.converse(done.peer, get(done.peer, cells.console))
    except SnmpError:
        return []
    shown = (clean_text(found[name][2], cells.charset) for name in cells.console if name in found)
    return [line for line in shown if line]


KIND = Kind(
    name="panel_message",
    summary="Show a text on the panel of one device.",
    parameters=_Parameters,
    default="deny",
    limit=60,
    run=_run,
    changes=True,
)

"""The cells outside the standard tables, from the way the model files write them.

A cell is a table with one key that says its type::

    { text = "{serial}" }           OCTET STRING in the device's character set
    { pml = "{serial}" }            the same behind HP's two octets for the character set
    { hex = "07e8 0811" }           OCTET STRING of these octets
    { int = 3 }                     INTEGER; likewise counter, gauge, ticks; a name reads it from the device
    { oid = "1.3.6.1.2.1.43" }      OBJECT IDENTIFIER
    { address = "0.0.0.0" }         IpAddress
    { mac = true }                  the hardware address, six octets
    { records = [["00", "total"]] } Brother's records: id, 01, length, value, and ff at the end
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dca.sim.cells import Cell, Keep, VendorCell, address, number, octets, pointer
from dca.sim.live import fields_of, fill, fixed_fields, live_number, to_octets
from dca.snmp.types import Tag

if TYPE_CHECKING:
    from collections.abc import Callable

    from dca.sim.state import State

__all__ = ["template", "vendor_cell"]

_NUMBERS = {"int": Tag.INTEGER, "counter": Tag.COUNTER32, "gauge": Tag.GAUGE32, "ticks": Tag.TIMETICKS}
_PML_CODES = {"hp-roman8": b"\x01\x15", "utf-8": b"\xfd\xe8"}


def template(text: str, prefix: bytes = b"") -> Cell:
    """Return a text cell that is filled per device.

    Raises:
        ValueError: it names what no device has.
    """
    keep = Keep.EVER if fixed_fields(fields_of(text)) else Keep.CHANGE
    return Cell(Tag.OCTET_STRING, lambda state: prefix + to_octets(fill(text, state), state.model), keep)


def vendor_cell(given: dict[str, Any]) -> VendorCell:
    """Return the cell that a model file describes.

    Raises:
        ValueError: it is none of the types above, or its value is none of that type's.
    """
    if len(given) != 1:
        raise ValueError(f"{given!r} has to have one key, its type")
    ((kind, value),) = given.items()
    if kind in _NUMBERS:
        return _number(_NUMBERS[kind], value)
    maker = _MAKERS.get(kind)
    if maker is None:
        raise ValueError(f"{kind!r} is no type of a cell; allowed: {', '.join((*_NUMBERS, *_MAKERS))}")
    return maker(value)


def _number(tag: Tag, value: int | str) -> VendorCell:
    if isinstance(value, int):
        return number(value, tag)
    return Cell(tag, live_number(value), Keep.NEVER if value == "uptime" else Keep.CHANGE)


def _pml(value: str) -> Cell:
    codec = "hp-roman8" if value.isascii() else "utf-8"
    code = _PML_CODES[codec]
    keep = Keep.EVER if fixed_fields(fields_of(value)) else Keep.CHANGE
    return Cell(Tag.OCTET_STRING, lambda state: code + fill(value, state).encode(codec, "replace"), keep)


def _records(value: list[tuple[str, int | str]]) -> Cell:
    rows = [(bytes.fromhex(record), live_number(of)) for record, of in value]

    def read(state: State) -> bytes:
        return (
            b"".join(record + b"\x01\x04" + (of(state) & 0xFFFFFFFF).to_bytes(4, "big") for record, of in rows)
            + b"\xff"
        )

    return Cell(Tag.OCTET_STRING, read)


def _mac(_value: bool) -> Cell:
    return Cell(Tag.OCTET_STRING, lambda state: state.identity.mac, Keep.EVER)


_MAKERS: dict[str, Callable[[Any], VendorCell]] = {
    "text": template,
    "pml": _pml,
    "hex": lambda value: octets(bytes.fromhex(value)),
    "oid": pointer,
    "address": address,
    "mac": _mac,
    "records": _records,
}

"""One instance of a MIB: a value that stands, or one that is read from the device's state when somebody asks."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from dca.snmp.ber import integer, tlv
from dca.snmp.oids import oid
from dca.snmp.types import Tag

if TYPE_CHECKING:
    from collections.abc import Callable

    from dca.sim.state import State

__all__ = [
    "Cell",
    "Keep",
    "Stands",
    "VendorCell",
    "address",
    "encode",
    "number",
    "octets",
    "pointer",
    "text",
    "varbind",
]

_UNSIGNED = {
    Tag.COUNTER32: 0xFFFFFFFF,
    Tag.GAUGE32: 0xFFFFFFFF,
    Tag.TIMETICKS: 0xFFFFFFFF,
    Tag.COUNTER64: (1 << 64) - 1,
}


class Keep(Enum):
    """For how long what was read may be given again."""

    EVER = 1
    CHANGE = 2
    """Until the state changes."""
    NEVER = 3


class Stands(NamedTuple):
    """A value that is the same on all devices of the model for ever: its TLV."""

    value: bytes


class Cell(NamedTuple):
    """A value of one device; None from `read` means that there is no such instance now."""

    tag: Tag
    read: Callable[[State], int | bytes | None]
    keep: Keep = Keep.CHANGE


VendorCell: TypeAlias = Stands | Cell


def encode(tag: Tag, value: int | bytes) -> bytes:
    """Return the value's TLV; counters wrap as they do on a device."""
    if isinstance(value, bytes):
        return tlv(tag, value)
    mask = _UNSIGNED.get(tag)
    return integer(value if mask is None else value & mask, tag)


def varbind(name: bytes, value: bytes) -> bytes:
    """Return the variable binding of an OID's octets and a value's TLV."""
    return tlv(0x30, tlv(Tag.OBJECT_IDENTIFIER, name) + value)


def number(value: int, tag: Tag = Tag.INTEGER) -> Stands:
    """Return a number that stands."""
    return Stands(encode(tag, value))


def octets(value: bytes) -> Stands:
    """Return an OCTET STRING that stands."""
    return Stands(tlv(Tag.OCTET_STRING, value))


def text(value: str, codec: str = "utf-8") -> Stands:
    """Return a text that stands, in the device's character set."""
    return octets(value.encode(codec, "replace"))


def pointer(dotted: str) -> Stands:
    """Return an OBJECT IDENTIFIER that stands."""
    return Stands(tlv(Tag.OBJECT_IDENTIFIER, oid(dotted)))


def address(dotted: str) -> Stands:
    """Return an IpAddress that stands."""
    return Stands(tlv(Tag.IP_ADDRESS, bytes(map(int, dotted.split(".")))))

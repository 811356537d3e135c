"""What a full reading learned about a device: the cells that a later poll asks for, and what their numbers belong to.

The compact form is one version octet and then fields, each a length or number of 7-bit groups. It is read back as
hostile: what is cut off, out of bounds or asks for something forbidden is no cells at all, and a full reading follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError

from dca.printers.levels import SupplyCell
from dca.printers.meters import MeterCell
from dca.printers.never import is_forbidden
from dca.wire.snapshot_pb2 import Supply

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Cells"]

_VERSION = 1
_MOST = 256
"""Entries of any list."""
_MOST_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Cells:
    """The known cells of one device. OIDs are octets; b"" stands for one that the device does not have."""

    uptime: bytes = b""
    serial: bytes = b""
    """The object of the serial number."""
    serial_value: bytes = b""
    """What it held: another device answers when it differs."""
    status: bytes = b""
    errors: bytes = b""
    console: tuple[bytes, ...] = ()
    charset: int = 0
    steps: int = 0
    """Steps that a walk may take at once (see `dca.printers.never`); 0 for any."""
    profiles: tuple[str, ...] = ()
    meters: tuple[MeterCell, ...] = ()
    supplies: tuple[SupplyCell, ...] = ()
    """Their messages hold what does not change, and no numbers."""

    def to_bytes(self) -> bytes:
        """Return the compact form."""
        out = _Writer()
        for octets in (self.uptime, self.serial, self.serial_value, self.status, self.errors):
            out.octets(octets)
        out.many(self.console)
        out.number(self.charset)
        out.number(self.steps)
        out.many([name.encode() for name in self.profiles])
        out.number(len(self.meters))
        for meter in self.meters:
            _write_meter(out, meter)
        out.number(len(self.supplies))
        for supply in self.supplies:
            _write_supply(out, supply)
        return bytes(out.buffer)

    @classmethod
    def from_bytes(cls, data: bytes) -> Cells | None:
        """Return the cells of a compact form; None when it is of another version, or damaged."""
        if not data or data[0] != _VERSION or len(data) > _MOST_BYTES:
            return None
        source = _Reader(data)
        try:
            cells = cls(
                uptime=source.oid(),
                serial=source.oid(),
                serial_value=source.octets(),
                status=source.oid(),
                errors=source.oid(),
                console=tuple(source.oid() for _ in range(source.count())),
                charset=source.number(),
                steps=source.number(),
                profiles=tuple(source.octets().decode() for _ in range(source.count())),
                meters=tuple(_read_meter(source) for _ in range(source.count())),
                supplies=tuple(_read_supply(source) for _ in range(source.count())),
            )
        except (ValueError, IndexError, DecodeError):
            return None
        return cells if source.at == len(data) else None


def _write_meter(out: _Writer, meter: MeterCell) -> None:
    for text in (meter.name, meter.unit, meter.source):
        out.octets(text.encode())
    out.number(len(meter.terms))
    for name, sign in meter.terms:
        out.octets(name)
        out.signed(sign)
    out.signed(meter.record)


def _read_meter(source: _Reader) -> MeterCell:
    name, unit, text = (source.octets().decode() for _ in range(3))
    terms = tuple((source.oid(), 1 if source.signed() > 0 else -1) for _ in range(source.count()))
    if not terms:
        raise ValueError("a meter without an object")
    return MeterCell(name, unit, text, terms, source.signed())


def _write_supply(out: _Writer, cell: SupplyCell) -> None:
    out.octets(cell.supply.SerializeToString())
    out.octets(cell.level)
    out.octets(cell.capacity)
    out.signed(cell.full)
    out.signed(cell.now)
    _write_codes(out, cell.codes)
    out.number(cell.counts_up)
    out.octets(bytes(cell.percents))
    out.signed(cell.step)


def _read_supply(source: _Reader) -> SupplyCell:
    supply = Supply.FromString(source.octets())
    level, capacity = source.oid(), source.oid()
    full, now = source.signed(), source.signed()
    codes = {source.signed(): source.octets().decode() for _ in range(source.count())}
    counts_up, percents, step = bool(source.number()), tuple(source.octets()), source.signed()
    return SupplyCell(supply, level, capacity, full, now, codes, counts_up, percents, step)


def _write_codes(out: _Writer, codes: Mapping[int, str]) -> None:
    out.number(len(codes))
    for code, state in codes.items():
        out.signed(code)
        out.octets(state.encode())


class _Writer:
    """Puts fields one after the other."""

    def __init__(self) -> None:
        self.buffer = bytearray((_VERSION,))

    def number(self, value: int) -> None:
        """Put a number from 0: seven bits an octet, the lowest first."""
        while value > 0x7F:  # noqa: PLR2004 - seven bits
            self.buffer.append(value & 0x7F | 0x80)
            value >>= 7
        self.buffer.append(value)

    def signed(self, value: int) -> None:
        """Put a number of either sign: 0, -1, 1, -2, ... count up."""
        self.number(value << 1 if value >= 0 else (-value << 1) - 1)

    def octets(self, value: bytes) -> None:
        """Put octets after their length."""
        self.number(len(value))
        self.buffer += value

    def many(self, values: Sequence[bytes]) -> None:
        """Put several octets after their count."""
        self.number(len(values))
        for value in values:
            self.octets(value)


class _Reader:
    """Takes the fields again.

    Raises (from every method): ValueError or IndexError where the octets cannot be that.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 1

    def number(self) -> int:
        """Take a number from 0."""
        value = shift = 0
        while True:
            octet = self._data[self.at]
            self.at += 1
            value |= (octet & 0x7F) << shift
            shift += 7
            if octet < 0x80:  # noqa: PLR2004 - the last one
                return value
            if shift > 70:  # noqa: PLR2004 - more than 64 bits
                raise ValueError("a number without an end")

    def signed(self) -> int:
        """Take a number of either sign."""
        value = self.number()
        return -(value + 1 >> 1) if value & 1 else value >> 1

    def octets(self) -> bytes:
        """Take octets."""
        size = self.number()
        end = self.at + size
        if end > len(self._data):
            raise ValueError("octets are cut off")
        value = self._data[self.at : end]
        self.at = end
        return value

    def oid(self) -> bytes:
        """Take an object that may be asked for."""
        value = self.octets()
        if value and (is_forbidden(value) or value[-1] >= 0x80):  # noqa: PLR2004 - the last octet of an arc
            raise ValueError("an object that is never read")
        return value

    def count(self) -> int:
        """Take the length of a list."""
        value = self.number()
        if value > _MOST:
            raise ValueError("too many entries")
        return value

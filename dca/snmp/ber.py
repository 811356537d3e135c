"""Just enough BER (X.690) for SNMP: write TLVs, read TLVs, read a list of variable bindings fast.

Reading is lenient where printers are sloppy (long-form lengths, integers with needless octets, Counter32
without the leading zero) and strict where it is a matter of safety: nothing is read past the end of
what encloses it, a longer integer than nine octets is no value, and nothing recurses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dca.snmp.types import VarBind

__all__ = ["BerError", "encode_length", "integer", "octets", "read_integer", "read_tlv", "read_varbinds", "tlv"]

_INTEGER_OCTETS = 9


class BerError(ValueError):
    """The octets are no BER that SNMP could have sent."""


def encode_length(length: int) -> bytes:
    """Return the definite length in its shortest form."""
    if length < 0x80:
        return bytes((length,))
    if length < 0x100:
        return bytes((0x81, length))
    return bytes((0x82, length >> 8, length & 0xFF))


def tlv(tag: int, content: bytes) -> bytes:
    """Return one TLV; `content` is at most 65,535 octets."""
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    return bytes((tag,)) + encode_length(length) + content


def integer(value: int, tag: int = 0x02) -> bytes:
    """Return an INTEGER, or with `tag` a Counter, Gauge or TimeTicks, in its shortest form."""
    body = value.to_bytes((value.bit_length() if value >= 0 else (value + 1).bit_length()) // 8 + 1, "big", signed=True)
    return bytes((tag, len(body))) + body


def octets(content: bytes) -> bytes:
    """Return an OCTET STRING."""
    return tlv(0x04, content)


def read_tlv(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Read the header at `at` and return (tag, where the content starts, where it stops).

    Raises:
        BerError: the header or the content passes `end`.
    """
    if at + 2 > end:
        raise BerError("it ends inside a header")
    tag = data[at]
    length = data[at + 1]
    at += 2
    if length == 0x82 and at + 2 <= end:  # most messages
        length = data[at] << 8 | data[at + 1]
        at += 2
    elif length > 0x7F:
        length, at = _long_length(data, at, end, length)
    stop = at + length
    if stop > end:
        raise BerError("a length points past the end")
    return tag, at, stop


def _long_length(data: bytes, at: int, end: int, first: int) -> tuple[int, int]:
    count = first & 0x7F
    if count == 0 or count > 4 or at + count > end:
        raise BerError("an indefinite or oversized length")
    return int.from_bytes(data[at : at + count], "big"), at + count


def read_integer(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Read an INTEGER and return (value, where the next TLV starts).

    Raises:
        BerError: another tag, no octet, or more than nine.
    """
    if at + 2 < end and data[at] == 0x02 and 0 < data[at + 1] <= _INTEGER_OCTETS:  # nearly always
        start = at + 2
        stop = start + data[at + 1]
        if stop > end:
            raise BerError("a length points past the end")
    else:
        tag, start, stop = read_tlv(data, at, end)
        if tag != 0x02 or not 0 < stop - start <= _INTEGER_OCTETS:
            raise BerError("an INTEGER was expected")
    return int.from_bytes(data[start:stop], "big", signed=True), stop


def read_varbinds(data: bytes, at: int, end: int) -> list[VarBind]:  # noqa: C901, PLR0912 - the hot loop, unrolled
    """Read a VarBindList's content from `at` to `end`.

    The one hot loop of the codec: lengths below 128 take no call.

    Raises:
        BerError: not a list of (OBJECT IDENTIFIER, value).
    """
    found: list[VarBind] = []
    append = found.append
    from_bytes = int.from_bytes
    try:
        while at < end:
            if data[at] != 0x30:
                raise BerError("a variable binding was expected")
            length = data[at + 1]
            at += 2
            if length > 0x7F:
                length, at = _long_length(data, at, end, length)
            outer = at + length
            if outer > end or data[at] != 0x06:
                raise BerError("a variable binding does not begin with an OID or passes the end")
            length = data[at + 1]
            at += 2
            if length > 0x7F:
                length, at = _long_length(data, at, outer, length)
            stop = at + length
            name = data[at:stop]
            tag = data[stop]
            length = data[stop + 1]
            at = stop + 2
            if length > 0x7F:
                length, at = _long_length(data, at, outer, length)
            stop = at + length
            if stop > outer:
                raise BerError("a value passes the end of its variable binding")
            if tag == 0x04 or tag == 0x06:  # noqa: PLR1714 - twice as fast as a set
                append((name, tag, data[at:stop]))
            elif tag == 0x02 or 0x41 <= tag <= 0x43 or tag == 0x46:
                if length == 1 and data[at] < 0x80:
                    append((name, tag, data[at]))
                    at = outer
                    continue
                if 0 < length <= _INTEGER_OCTETS:
                    append((name, tag, from_bytes(data[at:stop], "big", signed=tag == 0x02)))
                else:
                    append((name, 0x05, None))  # no number: this cell is lost, not the reply
            elif tag == 0x40 or tag == 0x44:  # noqa: PLR1714
                append((name, tag, data[at:stop]))
            else:
                append((name, tag, None))
            at = outer
    except IndexError:
        raise BerError("it ends inside a variable binding") from None
    return found

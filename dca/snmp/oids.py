"""Object identifiers as BER content octets, and back to dotted text (X.690, 8.19).

The octets are what travels, compare fast and hash fast; text is for files and people.
"""

from __future__ import annotations

from functools import lru_cache

__all__ = ["arcs", "dotted", "oid"]

_ARC_MAX = 0xFFFFFFFF


@lru_cache(maxsize=4096)
def oid(text: str) -> bytes:
    """Return the content octets of a dotted OID; a leading dot is allowed.

    Raises:
        ValueError: not an OID of at least two arcs, each 0 to 2**32-1 (RFC 2578, 3.5).
    """
    try:
        numbers = [int(arc) for arc in text.strip().removeprefix(".").split(".")]
    except ValueError:
        raise ValueError(f"{text!r} is not a dotted OID, e.g. 1.3.6.1.2.1.1.1.0") from None
    if len(numbers) < 2 or not 0 <= numbers[0] <= 2 or (numbers[0] < 2 and numbers[1] > 39):
        raise ValueError(f"{text!r} does not begin like an OID (0.x, 1.x or 2.x)")
    if any(not 0 <= number <= _ARC_MAX for number in numbers):
        raise ValueError(f"{text!r} has an arc outside 0 to {_ARC_MAX}")
    return _encode((numbers[0] * 40 + numbers[1], *numbers[2:]))


def _encode(numbers: tuple[int, ...]) -> bytes:
    out = bytearray()
    for number in numbers:
        if number < 0x80:
            out.append(number)
            continue
        groups = [number & 0x7F]
        number >>= 7  # noqa: PLW2901 - the rest of the same arc
        while number:
            groups.append(number & 0x7F | 0x80)
            number >>= 7  # noqa: PLW2901
        out += bytes(reversed(groups))
    return bytes(out)


@lru_cache(maxsize=65536)
def arcs(octets: bytes) -> tuple[int, ...]:
    """Return the arcs in a piece of an OID's octets, such as the index after a column.

    A last arc that is cut off is left out; what came before stands.
    """
    found = []
    number = 0
    for octet in octets:
        number = number << 7 | octet & 0x7F
        if octet < 0x80:
            found.append(number)
            number = 0
    return tuple(found)


@lru_cache(maxsize=65536)
def dotted(octets: bytes) -> str:
    """Return the dotted text of an OID's content octets; "" for none."""
    numbers = arcs(octets)
    if not numbers:
        return ""
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))

"""Byte strings of records: id, 1, length, value; 0xFF ends them (Brother's maintenance and counter tables)."""

from __future__ import annotations

__all__ = ["record_percent", "records"]

_END = 0xFF
_MOST = 128
_PAIR = 2
_HUNDREDTHS = 10_000


def records(value: object) -> dict[int, bytes]:
    """Return the records of a byte string by id, the first of an id; what is cut off or out of step ends it."""
    found: dict[int, bytes] = {}
    if not isinstance(value, bytes):
        return found
    at = 0
    while at + 3 <= len(value) and value[at] != _END and len(found) < _MOST:
        size = value[at + 2]
        body = value[at + 3 : at + 3 + size]
        if value[at + 1] != 1 or not size or len(body) < size:
            break
        found.setdefault(value[at], body)
        at += 3 + size
    return found


def record_percent(body: bytes) -> float | None:
    """Return the percent that a record says: hundredths of it, or, in two octets, steps now and when full.

    One octet is a step, and no percent.
    """
    if len(body) < _PAIR:
        return None
    if len(body) == _PAIR:
        now, full = body
        return round(100 * now / full, 1) if full and now <= full else None
    number = int.from_bytes(body, "big")
    return number / 100 if number <= _HUNDREDTHS else None

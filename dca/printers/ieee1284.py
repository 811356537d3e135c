"""IEEE 1284 device IDs: ``MFG:HP;MDL:...;SN:...;`` as printers give them, which is loosely (IEEE 1284-2000, 7.6)."""

from __future__ import annotations

from functools import lru_cache

__all__ = ["device_id"]

_LONG = {
    "MANUFACTURE": "MFG",
    "MANUFACTURER": "MFG",
    "FG": "MFG",  # Brother: the first letter is a NUL
    "MODEL": "MDL",
    "CLASS": "CLS",
    "DESCRIPTION": "DES",
    "COMMAND SET": "CMD",
    "COMMANDSET": "CMD",
    "SERIALNUMBER": "SN",
    "SERN": "SN",
}


@lru_cache(maxsize=1024)
def device_id(text: str) -> dict[str, str]:
    """Return the parts of a device ID by their short keys (MFG, MDL, CLS, DES, SN, ...); the first of a key counts."""
    parts: dict[str, str] = {}
    for part in text.split(";"):
        key, colon, value = part.partition(":")
        key = key.strip().upper()
        value = value.strip()
        if colon and key and value:
            parts.setdefault(_LONG.get(key, key), value)
    return parts

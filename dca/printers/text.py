"""What a printer writes, made readable: any bytes in, clean text out, never an exception.

The order of decoding: UTF-16 by its mark or its NULs, the character set that the device announces
(prtLocalizationCharacterSet, IANA MIBenum), UTF-8, Latin-1; and code page 437 where Latin-1 would give controls.
"""

from __future__ import annotations

import codecs
from functools import lru_cache

__all__ = ["ROMAN8", "UTF8", "clean_text", "decode", "is_placeholder", "lines"]

UTF8 = 106
ROMAN8 = 2004
_CODECS = {
    **{mib: f"iso8859_{mib - 3}" for mib in range(4, 13)},
    13: "iso8859_10",
    17: "shift_jis",
    18: "euc_jp",
    38: "euc_kr",
    UTF8: "utf_8",
    109: "iso8859_13",
    111: "iso8859_15",
    113: "gbk",
    114: "gb18030",
    1000: "utf_16_be",
    1013: "utf_16_be",
    1014: "utf_16_le",
    1015: "utf_16_be",
    ROMAN8: "hp_roman8",
    2009: "cp850",
    2010: "cp852",
    2011: "cp437",
    2024: "cp932",
    2025: "gb2312",
    2026: "big5",
    2084: "koi8_r",
    2109: "cp874",
    **{mib: f"cp{mib - 1000}" for mib in range(2250, 2259)},
}
"""IANA MIBenum -> Python's name of the codec."""
_LINE_ENDS = "\n\v\f"
_PLACEHOLDERS = frozenset(
    {
        *("null", "none", "na", "unknown", "notavailable", "notset", "default", "tbd"),
        *("0123456789", "123456789", "1234567890", "1234567890000", "12345678"),
        *("nonumber", "empty", "undefined", "invalid"),
    }
)
_MAX_RAW = 4096


def clean_text(value: object, charset: int = 0, *, limit: int = 255) -> str:
    """Return the text of an OCTET STRING on one line, at most `limit` characters; "" for anything else."""
    if not isinstance(value, bytes) or not value:
        return ""
    if len(value) <= limit and value.isascii():
        plain = value.decode("ascii")
        if plain.isprintable() and "  " not in plain:
            return plain.strip()
    return _one_line(value[:_MAX_RAW], charset)[:limit].strip()


@lru_cache(maxsize=2048)
def _one_line(raw: bytes, charset: int) -> str:
    return _plain(_joined(decode(raw, charset)))


def lines(value: object, charset: int = 0, *, limit: int = 120) -> list[str]:
    """Return the lines of an OCTET STRING that hold anything, at most 16."""
    if not isinstance(value, bytes) or not value:
        return []
    found = _joined(decode(value[:_MAX_RAW], charset))
    for end in _LINE_ENDS[1:]:
        found = found.replace(end, "\n")
    kept = (_plain(line)[:limit].strip() for line in found.split("\n"))
    return [line for line in kept if line][:16]


def decode(raw: bytes, charset: int = 0) -> str:
    """Return the characters of `raw`, as the device most likely meant them; NULs at both ends are padding."""
    wide = _utf16(raw)
    if wide is not None:
        return wide
    raw = raw.strip(b"\0")
    if raw.isascii():
        return raw.decode("ascii")
    for name in (_CODECS.get(charset, "utf_8"), "utf_8"):
        try:
            return raw.decode(name)
        except ValueError:
            continue
    high = {octet for octet in raw if octet >= 0x80}  # noqa: PLR2004 - past ASCII
    if high == {0xFF} or any(octet < 0xA0 for octet in high):  # noqa: PLR2004 - Latin-1 has controls there
        return raw.decode("cp437")
    return raw.decode("latin_1")


def _utf16(raw: bytes) -> str | None:
    """Decode UTF-16 that shows itself by a byte order mark, or by every other octet being NUL."""
    name = ""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        name = "utf_16"
    elif raw.startswith(codecs.BOM_UTF8):
        raw, name = raw[3:], "utf_8"
    elif 0 in raw:
        core = raw.rstrip(b"\0")
        even, odd = core[::2], core[1::2]
        if len(odd) > 1 and not any(even) and 0 not in odd:
            raw, name = core, "utf_16_be"
        elif len(even) > 1 and odd and not any(odd) and 0 not in even:
            raw, name = core + b"\0" * (len(core) % 2), "utf_16_le"
    if not name:
        return None
    if name != "utf_8":
        raw = raw[: len(raw) // 2 * 2]
    try:
        return raw.decode(name).strip("\0")
    except ValueError:
        return None


def _joined(found: str) -> str:
    """Join words that were hyphenated at the end of a line; line ends become plain."""
    found = found.replace("\r\n", "\n").replace("\r", "\n")
    return found.replace("-\n", "") if "-\n" in found else found


def _plain(found: str) -> str:
    """Turn whatever prints nothing into blanks, and blanks into one."""
    if not found.isprintable():
        found = "".join(sign if sign.isprintable() else " " for sign in found)
    return " ".join(found.split())


def is_placeholder(serial: str) -> bool:
    """Tell whether a serial number is only what stands where one should be."""
    bare = "".join(sign for sign in serial.lower() if sign.isalnum())
    return len(set(bare)) <= 1 or bare in _PLACEHOLDERS or not bare.strip("0")

"""One entry of the audit log: how it is written, hashed, and read back without believing it.

An entry is one line of JSON. Its hash is the SHA-256 of its canonical form: everything but the hash itself, keys
sorted, no spaces, UTF-8. That includes the hash of the entry before it.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LONGEST", "START", "Entry", "make_entry", "read_entry"]

START = "0" * 64
"""Stands for the hash of the entry before the first."""
LONGEST = 128 * 1024
"""Bytes of a line; the limits below keep every entry under it."""
_MOST_TEXT = 1000
_MOST_WORD = 128
_MOST_DETAILS = 24
_MOST_NAME = 40
_MOST_VALUE = 500
_HASH = re.compile(r"[0-9a-f]{64}")
_FIELDS = ("n", "at", "what", "who", "text", "details", "prev", "hash")


@dataclass(frozen=True)
class Entry:
    """What happened once."""

    n: int
    """Counts from 1."""
    at: str
    """UTC, e.g. ``2026-11-25T12:00:00.123Z``, by the machine's clock."""
    what: str
    """The kind of event for programs, e.g. ``task_decided``."""
    who: str
    """``agent``, ``hub:NAME`` or ``local:USER``."""
    text: str
    """The same for people."""
    details: Mapping[str, str]
    prev: str
    """The hash of the entry before."""
    hash: str
    """SHA-256 of the canonical form, hex."""

    def fields(self) -> dict[str, Any]:
        """Return it as JSON has it, in the order for people."""
        return {name: getattr(self, name) for name in _FIELDS}

    def line(self) -> bytes:
        """Return it as it stands in the file, without the line end."""
        return json.dumps(self.fields(), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def make_entry(
    last: Entry | None, now: float, what: str, text: str, *, who: str, details: Mapping[str, str] | None = None
) -> Entry:
    """Make the entry that follows `last`; `now` is in Unix seconds.

    Texts are cut to their lengths, and characters that do not print become spaces.
    """
    moment = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
    fields: dict[str, Any] = {
        "n": last.n + 1 if last else 1,
        "at": moment.replace("+00:00", "Z"),
        "what": _clean(what, _MOST_WORD),
        "who": _clean(who, _MOST_WORD),
        "text": _clean(text, _MOST_TEXT),
        "details": {
            _clean(name, _MOST_NAME): _clean(value, _MOST_VALUE)
            for name, value in list((details or {}).items())[:_MOST_DETAILS]
        },
        "prev": last.hash if last else START,
    }
    return Entry(**fields, hash=_digest(fields))


def read_entry(line: bytes) -> Entry:
    """Read a line (without its end), and check its hash; whether it follows another is not looked at.

    Raises ValueError saying what is wrong.
    """
    try:
        found = json.loads(line) if len(line) <= LONGEST else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or set(found) != set(_FIELDS) or not _typed(found):
        raise ValueError("is no entry of an audit log")
    entry = Entry(**found)
    given = found.pop("hash")
    if _digest(found) != given:
        raise ValueError("was changed: its hash does not fit what it says")
    if entry.line() != line:  # the same content in other bytes, e.g. a key twice
        raise ValueError("is not written as an entry is")
    return entry


def _typed(found: dict[str, Any]) -> bool:
    details, hashes = found["details"], (found["prev"], found["hash"])
    return (
        type(found["n"]) is int
        and all(isinstance(found[name], str) for name in ("at", "what", "who", "text"))
        and isinstance(details, dict)
        and all(isinstance(value, str) for value in details.values())
        and all(isinstance(value, str) and _HASH.fullmatch(value) for value in hashes)
    )


def _digest(fields: Mapping[str, Any]) -> str:
    canonical = json.dumps(fields, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def _clean(text: str, most: int) -> str:
    text = text if len(text) <= most else text[: most - 1] + "…"
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)

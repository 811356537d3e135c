"""What a profile may do to a text before it is used, by name; a chain is ``["after:SN:", "until:,"]``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from dca.printers.ieee1284 import device_id
from dca.printers.text import ROMAN8, UTF8, clean_text

__all__ = ["NAMES", "Transform", "chain"]

Transform: TypeAlias = Callable[[object, int], str]
"""(value as it came, announced character set) -> text, "" for nothing."""
_Step: TypeAlias = Callable[[str], str]
_PML = {0x0115: ROMAN8, 0xFDE8: UTF8}
_PART_SIGNS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-/")


def _pml(value: object, charset: int) -> str:
    """Take off the two octets before HP PML texts that name their character set."""
    if isinstance(value, bytes) and len(value) > 1:
        code = int.from_bytes(value[:2], "big")
        if code in _PML or value[0] in (0, 1):
            return clean_text(value[2:], _PML.get(code, charset))
    return clean_text(value, charset)


def _after(argument: str) -> _Step:
    return lambda found: found.partition(argument)[2].strip()


def _before(argument: str) -> _Step:
    return lambda found: found.partition(argument)[0].strip() if argument in found else ""


def _until(argument: str) -> _Step:
    return lambda found: found.partition(argument)[0].strip()


def _key(argument: str) -> _Step:
    return lambda found: device_id(found).get(argument.upper(), "")


def _word(argument: str) -> _Step:
    at = int(argument)

    def word(found: str) -> str:
        words = found.split()
        return words[at] if -len(words) <= at < len(words) else ""

    return word


def _drop_last_word(_: str) -> _Step:
    return lambda found: found.rpartition(" ")[0]


def _version(_: str) -> _Step:
    """Take the figures and dots at the beginning, without a V before them."""

    def version(found: str) -> str:
        bare = found.removeprefix("V").removeprefix("v")
        size = next((at for at, sign in enumerate(bare) if sign not in "0123456789."), len(bare))
        return bare[:size].strip(".")

    return version


def _part(_: str) -> _Step:
    """Let through what looks like a part number: capitals and digits, with a digit, 3 to 24 of them."""

    def part(found: str) -> str:
        fits = 3 <= len(found) <= 24 and _PART_SIGNS.issuperset(found) and any(map(str.isdigit, found))  # noqa: PLR2004
        return found if fits else ""

    return part


_STEPS: dict[str, Callable[[str], _Step]] = {
    "after": _after,
    "before": _before,
    "until": _until,
    "key": _key,
    "word": _word,
    "drop_last_word": _drop_last_word,
    "version": _version,
    "part": _part,
}
NAMES = (
    "pml",
    *(f"{name}:TEXT" for name in ("after", "before", "until", "key")),
    "word:N",
    "drop_last_word",
    "version",
    "part",
)


def chain(names: list[str]) -> Transform:
    """Return the transform that does all of these in turn; without any, the value's plain text.

    Raises:
        ValueError: one of them is unknown, lacks its argument, or ``pml`` is not the first.
    """
    first: Transform = clean_text
    steps: list[_Step] = []
    for position, name in enumerate(names):
        word, colon, argument = name.partition(":")
        if word == "pml" and not colon and position == 0:
            first = _pml
        elif word in _STEPS and bool(argument) == (word in ("after", "before", "until", "key", "word")):
            if word == "word":
                int(argument)
            steps.append(_STEPS[word](argument))
        else:
            raise ValueError(f"{name!r} is no transform")
    if not steps:
        return first

    def run(value: Any, charset: int) -> str:
        found = first(value, charset)
        for step in steps:
            found = step(found) if found else ""
        return found

    return run

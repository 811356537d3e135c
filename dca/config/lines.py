r"""On which line of a TOML text each key stands.

tomllib gives values without their places. This scanner goes over a text that tomllib has already
taken, so it decides nothing and only counts: tables, arrays of tables, dotted and quoted keys,
inline tables, arrays, and strings over several lines.
"""

from __future__ import annotations

import bisect
import re
import tomllib
from typing import TypeAlias

from dca.config.kinds import Step

__all__ = ["Lines", "line_of", "scan"]

Path: TypeAlias = tuple[Step, ...]
Lines: TypeAlias = dict[Path, int]
"""1-based line by place; list positions count from 0."""

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_INDENT = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}'  # up to two quotes may touch the closing three
    r"|'''(?:[^']|'{1,2}(?!'))*'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_PLAIN = re.compile(r"[^,\]}#\n]*")


def line_of(lines: Lines, place: Path) -> int | None:
    """Return the line of a place, else of the nearest place around it that has one."""
    for length in range(len(place), 0, -1):
        line = lines.get(place[:length])
        if line is not None:
            return line
    return None


def scan(text: str) -> Lines:
    """Return the line of every key, table and list item of a valid TOML text."""
    return _Scanner(text).run()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self.lines: Lines = {}
        self.counts: dict[Path, int] = {}
        """How many tables each array of tables has so far."""

    def run(self) -> Lines:
        """Go over the whole text."""
        table: Path = ()
        self._skip(_BLANK)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)
        return self.lines

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self.text, self.at)
        assert match is not None
        self.at = match.end()

    def _note(self, place: Path, offset: int) -> None:
        self.lines.setdefault(place, bisect.bisect_right(self.starts, offset))

    def _header(self) -> Path:
        start = self.at
        array = self.text.startswith("[[", self.at)
        self.at += 2 if array else 1
        names = self._key()
        self.at = self.text.index("]", self.at) + (2 if array else 1)
        around: Path = ()
        for name in names[:-1]:
            around = self._step(around, name, start)
        if not array:
            return self._step(around, names[-1], start)
        place = (*around, names[-1])
        self._note(place, start)
        number = self.counts.get(place, 0)
        self.counts[place] = number + 1
        self._note((*place, number), start)
        return (*place, number)

    def _step(self, around: Path, name: str, offset: int) -> Path:
        """Go one name down; in an array of tables that is its last table."""
        place = (*around, name)
        self._note(place, offset)
        return (*place, self.counts[place] - 1) if place in self.counts else place

    def _key(self) -> list[str]:
        names: list[str] = []
        while True:
            self._skip(_INDENT)
            quoted = self.text[self.at] in "\"'"
            match = (_STRING if quoted else _BARE_KEY).match(self.text, self.at)
            assert match is not None
            self.at = match.end()
            # tomllib itself undoes the escapes of a quoted key.
            names.append(str(tomllib.loads(f"k = {match[0]}")["k"]) if quoted else match[0])
            self._skip(_INDENT)
            if not self.text.startswith(".", self.at):
                return names
            self.at += 1

    def _pair(self, table: Path) -> None:
        start = self.at
        place = table
        for name in self._key():
            place = (*place, name)
            self._note(place, start)
        self.at += 1  # the equals sign
        self._skip(_INDENT)
        self._value(place)

    def _value(self, place: Path) -> None:
        first = self.text[self.at]
        if first == "[":
            self._items(place)
        elif first == "{":
            self._inline(place)
        else:
            self._skip(_STRING if first in "\"'" else _PLAIN)

    def _items(self, place: Path) -> None:
        self.at += 1
        number = 0
        while self._more("]"):
            self._note((*place, number), self.at)
            self._value((*place, number))
            number += 1

    def _inline(self, place: Path) -> None:
        self.at += 1
        while self._more("}"):
            self._pair(place)

    def _more(self, closing: str) -> bool:
        """Go to the next item, or past the closing bracket and say that there is none."""
        self._skip(_BLANK)
        if self.text[self.at] == ",":
            self.at += 1
            self._skip(_BLANK)
        if self.text[self.at] == closing:
            self.at += 1
            return False
        return True

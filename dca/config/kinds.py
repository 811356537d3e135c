"""Kinds of values: what a key of the config file may hold, and how it is read, worded and written.

A kind has no opinion about defaults and reasons: those stand with the key (`dca.config.table`).
"""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = [
    "BadValueError",
    "Choice",
    "Context",
    "FilePath",
    "Flag",
    "Kind",
    "ListOf",
    "Step",
    "Text",
    "Whole",
    "nearest",
    "type_name",
]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Step = str | int


class BadValueError(ValueError):
    """A value is not what its key allows: one message per spot, spots relative to the value."""

    def __init__(self, message: str, at: tuple[Step, ...] = ()) -> None:
        super().__init__(message)
        self.found: list[tuple[tuple[Step, ...], str]] = [(at, message)]

    @classmethod
    def of(cls, found: list[tuple[tuple[Step, ...], str]]) -> BadValueError:
        """Make one of several messages, at least one."""
        error = cls(found[0][1])
        error.found = found
        return error


@dataclass(frozen=True)
class Context:
    """What a value may refer to: the environment, and the folder that relative paths start from."""

    environ: Mapping[str, str] = field(repr=False)
    folder: Path
    follow: bool = True
    """Look up secrets and look into files; without it a secret is empty."""


class Kind(Protocol[T_co]):
    """How one sort of value is read (from what tomllib gave), worded and written."""

    @property
    def allowed(self) -> str:
        """What may stand there, in words, e.g. "a whole number from 1 to 10"."""

    def parse(self, raw: object, context: Context) -> T_co:
        """Return the value. Raises BadValueError."""


def type_name(raw: object) -> str:
    """Name the TOML type of a value that tomllib gave; never the value, which may be a secret."""
    names = {bool: "true or false", str: "a text", int: "a number", float: "a number", list: "a list", dict: "a table"}
    return names.get(type(raw), "a date or time")


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is most like `word`, or None when none is near."""
    found = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return found[0] if found else None


@dataclass(frozen=True)
class Flag:
    """A boolean."""

    @property
    def allowed(self) -> str:
        """Word it."""
        return "true or false"

    def parse(self, raw: object, context: Context) -> bool:  # noqa: ARG002 - the kind's common signature
        """Return the boolean."""
        if not isinstance(raw, bool):
            raise BadValueError(f"is {type_name(raw)}; allowed is true or false, without quotes")
        return raw


@dataclass(frozen=True)
class Whole:
    """A whole number within bounds, both included."""

    least: int
    most: int

    @property
    def allowed(self) -> str:
        """Word it."""
        return f"a whole number from {self.least} to {self.most}"

    def parse(self, raw: object, context: Context) -> int:  # noqa: ARG002 - the kind's common signature
        """Return the number."""
        if not isinstance(raw, int) or isinstance(raw, bool):
            raise BadValueError(f"is {type_name(raw)}; allowed is {self.allowed}, without quotes")
        if not self.least <= raw <= self.most:
            raise BadValueError(f"is {raw}; allowed is {self.allowed}")
        return raw


@dataclass(frozen=True)
class Text:
    """A text of one line within a length, optionally of a certain form."""

    most: int = 255
    least: int = 1
    form: str = ""
    """Regular expression of the whole text; `words` says it to people."""
    words: str = ""
    named: str = ""
    """Words that stand for all of it, where another rule decides in the end."""

    @property
    def allowed(self) -> str:
        """Word it."""
        return (
            self.named or f"a text of {self.least} to {self.most} characters{', ' + self.words if self.words else ''}"
        )

    def parse(self, raw: object, context: Context) -> str:  # noqa: ARG002 - the kind's common signature
        """Return the text."""
        if not isinstance(raw, str):
            raise BadValueError(f"is {type_name(raw)}; allowed is {self.allowed}")
        if not self.least <= len(raw) <= self.most or not raw.isprintable() or raw != raw.strip():
            raise BadValueError(f"is no text that can stand here; allowed is {self.allowed}, no control characters")
        if self.form and not re.fullmatch(self.form, raw):
            raise BadValueError(f"{json.dumps(raw)} has another form; allowed is {self.allowed}")
        return raw


@dataclass(frozen=True)
class Choice(Generic[T]):
    """One of a few words."""

    options: Mapping[str, T]

    @property
    def allowed(self) -> str:
        """Word it."""
        return "one of " + ", ".join(json.dumps(word) for word in self.options)

    def parse(self, raw: object, context: Context) -> T:  # noqa: ARG002 - the kind's common signature
        """Return what the word stands for."""
        if not isinstance(raw, str):
            raise BadValueError(f"is {type_name(raw)}; allowed is {self.allowed}")
        if raw not in self.options:
            near = nearest(raw, self.options)
            meant = f" (meant {json.dumps(near)}?)" if near else ""
            raise BadValueError(f"{json.dumps(raw)[:60]} is not known{meant}; allowed is {self.allowed}")
        return self.options[raw]


@dataclass(frozen=True)
class FilePath:
    """A path; a relative one starts at the folder of the config file, for a service has no folder of its own."""

    @property
    def allowed(self) -> str:
        """Word it."""
        return "a path; a relative one starts at the folder of this file"

    def parse(self, raw: object, context: Context) -> Path:
        """Return the absolute path; whether it exists is the user's of the key to ask."""
        if not isinstance(raw, str) or not raw or not raw.isprintable():
            raise BadValueError(f"is {type_name(raw) if raw else 'empty'}; allowed is {self.allowed}")
        if raw.startswith("~"):
            raise BadValueError("begins with ~, which a service cannot follow; write the whole path")
        return (context.folder / raw).absolute()


@dataclass(frozen=True)
class ListOf(Generic[T]):
    """A list; each item that is wrong is told on its own line."""

    item: Kind[T]
    most: int
    least: int = 0

    @property
    def allowed(self) -> str:
        """Word it."""
        return f"a list of {self.least} to {self.most}, each {self.item.allowed}"

    def parse(self, raw: object, context: Context) -> tuple[T, ...]:
        """Return the items in their order."""
        if not isinstance(raw, list):
            raise BadValueError(f"is {type_name(raw)}; allowed is {self.allowed}, in [ ]")
        if not self.least <= len(raw) <= self.most:
            raise BadValueError(f"has {len(raw)} items; allowed is {self.allowed}")
        good: list[T] = []
        bad: list[tuple[tuple[Step, ...], str]] = []
        for index, item in enumerate(raw):
            try:
                good.append(self.item.parse(item, context))
            except BadValueError as error:
                bad += [((index, *at), message) for at, message in error.found]
        if bad:
            raise BadValueError.of(bad)
        return tuple(good)

"""One declaration for each key: its kind, default, unit and reason, as a field of a frozen dataclass.

Reading, ``dca config example`` and the table in docs/configuration.md all go by it::

    @dataclass(frozen=True)
    class LimitsConfig:
        retries: int = key(Whole(0, 10), default=2, why="...")
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from dca.config.kinds import BadValueError, Context, Kind, Step, nearest, type_name

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Key", "Place", "Problems", "key", "keys_of", "read_table", "read_values", "required"]

T = TypeVar("T")
_KEY = "dca.config.key"


@dataclass(frozen=True)
class Key:
    """What is declared of one key."""

    name: str
    kind: Kind[Any]
    why: str
    """What it is for and why its default and bounds are what they are; one or two sentences."""
    required: bool
    default: Any
    """The value when the key is absent; None: there is none, or `otherwise` says what comes instead."""
    otherwise: str
    """In words, what comes instead of a default."""
    unit: str
    sample: str
    """TOML of a value for the example, where the default cannot show how one is written."""


def key(  # the signature says what a declaration may hold
    kind: Kind[T], *, why: str, default: T | None = None, otherwise: str = "", unit: str = "", sample: str = ""
) -> Any:
    """Declare a key that may be absent."""
    entry = Key("", kind, why, required=False, default=default, otherwise=otherwise, unit=unit, sample=sample)
    return field(default=default, metadata={_KEY: entry})


def required(kind: Kind[Any], *, why: str, unit: str = "", sample: str = "") -> Any:
    """Declare a key that must be there."""
    entry = Key("", kind, why, required=True, default=None, otherwise="", unit=unit, sample=sample)
    return field(metadata={_KEY: entry})


def keys_of(section: type[Any]) -> dict[str, Key]:
    """Return the keys that a section declares, in their order."""
    return {
        item.name: dataclasses.replace(item.metadata[_KEY], name=item.name)
        for item in dataclasses.fields(section)
        if _KEY in item.metadata
    }


@dataclass
class Problems:
    """What was found wrong so far, by place."""

    found: list[tuple[tuple[Step, ...], str]] = field(default_factory=list)

    def add(self, place: tuple[Step, ...], message: str) -> None:
        """Note one."""
        self.found.append((place, message))


@dataclass(frozen=True)
class Place:
    """Where in the file something stands, and where problems with it go."""

    path: tuple[Step, ...]
    problems: Problems
    context: Context
    homes: Mapping[str, str] = field(default_factory=dict)
    """For each key of the whole file, a table that has it: for the one written into the wrong table."""

    def child(self, *steps: Step) -> Place:
        """Return a place below this one."""
        return dataclasses.replace(self, path=(*self.path, *steps))

    def fail(self, message: str, *steps: Step) -> None:
        """Note a problem here, or below here."""
        self.problems.add((*self.path, *steps), message)


def read_table(section: type[T], table: object, place: Place, *, also: frozenset[str] = frozenset()) -> T | None:
    """Read a table by its declaration; None when something in it is wrong (all of it is noted).

    `also` names the tables below this one, which somebody else reads.
    """
    before = len(place.problems.found)
    values = read_values(section, table, place, also=also)
    return section(**values) if len(place.problems.found) == before else None


def read_values(
    section: type[Any], table: object, place: Place, *, also: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Return those values of a table that are right; what is wrong with the others is noted."""
    if not isinstance(table, dict):
        place.fail(f"is {type_name(table)}; allowed is a table of keys and values")
        return {}
    keys = keys_of(section)
    for name in table:
        if name not in keys and name not in also:
            place.fail(_unknown(name, [*keys, *also], place), name)
    values: dict[str, Any] = {}
    for name, entry in keys.items():
        if name in table:
            try:
                values[name] = entry.kind.parse(table[name], place.context)
            except BadValueError as error:
                for at, message in error.found:
                    place.fail(message, name, *at)
        elif entry.required:
            place.fail(f"is missing; needed is {entry.kind.allowed}", name)
    return values


def _unknown(name: str, known: list[str], place: Place) -> str:
    near = nearest(name, known)
    if near:
        return f"is not known here; meant {near}?"
    home = place.homes.get(name)
    if home:
        return f"is not known here; it belongs into {home}"
    return f"is not known here; known are {', '.join(known)}"

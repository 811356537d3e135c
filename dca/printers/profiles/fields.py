"""Checked access to a profile's TOML: each problem names the file, the key and what is allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dca.errors import ProfileError
from dca.printers.never import is_forbidden, is_walk_forbidden
from dca.printers.profiles.transforms import NAMES, Transform, chain
from dca.snmp.oids import dotted, oid

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["Fields"]


class Fields:
    """One table of the file; `done()` at the end finds keys that nobody asked for."""

    def __init__(self, file: str, where: str, table: Mapping[str, Any]) -> None:
        self._file = file
        self._where = where
        self._table = table
        self._known: set[str] = set()

    def wrong(self, key: str, allowed: str) -> ProfileError:
        """Return the error that says what the key may hold."""
        where = f"{self._where}.{key}" if self._where else key
        return ProfileError(f"{self._file}: {where} must be {allowed}, not {self._table.get(key)!r}")

    def done(self) -> None:
        """Check that every key was one of those asked for.

        Raises:
            ProfileError: the table has others.
        """
        unknown = sorted(set(self._table) - self._known)
        if unknown:
            known = ", ".join(sorted(self._known))
            where = f" in {self._where}" if self._where else ""
            raise ProfileError(f"{self._file}: unknown key {unknown[0]!r}{where}; allowed are {known}")

    def _take(self, key: str, kind: type, allowed: str, default: Any) -> Any:
        self._known.add(key)
        value = self._table.get(key, default)
        if value is None or type(value) is not kind:
            raise self.wrong(key, allowed)
        return value

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text; without a default it must be there and not be empty."""
        value: str = self._take(key, str, "a text", default)
        if default is None and not value.strip():
            raise self.wrong(key, "a text")
        return value

    def flag(self, key: str) -> bool:
        """Return true or false; false when it is not there."""
        value: bool = self._take(key, bool, "true or false", default=False)
        return value

    def number(self, key: str, default: int, most: int) -> int:
        """Return a whole number from 0 to `most`."""
        value: int = self._take(key, int, f"a whole number from 0 to {most}", default)
        if not 0 <= value <= most:
            raise self.wrong(key, f"a whole number from 0 to {most}")
        return value

    def choice(self, key: str, allowed: Collection[str], default: str | None = None) -> str:
        """Return one of the texts that are allowed."""
        value = self.text(key, default)
        if value not in allowed:
            raise self.wrong(key, "one of " + ", ".join(repr(word) for word in allowed))
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts; none when it is not there."""
        values = self._take(key, list, "a list of texts", [])
        if any(type(value) is not str or not value for value in values):
            raise self.wrong(key, "a list of texts that are not empty")
        return tuple(values)

    def pairs(self, key: str) -> dict[str, str]:
        """Return a table of texts; none when it is not there."""
        values = self._take(key, dict, "a table of texts", {})
        if any(type(value) is not str or not value for value in values.values()):
            raise self.wrong(key, "a table of texts that are not empty")
        return dict(values)

    def numbered(self, key: str, base: int, allowed: Collection[str]) -> dict[int, str]:
        """Return a table of numbers (its keys, written to `base`) and the words allowed for them."""
        found: dict[int, str] = {}
        for number, word in self.pairs(key).items():
            try:
                code = int(number, base)
            except ValueError:
                raise self.wrong(key, f"a table whose keys are numbers to base {base}") from None
            if allowed and word not in allowed:
                raise self.wrong(key, "a table of numbers and one of " + ", ".join(allowed))
            found[code] = word
        return found

    def oid(self, key: str, *, needed: bool = True) -> bytes:
        """Return a scalar's octets; b"" when it is not there and need not be."""
        value = self.text(key, None if needed else "")
        return self._octets(key, value) if value else b""

    def oids(self, key: str) -> tuple[bytes, ...]:
        """Return the octets of several scalars."""
        return tuple(self._octets(key, value) for value in self.texts(key))

    def column(self, key: str, *, walked: bool, needed: bool = True) -> bytes:
        """Return a column's octets; one that is walked must not have anything forbidden behind it."""
        octets = self.oid(key, needed=needed)
        if walked and octets and is_walk_forbidden(octets):
            raise self.wrong(
                key, "a column with nothing behind it that is never read; give `rows`, so that it is asked"
            )
        return octets

    def prefixes(self, key: str) -> tuple[str, ...]:
        """Return OIDs as plain dotted texts."""
        values = self.texts(key)
        try:
            return tuple(dotted(oid(value)) for value in values)
        except ValueError as error:
            raise self.wrong(key, f"a list of dotted OIDs ({error})") from error

    def transform(self, key: str) -> Transform:
        """Return the chain of transforms that the key names."""
        names = self.texts(key)
        try:
            return chain(list(names))
        except ValueError as error:
            raise self.wrong(key, f"a list of {', '.join(NAMES)} ({error})") from error

    def tables(self, key: str) -> list[Fields]:
        """Return the tables of an array; none when it is not there."""
        values = self._take(key, list, "an array of tables", [])
        if any(not isinstance(value, dict) for value in values):
            raise self.wrong(key, "an array of tables")
        where = f"{self._where}.{key}" if self._where else key
        return [Fields(self._file, f"{where}[{number}]", value) for number, value in enumerate(values)]

    def table(self, key: str) -> Fields:
        """Return a table within this one; an empty one when it is not there."""
        where = f"{self._where}.{key}" if self._where else key
        return Fields(self._file, where, self._take(key, dict, "a table", {}))

    def _octets(self, key: str, value: str) -> bytes:
        try:
            octets = oid(value)
        except ValueError as error:
            raise self.wrong(key, f"a dotted OID ({error})") from error
        if is_forbidden(octets):
            raise self.wrong(key, "an object that may be read: this one never is (see docs/readings.md)")
        return octets

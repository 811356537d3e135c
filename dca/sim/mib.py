"""The MIB tree of a model, shared by all its devices, and one device's view of it.

The tree is sorted by arcs, not by octets: BER octets order like arcs only below 128.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from dca.sim.cells import Cell, Keep, Stands, encode, varbind
from dca.snmp.oids import arcs, oid

if TYPE_CHECKING:
    from collections.abc import Callable

    from dca.sim.state import State

__all__ = ["Builder", "Shape", "View"]

Rows = list[tuple[bytes, bytes]]
"""(OID octets, varbind) of a table whose rows come and go."""


class Shape:
    """The instances of a model in order, with the varbinds that stand already built."""

    __slots__ = ("items", "keys", "names", "objects", "places", "rows", "rows_at")

    def __init__(
        self, items: dict[bytes, Stands | Cell], objects: frozenset[bytes], prefix: str, rows: _RowsOf
    ) -> None:
        self.names = sorted(items, key=arcs)
        self.keys = [arcs(name) for name in self.names]
        self.places = {name: place for place, name in enumerate(self.names)}
        self.items: list[bytes | Cell] = []
        for name in self.names:
            item = items[name]
            self.items.append(varbind(name, item.value) if isinstance(item, Stands) else item)
        self.objects = objects
        self.rows = rows
        self.rows_at = bisect_left(self.keys, arcs(oid(prefix)))
        """The place before which the rows that come and go stand, all of them together."""


class Builder:
    """Collects a model's instances; the same instance given again replaces the first."""

    def __init__(self) -> None:
        self._items: dict[bytes, Stands | Cell] = {}
        self._objects: set[bytes] = set()
        self._prefix = "2.0"
        self._rows: _RowsOf = _no_rows

    def scalar(self, dotted: str, item: Stands | Cell) -> None:
        """Add a scalar object's one instance."""
        self.cell(dotted, 0, item)

    def cell(self, column: str, index: int | str, item: Stands | Cell) -> None:
        """Add the instance of a column in the row `index` (its arcs, dotted)."""
        self._objects.add(oid(column))
        self._items[oid(f"{column}.{index}")] = item

    def row(self, entry: str, index: int | str, columns: dict[int, Stands | Cell]) -> None:
        """Add a row of the table whose entry is `entry`."""
        for column, item in columns.items():
            self.cell(f"{entry}.{column}", index, item)

    def moving_rows(self, entry: str, columns: tuple[int, ...], rows: _RowsOf) -> None:
        """Take the table `entry` from the state each time: nothing else may stand below it."""
        self._objects.update(oid(f"{entry}.{column}") for column in columns)
        self._prefix, self._rows = entry, rows

    def shape(self) -> Shape:
        """Return the tree."""
        return Shape(self._items, frozenset(self._objects), self._prefix, self._rows)


class View:
    """One device's tree. What is built from its state is kept until the state changes."""

    __slots__ = ("_ever", "_kept", "_row_keys", "_rows", "_shape", "_state", "_version")

    def __init__(self, shape: Shape, state: State) -> None:
        self._shape = shape
        self._state = state
        self._version = -1
        self._ever: dict[int, bytes] = {}
        self._kept: dict[int, bytes | None] = {}
        self._rows: Rows = []
        self._row_keys: list[tuple[int, ...]] = []

    def get(self, name: bytes) -> bytes | None:
        """Return the varbind of an instance, or None where there is none."""
        place = self._shape.places.get(name)
        if place is not None:
            return self._at(place)
        self._refresh()
        return next((bound for row, bound in self._rows if row == name), None)

    def has_object(self, name: bytes) -> bool:
        """Tell whether the object of an instance exists, though this instance may not (RFC 3416, 4.2.1)."""
        objects = self._shape.objects
        return any(name[:cut] in objects for cut in range(len(name), 4, -1))

    def after(self, name: bytes) -> tuple[bytes, bytes] | None:
        """Return the next instance (its OID octets, its varbind), or None at the end."""
        shape = self._shape
        place = shape.places.get(name)
        if place is None:
            place = bisect_right(shape.keys, arcs(name))
            if place == shape.rows_at:
                self._refresh()
                row = bisect_right(self._row_keys, arcs(name))
                if row < len(self._rows):
                    return self._rows[row]
            return self._from(place)
        place += 1
        if place == shape.rows_at:
            self._refresh()
            if self._rows:
                return self._rows[0]
        return self._from(place)

    def _from(self, place: int) -> tuple[bytes, bytes] | None:
        shape = self._shape
        while place < len(shape.items):
            bound = self._at(place)
            if bound is not None:
                return shape.names[place], bound
            place += 1
            if place == shape.rows_at:
                self._refresh()
                if self._rows:
                    return self._rows[0]
        return None

    def _at(self, place: int) -> bytes | None:
        item = self._shape.items[place]
        if isinstance(item, bytes):
            return item
        if self._version != self._state.version:
            self._refresh()
        if place in self._ever:
            return self._ever[place]
        if place in self._kept:
            return self._kept[place]
        value = item.read(self._state)
        bound = None if value is None else varbind(self._shape.names[place], encode(item.tag, value))
        if item.keep is Keep.EVER and bound is not None:
            self._ever[place] = bound
        elif item.keep is Keep.CHANGE:
            self._kept[place] = bound
        return bound

    def _refresh(self) -> None:
        if self._version == self._state.version:
            return
        self._version = self._state.version
        self._kept.clear()
        self._rows = sorted(self._shape.rows(self._state), key=lambda row: arcs(row[0]))
        self._row_keys = [arcs(name) for name, _ in self._rows]


def _no_rows(_state: State) -> Rows:
    return []


if TYPE_CHECKING:
    _RowsOf = Callable[[State], Rows]

"""The range tables: entries that can be read, within bounds, with credentials that exist."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dca.config.kinds import nearest
from dca.config.sections import RangeKeys
from dca.config.table import Place, read_values
from dca.model import Credential, Range
from dca.net.rangespec import read_range

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["read_ranges"]


def read_ranges(
    tables: Sequence[object], credentials: Mapping[str, Credential | None], place: Place
) -> tuple[Range, ...]:
    """Read ``[[range]]``; those that are wrong are left out (all of it is noted)."""
    ranges: list[Range] = []
    labels: set[str] = set()
    for index, table in enumerate(tables):
        spot = place.child(index)
        before = len(place.problems.found)
        values = read_values(RangeKeys, table, spot)
        # A wrong value hides nothing else that is wrong: what can be read is looked at all the same.
        label = values.get("label")
        if label in labels:
            spot.fail(f"{json.dumps(label)} is the label of an earlier range; each has its own", "label")
        if label is not None:
            labels.add(label)
        include, exclude, names = (_items(key, table, values, spot) for key in ("include", "exclude", "credentials"))
        for fault in read_range(list(include.values()), list(exclude.values()))[1]:
            places = list(include if fault.field == "include" else exclude)
            spot.fail(fault.message, fault.field, *(() if fault.index is None else (places[fault.index],)))
        named = _named(names, credentials, spot)
        if len(place.problems.found) == before:
            keys = RangeKeys(**values)
            ranges.append(Range(keys.label, keys.include, keys.exclude, named, keys.port, keys.enabled))
    return tuple(ranges)


def _items(name: str, table: object, values: Mapping[str, Any], place: Place) -> dict[int, str]:
    """Return a list's items by their index; of a list with wrong items those that are right."""
    if name in values:
        return dict(enumerate(values[name]))
    depth = len(place.path) + 1
    wrong = {path[depth] for path, _ in place.problems.found if path[:depth] == (*place.path, name) and path[depth:]}
    if not wrong or not isinstance(table, dict):
        return {}
    return {index: item for index, item in enumerate(table[name]) if index not in wrong}


def _named(
    names: Mapping[int, str], credentials: Mapping[str, Credential | None], place: Place
) -> tuple[Credential, ...]:
    named: list[Credential] = []
    seen: set[str] = set()
    for index, name in names.items():
        if name not in credentials:
            near = nearest(name, credentials)
            known = f"meant {json.dumps(near)}?" if near else "known are: " + (", ".join(credentials) or "none yet")
            place.fail(f"no credential is called {json.dumps(name)}; {known}", "credentials", index)
        elif name in seen:
            place.fail(f"{json.dumps(name)} stands there twice", "credentials", index)
        else:
            credential = credentials[name]
            if credential is not None:
                named.append(credential)
        seen.add(name)
    return tuple(named)

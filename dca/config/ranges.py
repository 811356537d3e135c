"""The range tables: entries that can be read, within bounds, with credentials that exist."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dca.config.kinds import nearest
from dca.config.sections import RangeKeys
from dca.config.table import Place, read_table
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
        keys = read_table(RangeKeys, table, spot)
        if keys is None:
            continue
        if keys.label in labels:
            spot.fail(f"{json.dumps(keys.label)} is the label of an earlier range; each has its own", "label")
        labels.add(keys.label)
        for fault in read_range(keys.include, keys.exclude)[1]:
            spot.fail(fault.message, fault.field, *(() if fault.index is None else (fault.index,)))
        ranges.append(_range(keys, credentials, spot))
    return tuple(ranges)


def _range(keys: RangeKeys, credentials: Mapping[str, Credential | None], place: Place) -> Range:
    named: list[Credential] = []
    for index, name in enumerate(keys.credentials):
        if name not in credentials:
            near = nearest(name, credentials)
            known = f"meant {json.dumps(near)}?" if near else "known are: " + (", ".join(credentials) or "none yet")
            place.fail(f"no credential is called {json.dumps(name)}; {known}", "credentials", index)
        elif name in keys.credentials[:index]:
            place.fail(f"{json.dumps(name)} stands there twice", "credentials", index)
        else:
            credential = credentials[name]
            if credential is not None:
                named.append(credential)
    return Range(keys.label, keys.include, keys.exclude, tuple(named), keys.port, keys.enabled)

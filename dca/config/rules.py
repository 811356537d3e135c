"""Read the policy: kinds that stand in one list only, rules that say something, ranges and keys that exist."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dca.config.kinds import nearest
from dca.config.policy import LISTS, PolicyConfig, PolicyRule
from dca.config.settings import LimitsConfig, ScheduleConfig
from dca.config.table import Place, keys_of, read_values

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = ["SETTABLE", "read_policy"]

_TABLES = {"schedule": ScheduleConfig, "limits": LimitsConfig}
SETTABLE = frozenset({f"{name}.{key}" for name, section in _TABLES.items() for key in keys_of(section)} | {"log.level"})
"""The keys that the policy can leave to the hub at all, dotted."""
_NOTHING = "[policy] is there and says nothing"


def read_policy(table: object, rules: Sequence[object], labels: Collection[str], place: Place) -> PolicyConfig:
    """Read ``[policy]`` and its rules, which may name ranges with these labels; what is wrong is noted."""
    values = read_values(PolicyConfig, table, place, also=frozenset({"rule"}))
    _check_lists(values, place)
    for index, name in enumerate(values.get("config_keys", ())):
        if name not in SETTABLE and name not in _TABLES:
            near = nearest(name, [*SETTABLE, *_TABLES])
            hint = f"meant {json.dumps(near)}?" if near else "known are schedule.*, limits.* and log.level"
            place.fail(f"{json.dumps(name)} cannot be left to the hub; {hint}", "config_keys", index)
    found = [_rule(rule, labels, place.child("rule", index)) for index, rule in enumerate(rules)]
    said = any(values.get(name) for name in LISTS) or bool(rules)
    return PolicyConfig(**values, rules=tuple(rule for rule in found if rule), closed="" if said else _NOTHING)


def _check_lists(values: dict[str, Any], place: Place) -> None:
    homes: dict[str, str] = {}
    for name in LISTS:
        for index, kind in enumerate(values.get(name, ())):
            if kind in homes:
                where = "twice" if homes[kind] == name else f"in {homes[kind]} as well"
                place.fail(f"{json.dumps(kind)} stands there {where}; a kind stands in one list, once", name, index)
            homes.setdefault(kind, name)


def _rule(table: object, labels: Collection[str], place: Place) -> PolicyRule | None:
    before = len(place.problems.found)
    values = read_values(PolicyRule, table, place)
    if not isinstance(table, dict):
        return None
    if "hours" in values and not values["hours"].windows:
        place.fail("holds no hours; leave it out where the rule fits at all hours", "hours")
    for index, label in enumerate(values.get("ranges", ())):
        if label not in labels:
            near = nearest(label, labels)
            known = f"meant {json.dumps(near)}?" if near else "known are: " + (", ".join(labels) or "none yet")
            place.fail(f"no range is called {json.dumps(label)}; {known}", "ranges", index)
    if "action" in table and not {"kinds", "ranges", "hours", "roles"} & set(table):
        place.fail("says neither kinds nor a condition, and would decide every task; use the lists for that", "action")
    return PolicyRule(**values) if len(place.problems.found) == before else None

"""The customer's policy: whether a task is done, waits to be approved, or is refused, and why.

In this order: a closed policy denies; the first rule that fits decides; then the lists deny, ask and allow; then what
the kind says of itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dca.config.policy import LISTS
from dca.config.rules import SETTABLE
from dca.discovery.ranges import Ranges
from dca.errors import ConfigError
from dca.tasks.kinds import kinds as every_kind
from dca.tasks.policy_check import problems_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from dca.config import Config, PolicyRule
    from dca.model import Known
    from dca.tasks.kind import Action, Kind

__all__ = ["Policy", "Verdict", "check"]


@dataclass(frozen=True)
class Verdict:
    """What the policy says of one task."""

    action: Action
    why: str
    """In words, for the customer and for the hub."""
    rule: int | None = None
    """The number of the rule that decided, as people count; None where none did."""


@dataclass(frozen=True)
class _Facts:
    """What the conditions of a rule are held against."""

    label: str | None
    role: str
    at: datetime


class Policy:
    """The policy of one config. Nothing that the hub sends changes it."""

    def __init__(
        self,
        config: Config,
        *,
        closed: str = "",
        kinds: Mapping[str, Kind] | None = None,
        ranges: Ranges | None = None,
    ) -> None:
        """Take the policy of a config.

        `closed` says why everything is denied, e.g. that the file cannot be read any more. `ranges` are the
        running agent's, which know the addresses of host names; without them names hold no device.
        """
        self.kinds = every_kind() if kinds is None else kinds
        """Every kind of task by its name."""
        self._ranges = Ranges(config.ranges) if ranges is None else ranges
        self._config = config.policy
        self._file = config.path or "the config file"
        problems = list(problems_of(config, self.kinds))
        own = f"{config.policy.closed} in {self._file}" if config.policy.closed else ""
        self.closed = closed or own or (f"{self._file}: {problems[0]}" if problems else "")
        """Why everything is denied; empty when it is not."""

    def decide(self, kind: Kind | str, *, device: Known | None, role: str, at: datetime) -> Verdict:
        """Decide on a task.

        `device` is the one that it is for, `role` what the hub calls those who ask, `at` when it is to begin
        (aware; the hours of a rule are this machine's local time).
        """
        known = self.kinds.get(kind) if isinstance(kind, str) else kind
        if known is None:
            return Verdict("deny", f"this agent knows no kind of task {str(kind)[:40]!r}")
        return self._decide(known, _Facts(self._label(device), role, at), after=0)

    def elsewhere(self, kind: Kind, *, device: Known | None, role: str, at: datetime) -> list[str]:
        """Say in words where the verdict would be another one; empty when it never would."""
        if self.closed:
            return []
        facts = _Facts(self._label(device), role, at)
        verdict = self._decide(kind, facts, after=0)
        found = [
            f"{rule.action} by rule {number}, for {' and '.join(unmet)}"
            for number, rule in self._rules_for(kind)
            if (verdict.rule is None or number < verdict.rule) and rule.action != verdict.action
            if (unmet := _unmet(rule, facts))
        ]
        conditions = self._config.rules[verdict.rule - 1].conditions.values() if verdict.rule is not None else ()
        if verdict.rule is not None and conditions:
            rest = self._decide(kind, facts, after=verdict.rule)
            if rest.action != verdict.action:
                found.append(f"{rest.action} without {' and '.join(conditions)} ({rest.why})")
        return found

    def base(self, kind: Kind) -> Verdict:
        """Return what holds where none of the rules with conditions fits."""
        for number, rule in self._rules_for(kind):
            if not rule.conditions and not self.closed:
                return self._by_rule(number, rule)
        return self._otherwise(kind)

    def conditional(self, kind: Kind) -> list[tuple[int, PolicyRule]]:
        """Return the rules, with their numbers, that may decide instead."""
        last = self.base(kind).rule or len(self._config.rules) + 1
        return [] if self.closed else [(number, rule) for number, rule in self._rules_for(kind) if number < last]

    def summary(self) -> dict[str, str]:
        """Return for each kind allow, ask or deny, or rules where it depends on device, hours or role."""
        found: dict[str, str] = {}
        for name, kind in self.kinds.items():
            action = self.base(kind).action
            found[name] = action if {rule.action for _, rule in self.conditional(kind)} <= {action} else "rules"
        return found

    def may_set(self, key: str) -> bool:
        """Tell whether a task may set this key of the config (dotted), once apply_config itself is allowed."""
        left = self._config.config_keys
        return not self.closed and key in SETTABLE and (key in left or key.partition(".")[0] in left)

    def _decide(self, kind: Kind, facts: _Facts, *, after: int) -> Verdict:
        for number, rule in self._rules_for(kind):
            if number > after and not self.closed and not _unmet(rule, facts):
                return self._by_rule(number, rule)
        return self._otherwise(kind)

    def _by_rule(self, number: int, rule: PolicyRule) -> Verdict:
        return Verdict(rule.action, f"[policy] rule {number} of {self._file}: {rule.action}", number)

    def _otherwise(self, kind: Kind) -> Verdict:
        if self.closed:
            return Verdict("deny", f"everything is denied: {self.closed}")
        for name in LISTS:
            if kind.name in getattr(self._config, name):
                return Verdict(name, f"[policy] {name} of {self._file} has {kind.name}")
        if kind.default == "allow":
            return Verdict("allow", f"built-in: {kind.name} is allowed")
        if kind.default == "ask":
            return Verdict("ask", "built-in: it waits until it is approved on the agent's machine")
        what = "what changes a device or the agent" if kind.changes else kind.name
        return Verdict("deny", f"built-in: {what} is denied until the policy allows it")

    def _rules_for(self, kind: Kind) -> Iterator[tuple[int, PolicyRule]]:
        """Yield the rules that can fit a kind at all; none by range for a kind that concerns no device."""
        for number, rule in enumerate(self._config.rules, 1):
            if (not rule.kinds or kind.name in rule.kinds) and (kind.on_device or not rule.ranges):
                yield number, rule

    def _label(self, device: Known | None) -> str | None:
        found = self._ranges.range_of(device.address, device.port) if device else None
        return found.label if found else None


def check(config: Config, kinds: Mapping[str, Kind] | None = None) -> None:
    """Look whether what the policy says of kinds can hold. Raises ConfigError with everything that cannot."""
    problems = list(problems_of(config, every_kind() if kinds is None else kinds))
    if problems:
        raise ConfigError(config.path or "the config", problems)


def _unmet(rule: PolicyRule, facts: _Facts) -> list[str]:
    """Return the conditions, in words, that do not hold."""
    holds = {
        "ranges": facts.label in rule.ranges,
        "hours": rule.hours.contains(facts.at),
        "roles": facts.role in rule.roles,
    }
    return [words for name, words in rule.conditions.items() if not holds[name]]

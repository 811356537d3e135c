"""What the customer lets the hub ask for: the tables of the policy as they are written, and as the rest sees them."""

# ruff: noqa: RUF009 - key() and required() return dataclasses.field()

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dca.config.kinds import Choice, ListOf, Text
from dca.config.quiet import QuietHours, QuietHoursKind
from dca.config.table import key, required

if TYPE_CHECKING:
    from dca.config.quiet import Window

__all__ = ["LISTS", "PolicyConfig", "PolicyRule", "RuleAction"]

RuleAction = Literal["allow", "ask", "deny"]
LISTS: tuple[RuleAction, ...] = ("deny", "ask", "allow")
"""The lists of kinds, in the order in which they are asked."""
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ACTIONS: dict[str, RuleAction] = {"allow": "allow", "ask": "ask", "deny": "deny"}
_KIND = Text(40, form="[a-z][a-z0-9_]*", named="the name of a kind of task (dca policy show lists them)")
_CONFIG_KEY = Text(60, named='a key of [schedule] or [limits] ("schedule.status"), one of these tables, or "log.level"')


@dataclass(frozen=True)
class PolicyRule:
    """A rule with conditions. The first that fits a task decides; an absent condition fits always."""

    action: RuleAction = required(
        Choice(_ACTIONS), sample='"ask"', why="What becomes of the task; ask waits for `dca approve` on this machine."
    )
    kinds: tuple[str, ...] = key(
        ListOf(_KIND, most=100, least=1),
        default=(),
        otherwise="every kind",
        sample='["device_restart", "panel_message"]',
        why="The kinds of task that it is for.",
    )
    ranges: tuple[str, ...] = key(
        ListOf(Text(100, named="the label of a range"), most=1000, least=1),
        default=(),
        otherwise="any device, or none",
        sample='["Head office"]',
        why="Fits a device that one of these ranges holds now.",
    )
    hours: QuietHours = key(
        QuietHoursKind(),
        default=QuietHours(),
        otherwise="at all hours",
        sample='["mon-fri 08:00-18:00"]',
        why="When it fits; local time of this machine, as in schedule.quiet_hours.",
    )
    roles: tuple[str, ...] = key(
        ListOf(Text(64), most=100, least=1),
        default=(),
        otherwise="whoever asks",
        sample='["support"]',
        why="Roles of those who ask, as the hub names them.",
    )

    @property
    def conditions(self) -> dict[str, str]:
        """What must hold beside the kind, in words, by the name of its key; empty: nothing."""
        found = {
            "ranges": f"range {' or '.join(self.ranges)}" if self.ranges else "",
            "hours": f"hours {', '.join(map(_window_text, self.hours.windows))}" if self.hours.windows else "",
            "roles": f"role {' or '.join(self.roles)}" if self.roles else "",
        }
        return {name: words for name, words in found.items() if words}


@dataclass(frozen=True)
class PolicyConfig:
    """What the hub may ask for. Without this table the defaults of the kinds hold; empty, it denies everything."""

    allow: tuple[str, ...] = key(
        ListOf(_KIND, most=100),
        default=(),
        sample='["read", "discover"]',
        why="Kinds of task that are done when the hub asks.",
    )
    ask: tuple[str, ...] = key(
        ListOf(_KIND, most=100),
        default=(),
        sample='["device_restart"]',
        why="Kinds that wait until somebody says `dca approve` on this machine.",
    )
    deny: tuple[str, ...] = key(
        ListOf(_KIND, most=100),
        default=(),
        sample='["logs"]',
        why="Kinds that are refused; the hub sees why.",
    )
    config_keys: tuple[str, ...] = key(
        ListOf(_CONFIG_KEY, most=100),
        default=(),
        sample='["schedule.status", "limits"]',
        why="What a task apply_config may set; a table's name stands for all of its keys.",
    )
    rules: tuple[PolicyRule, ...] = ()
    """In the order of the file; they come before the lists."""
    closed: str = ""
    """Why everything is denied; empty when it is not."""


def _window_text(window: Window) -> str:
    days = sorted(window.days)
    runs: list[list[int]] = []
    for day in days:
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    names = [_DAYS[run[0]] if len(run) == 1 else f"{_DAYS[run[0]]}-{_DAYS[run[-1]]}" for run in runs]
    times = f"{window.start // 60:02}:{window.start % 60:02}-{window.end // 60:02}:{window.end % 60:02}"
    return times if len(days) == len(_DAYS) else f"{','.join(names)} {times}"

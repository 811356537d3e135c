"""What a policy says of kinds that there are not, or that can never hold: it would be misunderstood as it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dca.config.kinds import nearest
from dca.config.policy import LISTS
from dca.errors import ConfigProblem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dca.config import Config
    from dca.tasks.kind import Kind

__all__ = ["problems_of"]


def problems_of(config: Config, kinds: Mapping[str, Kind]) -> Iterator[ConfigProblem]:
    """Yield what is wrong with a config's policy, by the kinds that there are."""
    places = [(f"policy.{name}", getattr(config.policy, name)) for name in reversed(LISTS)]
    places += [(f"policy.rule[{number}].kinds", rule.kinds) for number, rule in enumerate(config.policy.rules, 1)]
    for place, names in places:
        for index, name in enumerate(names, 1):
            if name not in kinds:
                near = nearest(name, kinds)
                hint = f"meant {near}?" if near else f"known are {', '.join(kinds)}"
                yield ConfigProblem(f"{place}[{index}]", f'there is no kind of task "{name}"; {hint}')
    for number, rule in enumerate(config.policy.rules, 1):
        without = [name for name in rule.kinds if name in kinds and not kinds[name].on_device] if rule.ranges else []
        if without:
            message = f"never fits {', '.join(without)}, which concerns no device; that needs a rule without ranges"
            yield ConfigProblem(f"policy.rule[{number}].ranges", message)

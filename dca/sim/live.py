"""Numbers and texts of a device by name, as model files ask for them: ``total``, ``supply.3.percent``, ``{serial}``."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from dca.sim.ailments import console
from dca.sim.counts import METERS
from dca.sim.names import CODEC
from dca.sim.state import LOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from dca.sim.spec import Model
    from dca.sim.state import Filling, State

__all__ = ["fields_of", "fill", "fixed_fields", "life_count", "live_number", "supply_level", "to_octets"]

_IDENTITY = frozenset({"serial", "mac", "mac6", "MAC", "name", "location"})
_MODEL = frozenset({"maker", "model", "firmware", "contact", "asset"})


def live_number(expression: int | str) -> Callable[[State], int]:
    """Return what reads a number: itself, a meter, or ``supply.<index>.<what>``; ``*n`` multiplies, ``a+b`` adds.

    Raises:
        ValueError: there is no such number.
    """
    if isinstance(expression, int):
        return lambda _state: expression
    if "+" in expression:
        terms = [live_number(term) for term in expression.split("+")]
        return lambda state: sum(read(state) for read in terms)
    name, _, factor = expression.partition("*")
    read = _plain(name)
    if not factor:
        return read
    times = int(factor)
    return lambda state: read(state) * times


def _plain(name: str) -> Callable[[State], int]:
    if name in METERS:
        meter = METERS[name]
        return lambda state: meter(state.counts)
    if name == "life":
        return life_count
    if name == "uptime":
        return lambda state: state.uptime
    kind, _, rest = name.partition(".")
    index, _, what = rest.partition(".")
    if kind == "supply" and what in _SUPPLY:
        row, of = int(index), _SUPPLY[what]
        return lambda state: of(state.supplies[row])
    raise ValueError(
        f"{name!r} is no number of a device: a meter, life, uptime or supply.<index>.<{'|'.join(_SUPPLY)}>"
    )


_SUPPLY: dict[str, Callable[[Filling], int]] = {
    "percent": lambda f: round(f.left * 100),
    "used_percent": lambda f: round((1 - f.left) * 100),
    "pages_left": lambda f: round(f.left * f.spec.pages),
    "pages_used": lambda f: round((1 - f.left) * f.spec.pages),
    "changed": lambda f: f.changed,
    "state": lambda f: 0 if f.left > LOW else 1 if f.left > 0 else 2,
}


def life_count(state: State) -> int:
    """Return prtMarkerLifeCount: on some makes it runs ahead of what is billed."""
    return int(state.counts.total * (1 + state.model.life_extra))


def supply_level(filling: Filling) -> int:
    """Return prtMarkerSuppliesLevel in the way that the supply tells it."""
    spec = filling.spec
    if spec.reports == "unknown":
        return -2
    if spec.reports == "some":
        return -3 if filling.left > 0 else 0
    if spec.reports == "state":
        return _SUPPLY["state"](filling)
    if spec.reports == "steps":
        percent = filling.left * 100
        return min((step for step in spec.steps if step >= percent), default=spec.steps[0])
    return round(filling.left * (spec.capacity if spec.capacity > 0 else 100))


def fields_of(template: str) -> set[str]:
    """Return the names that a template has in braces."""
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def fixed_fields(names: set[str]) -> bool:
    """Tell whether a template with these fields never changes on one device.

    Raises:
        ValueError: nothing has such a name.
    """
    for name in names - _IDENTITY - _MODEL - METERS.keys() - {"console", "chip"}:
        raise ValueError(f"{{{name}}} is nothing that a text of a device may name")
    return not names & (METERS.keys() | {"console", "chip"})


def fill(template: str, state: State, *, chip: str = "") -> str:
    """Return the template with the device's own words in it."""
    names = fields_of(template)
    if not names:
        return template
    model = state.model
    words = {**state.identity.words, "chip": chip}
    words.update({name: getattr(model, name) for name in _MODEL})
    if "console" in names:
        words["console"] = console(state)[0]
    words.update({name: str(METERS[name](state.counts)) for name in names & METERS.keys()})
    return template.format_map(words)


def to_octets(value: str, model: Model) -> bytes:
    """Return a text as the device sends it, in its character set."""
    return value.encode(CODEC.get(model.charset, model.charset), "replace")

"""What a range says, read and bounded: its entries as intervals and host names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dca.net.addresses import LARGEST_IPV6_BLOCK, LARGEST_RANGE, Spec, parse_spec, why_never
from dca.net.intervals import Interval, merge, size, subtract

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Fault", "RangeSpec", "read_range"]

_IPV4_END = (0xFFFF << 32) | 0xFFFF_FFFF
_IPV4_START = 0xFFFF << 32


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a range."""

    field: str
    """``include`` or ``exclude``."""
    index: int | None
    """Which entry, from 0; None: all of them together."""
    message: str


@dataclass(frozen=True)
class RangeSpec:
    """The entries of a range."""

    include: tuple[Spec, ...]
    exclude: tuple[Spec, ...]

    def names(self, *, excluded_only: bool = False) -> tuple[str, ...]:
        """Return the host names among the entries, each once."""
        specs = self.exclude if excluded_only else (*self.include, *self.exclude)
        return tuple(dict.fromkeys(spec.name for spec in specs if spec.name))


def read_range(include: Sequence[str], exclude: Sequence[str]) -> tuple[RangeSpec, list[Fault]]:
    """Read the entries of a range; what is wrong with them is returned, all of it."""
    faults: list[Fault] = []
    included = _read("include", include, faults)
    excluded = _read("exclude", exclude, faults)
    swept = _swept(included, excluded)
    if swept > LARGEST_RANGE:
        faults.append(
            Fault("include", None, f"holds {swept:,} addresses; a range has up to {LARGEST_RANGE:,}: split it")
        )
    return RangeSpec(included, excluded), faults


def _read(field: str, texts: Sequence[str], faults: list[Fault]) -> tuple[Spec, ...]:
    specs: list[Spec] = []
    for index, text in enumerate(texts):
        try:
            spec = parse_spec(text, whole=field == "exclude")
            if field == "include":
                _bound(spec)
        except ValueError as error:
            faults.append(Fault(field, index, str(error)))
        else:
            specs.append(spec)
    return tuple(specs)


def _bound(spec: Spec) -> None:
    """Refuse what may not be included. Raises ValueError."""
    if spec.name:
        return
    if spec.lacks_zone:
        raise ValueError(f"{spec.text} is link-local; say on which link: fe80::1%eth0")
    never = why_never(spec.interval)
    if never:
        raise ValueError(f"{spec.text} holds addresses that are never contacted: {never}")
    is_ipv4 = spec.interval[0] >= _IPV4_START and spec.interval[1] <= _IPV4_END
    if not is_ipv4 and size([spec.interval]) > LARGEST_IPV6_BLOCK:
        raise ValueError(
            f"{spec.text} is too large to sweep; list the IPv6 addresses, or blocks of up to "
            f"{LARGEST_IPV6_BLOCK} (a /120)"
        )


def _swept(included: Iterable[Spec], excluded: Iterable[Spec]) -> int:
    zones: dict[str, list[Interval]] = {}
    for spec in included:
        if not spec.name:
            zones.setdefault(spec.zone, []).append(spec.interval)
    without = merge(spec.interval for spec in excluded if not spec.name and not spec.zone)
    return sum(size(subtract(merge(intervals), without)) for intervals in zones.values())

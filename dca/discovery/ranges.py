"""The one gate: which addresses the agent may contact, and in which order a sweep goes through them.

No packet leaves for an address that `Ranges.allows` does not name: everything asks it. Excludes win over
every range, also over those of other ranges and while their own range is disabled. Where ranges overlap at
the same port, the first in the file wins.

Host names are resolved anew at each discovery (`Ranges.resolve`). A name that fails keeps its last good
addresses for one more round and then loses them: a lease may have given them to another machine by then. A
name in ``exclude`` keeps its last good addresses for ever, and as long as it was never answered at all every
range stays closed, for what may not be contacted is not known. "No such name" is an answer.
"""

from __future__ import annotations

import asyncio
import heapq
import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from dca.errors import ConfigError, ConfigProblem
from dca.net.addresses import Located, Spec, address_text, locate
from dca.net.layout import Layout, Span, Table, TableKey
from dca.net.rangespec import RangeSpec, read_range

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dca.model import Credential, Range
    from dca.net.dns import Answer, Resolver

__all__ = ["Ranges", "ResolvedRange", "Target"]

_MOST_PER_NAME = 16
"""Addresses taken of one name: a printer has one or two, and an answer must not open a subnet."""


class Target(NamedTuple):
    """One address of a sweep."""

    address: str
    port: int
    range: Range


@dataclass(frozen=True)
class ResolvedRange:
    """A range, and how many addresses fall to it."""

    range: Range
    count: int

    @property
    def label(self) -> str:
        """Its label."""
        return self.range.label

    @property
    def port(self) -> int:
        """The UDP port that its devices are asked at."""
        return self.range.port

    @property
    def credentials(self) -> tuple[Credential, ...]:
        """In the order to try; never more than these."""
        return self.range.credentials


@dataclass
class _Name:
    """What is known of one host name."""

    addresses: tuple[Located, ...] = ()
    failures: int = 0
    """In a row."""
    answered: bool = False


class Ranges:
    """The ranges together. Raises ConfigError when an entry of one cannot be read."""

    def __init__(self, ranges: Sequence[Range]) -> None:
        self._ranges = tuple(ranges)
        self._specs = _read(self._ranges)
        pairs = list(zip(self._ranges, self._specs, strict=True))
        self._names = {name: _Name() for item, spec in pairs for name in spec.names(excluded_only=not item.enabled)}
        self._tables: Mapping[TableKey, Table] = {}
        self.resolved: tuple[ResolvedRange, ...] = ()
        """The enabled and disabled ranges in file order, with what falls to each."""
        self.warnings: tuple[str, ...] = ()
        """Overlaps, and names that keep every range closed; made anew by `resolve`."""
        self._build()

    async def resolve(self, resolver: Resolver) -> dict[str, str]:
        """Resolve the host names anew; return for each that failed, or was cut, what happened."""
        names = list(self._names)
        answers = await asyncio.gather(*(resolver(name) for name in names))
        excluded = {spec.name for spec in self._excluded()}
        complaints = {
            name: _take(name, self._names[name], answer, for_ever=name in excluded)
            for name, answer in zip(names, answers, strict=True)
        }
        self._build()
        return {name: complaint for name, complaint in complaints.items() if complaint}

    @property
    def count(self) -> int:
        """How many addresses (at their ports) may be contacted."""
        return sum(found.count for found in self.resolved)

    @property
    def closed(self) -> bool:
        """Tell whether a name in ``exclude`` was never answered, so that nothing may be contacted yet."""
        return bool(self._unanswered())

    def names_of(self, item: Range) -> tuple[str, ...]:
        """Return the host names that a range of these includes, resolved or not."""
        specs = self._specs[self._ranges.index(item)].include
        return tuple(dict.fromkeys(spec.name for spec in specs if spec.name))

    def allows(self, address: str, port: int) -> bool:
        """Decide whether a packet may be sent to `address` (a literal) and `port`: the only place that does."""
        located = locate(address)
        if located is None:
            return False
        table = self._tables.get((port, located[1]))
        return table is not None and table.owner(located[0]) is not None

    def range_of(self, address: str, port: int | None = None) -> ResolvedRange | None:
        """Return the range that `address` belongs to (at `port`, or at any), None when it may not be contacted."""
        located = locate(address)
        if located is None:
            return None
        owners = [
            owner
            for (table_port, zone), table in self._tables.items()
            if zone == located[1] and port in {None, table_port} and (owner := table.owner(located[0])) is not None
        ]
        return self.resolved[min(owners)] if owners else None

    def addresses(self) -> Iterator[Target]:
        """Yield every address, each /24 (IPv6: /120) spread evenly over the whole sweep.

        So a sweep runs at the agent's budget while each /24 stays within its own.
        """
        blocks: dict[tuple[str, int], list[tuple[range, int, int]]] = {}
        for (port, zone), table in self._tables.items():
            for first, last, owner in zip(*table, strict=True):
                for block in range(first >> 8, (last >> 8) + 1):
                    part = range(max(first, block << 8), min(last, (block << 8) | 0xFF) + 1)
                    blocks.setdefault((zone, block), []).append((part, port, owner))
        heap: list[tuple[float, int, float, Iterator[Target]]] = []
        for number, ((zone, _), parts) in enumerate(blocks.items()):
            step = 1 / sum(len(part) for part, _, _ in parts)
            heap.append((step / 2, number, step, self._walk(zone, parts)))
        heapq.heapify(heap)
        while heap:
            position, number, step, walk = heap[0]
            target = next(walk, None)
            if target is None:
                heapq.heappop(heap)
            else:
                heapq.heapreplace(heap, (position + step, number, step, walk))
                yield target

    def _walk(self, zone: str, parts: list[tuple[range, int, int]]) -> Iterator[Target]:
        for part, port, owner in parts:
            for number in part:
                yield Target(address_text(number, zone), port, self._ranges[owner])

    def _excluded(self) -> Iterator[Spec]:
        for spec in self._specs:
            yield from spec.exclude

    def _unanswered(self) -> list[str]:
        return sorted({spec.name for spec in self._excluded() if spec.name and not self._names[spec.name].answered})

    def _spans(self, specs: Iterable[Spec]) -> Iterator[Span]:
        """Yield the addresses of entries, those of names as far as they are known."""
        for spec in specs:
            if spec.name:
                for number, zone in self._names[spec.name].addresses:
                    yield zone, (number, number)
            else:
                yield spec.zone, spec.interval

    def _build(self) -> None:
        """Lay everything out anew; who asks meanwhile sees the old tables or the new ones, never half."""
        layout = Layout(self._spans(self._excluded()))
        warnings: list[str] = []
        resolved: list[ResolvedRange] = []
        waiting = self._unanswered()
        if waiting:
            warnings.append(f"nothing is contacted until these excluded names are resolved: {', '.join(waiting)}")
        for index, (item, spec) in enumerate(zip(self._ranges, self._specs, strict=True)):
            if waiting or not item.enabled:
                resolved.append(ResolvedRange(item, 0))
                continue
            claimed = layout.claim(index, item.port, self._spans(spec.include))
            resolved.append(ResolvedRange(item, claimed.total))
            warnings += [
                f'range "{item.label}" names {overlap.shared:,} addresses (first: '
                f'{address_text(overlap.first, overlap.zone)}) that range "{self._ranges[overlap.owner].label}", '
                "which stands before it, already has"
                for overlap in claimed.overlaps
            ]
        self.resolved = tuple(resolved)
        self.warnings = tuple(warnings)
        self._tables = layout.tables()


def _read(ranges: Sequence[Range]) -> tuple[RangeSpec, ...]:
    specs: list[RangeSpec] = []
    problems: list[ConfigProblem] = []
    for item in ranges:
        spec, faults = read_range(item.include, item.exclude)
        specs.append(spec)
        problems += [ConfigProblem("", f"{item.label}: {fault.message}") for fault in faults]
    if problems:
        raise ConfigError("the ranges", problems)
    return tuple(specs)


def _take(name: str, known: _Name, answer: Answer, *, for_ever: bool) -> str:
    """Take over an answer; return what is wrong with it, if anything."""
    if not answer.addresses:
        known.answered = known.answered or answer.unknown
        known.failures += 1
        if known.failures > 1 and not for_ever:
            known.addresses = ()
        kept = "; its last addresses are kept for now" if known.addresses else ""
        return f"{answer.failure or f'{name}: no address'}{kept}"
    known.answered, known.failures = True, 0
    located = [spot for address in answer.addresses if (spot := locate(address)) is not None]
    if for_ever:
        known.addresses = tuple(located)
        return ""
    usable = [spot for spot in located if _plausible(name, spot)]
    known.addresses = tuple(usable[:_MOST_PER_NAME])
    left_out = len(answer.addresses) - len(usable)
    if left_out:
        return f"{name}: {left_out} of its addresses are left out, for they are this machine's own or lead nowhere"
    if len(usable) > len(known.addresses):
        return f"{name}: has {len(usable)} addresses; the first {_MOST_PER_NAME} are taken"
    return ""


def _plausible(name: str, spot: Located) -> bool:
    """Tell whether a name may have this address: no name of another machine leads to this one (DNS rebinding)."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = ipaddress.ip_address(address_text(spot[0]))
    return not address.is_loopback and not (address.version == 6 and address.is_link_local and not spot[1])  # noqa: PLR2004 - the version's own number

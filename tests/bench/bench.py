"""What every entry is given: how long it may take, where its files go, and how two programs are compared."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bench.shared_tools import SnmpBench

__all__ = ["Bench", "Entry", "Values", "alternating"]

Values = Mapping[str, float | str]
"""Figures by name; a text instead of a number says why it could not be measured."""


@dataclass(frozen=True)
class Bench:
    """One run of the benchmarks."""

    quick: bool
    scratch: Path
    snmpbench: SnmpBench

    def pick(self, quick: int, full: int) -> int:
        """Return one of two sizes."""
        return quick if self.quick else full


class Entry(NamedTuple):
    """A group of figures that are measured together."""

    name: str
    figures: tuple[str, ...]
    run: Callable[[Bench], Values]
    alongside: bool = False
    """It mostly waits, or counts: with `--quick` such entries run side by side."""


def alternating(rounds: int, **programs: Callable[[], float]) -> dict[str, float]:
    """Run the programs in turn, A B A B ..., and return the median of what each measured.

    Neighbours and clock speeds come and go; in turn they meet all programs alike.
    """
    seen: dict[str, list[float]] = {name: [] for name in programs}
    for number in range(rounds):
        order = list(programs) if number % 2 == 0 else list(reversed(programs))
        for name in order:
            seen[name].append(programs[name]())
    return {name: statistics.median(values) for name, values in seen.items()}

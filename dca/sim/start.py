"""The state that a simulated device starts in: years of use behind it, supplies at all levels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dca.sim.counts import Counts
from dca.sim.state import Filling, Paper, State

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from dca.sim.clock import Clock
    from dca.sim.habits import Habits
    from dca.sim.identity import Identity
    from dca.sim.spec import Model, Supply

__all__ = ["begin"]

_HOUR_TICKS = 360_000
"""Hundredths of a second in an hour."""


def begin(
    model: Model, identity: Identity, clock: Clock, habits: Habits, random: Random, *, left: Mapping[int, float]
) -> State:
    """Return a device's state at the clock's start, drawn from `random`; `left` decides some supplies' level."""
    return State(
        model=model,
        identity=identity,
        clock=clock,
        uptime_base=random.randrange(2 * _HOUR_TICKS, 2000 * _HOUR_TICKS),
        counts=_counts(model, habits, random) if model.printer else Counts(),
        supplies={
            spec.index: Filling(
                spec, left.get(spec.index, _left(spec, random)), f"{random.randrange(10**9):09}", random.randrange(1, 9)
            )
            for spec in model.supplies
        },
        trays={
            spec.index: Paper(spec, random.randint(spec.capacity // 4, spec.capacity))
            for spec in model.inputs
            if spec.serves and spec.capacity > 0
        },
        alert_index=random.randrange(1, 900),
        critical_events=random.randrange(0, 40),
        all_events=random.randrange(40, 400),
        config_changes=random.randrange(0, 9),
    )


def _left(spec: Supply, random: Random) -> float:
    """Return a share that is left: seldom nearly nothing, for parts and boxes mostly much."""
    if spec.receptacle or not spec.color:
        return random.uniform(0.35, 0.97)
    return random.choice((random.uniform(0.12, 0.35), random.uniform(0.3, 0.95), random.uniform(0.5, 0.99)))


def _counts(model: Model, habits: Habits, random: Random) -> Counts:
    """Return counters that agree with the model's functions and the habits' shares."""
    total = int(random.uniform(8, 120) * model.ppm * 30)

    def some(share: float) -> int:
        return int(total * share * random.uniform(0.8, 1.2))

    copies = some(habits.copy) if "copy" in model.functions else 0
    faxes = some(habits.fax) if "fax" in model.functions else 0
    prints = max(0, total - copies - faxes)
    color = habits.color if model.color else 0.0
    scans = "scan" in model.functions
    counts = Counts(
        print_color=int(prints * color),
        copy_color=int(copies * color * 0.6),
        fax=faxes,
        list=some(0.002),
        scan_copy=copies,
        scan_fax=some(0.01) if "fax" in model.functions and scans else 0,
        scan_send=some(0.2) if scans else 0,
        jams=random.randrange(0, 1 + total // 4000),
    )
    counts.print_mono = prints - counts.print_color
    counts.copy_mono = copies - counts.copy_color
    counts.duplex = min(some(habits.duplex), counts.total) // 2 * 2
    counts.large = min(some(habits.large), counts.total) if model.large else 0
    return counts

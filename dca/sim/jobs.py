"""One job at a device: what it counts, uses up and takes from the trays."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

    from dca.sim.habits import Habits
    from dca.sim.state import State

__all__ = ["run_job"]

_LIST_SHARE = 0.01
"""Share of the jobs that are the device's own reports."""


def run_job(state: State, habits: Habits, random: Random) -> float:
    """Do one job and return how many of the office's seconds it prints (0: it only scanned)."""
    functions, counts = state.model.functions, state.counts
    pages = 1 + int(random.expovariate(1 / habits.pages_per_job))
    state.version += 1
    if "scan" in functions and random.random() < habits.scan:
        if "fax" in functions and random.random() < habits.fax:
            counts.scan_fax += pages
        else:
            counts.scan_send += pages
        return 0.0
    kind = _kind(functions, habits, random.random())
    in_color = kind in ("print", "copy") and state.model.color and random.random() < habits.color
    both_sides = random.random() < habits.duplex
    pages, duplex = _take_paper(state, pages, both_sides=both_sides)
    counts.duplex += duplex
    if state.model.large and random.random() < habits.large:
        counts.large += pages
    _count(state, kind, pages, in_color=in_color)
    _use_up(state, random, pages, in_color=in_color)
    return pages / state.model.ppm * 60 + 4


def _kind(functions: tuple[str, ...], habits: Habits, draw: float) -> str:
    if draw < _LIST_SHARE:
        return "list"
    if "fax" in functions and draw < _LIST_SHARE + habits.fax:
        return "fax"
    if "copy" in functions and draw < _LIST_SHARE + habits.fax + habits.copy:
        return "copy"
    return "print"


def _take_paper(state: State, pages: int, *, both_sides: bool) -> tuple[int, int]:
    """Take the sheets out of the trays in their order; return (impressions, of them on two-sided sheets)."""
    duplex = pages // 2 * 2 if both_sides else 0
    sheets = pages - duplex // 2
    there = sum(paper.sheets for paper in state.trays.values())
    if state.trays and there < sheets:
        pages, duplex, sheets = there, 0, there
    for paper in state.trays.values():
        taken = min(sheets, paper.sheets)
        paper.sheets -= taken
        sheets -= taken
    return pages, duplex


def _count(state: State, kind: str, pages: int, *, in_color: bool) -> None:
    counts = state.counts
    if kind == "copy":
        counts.scan_copy += pages
    if kind in ("print", "copy"):
        kind += "_color" if in_color else "_mono"
    setattr(counts, kind, getattr(counts, kind) + pages)


def _use_up(state: State, random: Random, pages: int, *, in_color: bool) -> None:
    coverage = random.uniform(0.7, 1.3)
    for filling in state.supplies.values():
        if filling.spec.color in ("", "black") or in_color:
            filling.left = max(0.0, filling.left - pages * coverage / filling.spec.pages)

"""What the benchmarks measure, the bar of each figure, and the sheet that collects them.

`docs/benchmarks.md` says of each name what it is and what a user gains by it.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["FIGURES", "FailedError", "Figure", "Sheet", "SkippedError"]


class SkippedError(Exception):
    """This machine lacks what the entry needs; the text says what."""


class FailedError(Exception):
    """Something that is there did not work; the text says what."""


@dataclass(frozen=True)
class Figure:
    """One measured figure; without a bar it is there to be compared with."""

    name: str
    unit: str
    bar: float | None = None
    least: bool = False
    """The bar is a minimum."""

    def reached(self, value: float | None) -> bool | None:
        """Tell whether the bar is reached; None when there is none, or no value."""
        if self.bar is None or value is None:
            return None
        return value >= self.bar if self.least else value <= self.bar


_ALL = (
    # the engine against net-snmp's C library: CPU per device, as a ratio
    Figure("engine_full_poll", "x", 2.5),
    Figure("engine_full_poll_us", "us"),
    Figure("engine_full_poll_c_us", "us"),
    Figure("engine_ask_poll", "x"),
    Figure("engine_columns_poll", "x"),
    Figure("engine_v3_warm", "x", 3.0),
    Figure("engine_v3_warm_get", "x"),
    Figure("engine_v3_warm_walk", "x"),
    Figure("engine_v3_fleet", "x", 1.5),
    Figure("steady_poll", "x", 0.35),
    Figure("v3_datagrams_after_idle", "datagrams", 1),
    Figure("false_timeouts_512", "failures", 0),
    Figure("false_timeouts_512_pdus", "PDUs"),
    Figure("memory_growth_pdus_mb", "MB", 4),
    Figure("memory_growth_devices_mb", "MB", 4),
    Figure("memory_growth_v3_devices_mb", "MB"),
    # finding
    Figure("sweep_4096_s", "s", 2.3),
    Figure("sweep_4096_cpu", "x", 1.0),
    Figure("sweep_4096_found", "of 205", 205, least=True),
    Figure("sweep_65536_over_budget", "x", 1.15),
    Figure("sweep_65536_rss_mb", "MB", 150),
    Figure("silent_24_s", "s", 3.0),
    Figure("silent_24_rss_mb", "MB", 60),
    Figure("scan_40_of_256_s", "s", 5.0),
    Figure("scan_40_of_256_found", "of 40", 40, least=True),
    Figure("scan_40_of_256_vs_fusioninventory", "x faster"),
    # reading
    Figure("full_record_requests_snmpd", "requests", 12),
    Figure("full_record_requests_hp", "requests", 12),
    Figure("full_record_requests_kyocera", "requests", 12),
    Figure("full_record_requests_epson", "requests", 12),
    Figure("full_record_requests_median", "requests"),
    Figure("full_record_requests_most", "requests", 12),
    Figure("status_poll_requests_snmpd", "requests", 2),
    Figure("status_poll_requests_hp", "requests", 2),
    Figure("status_poll_requests_kyocera", "requests", 2),
    Figure("status_poll_requests_epson", "requests", 2),
    Figure("status_poll_requests_most", "requests", 2),
    Figure("status_poll_recordings", "recordings"),
    Figure("lab_254_full_s", "s", 1.5),
    Figure("lab_254_full_cpu_ms", "ms/device", 6.0),
    Figure("lab_254_full_complete", "of 254", 254, least=True),
    Figure("lab_254_full_rss_mb", "MB"),
    Figure("lab_254_exporter_cpu_ms", "ms/device"),
    Figure("lab_254_vs_exporter", "x CPU"),
    Figure("lab_254_walk_cpu_ms", "ms/device"),
    Figure("lab_254_vs_walk", "x CPU"),
    Figure("lab_254_fusioninventory_cpu_ms", "ms/device"),
    Figure("lab_254_vs_fusioninventory", "x CPU"),
    Figure("full_reading_ms", "ms/device"),
    Figure("status_poll_ms", "ms/device"),
    Figure("latency_64_at_20ms_s", "s", 1.0),
    Figure("loss_2_percent_silent_cuts", "records", 0),
    Figure("loss_2_percent_complete", "of 254"),
    Figure("loss_2_percent_partial", "of 254"),
    Figure("loss_30_percent_silent_cuts", "records", 0),
    Figure("loss_30_percent_complete", "of 254"),
    Figure("loss_30_percent_partial", "of 254"),
    Figure("walks_answered", "%", 100, least=True),
    Figure("walks_supplies", "%", 99, least=True),
    Figure("walks_all", "%", 80, least=True),
    # the whole agent, the hub
    Figure("fleet_1000_rss_mb", "MB", 100),
    Figure("fleet_1000_core_percent", "% of a core", 3.0),
    Figure("fleet_1000_round_s", "s CPU"),
    Figure("fleet_1000_idle_percent", "% of a core"),
    Figure("fleet_1000_first_s", "s CPU"),
    Figure("fleet_1000_real_core_percent", "% of a core", 3.0),
    Figure("fleet_1000_real_rss_mb", "MB", 100),
    Figure("hub_snapshots_per_s", "snapshots/s", 3000, least=True),
)
FIGURES: dict[str, Figure] = {figure.name: figure for figure in _ALL}


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@dataclass
class Sheet:
    """The values so far, and why some are missing."""

    values: dict[str, float | None] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    tell: Callable[[str], None] = _tell

    def put(self, found: Mapping[str, float | str]) -> None:
        """Take values, or why there are none; only names of `FIGURES`."""
        for name, value in found.items():
            figure = FIGURES[name]
            if isinstance(value, str):
                self.skip([name], value)
                continue
            self.values[name] = round(value, 4 if abs(value) < 1 else 2)
            self.tell(f"  {self.line(figure)}")

    def skip(self, names: Iterable[str], reason: str) -> None:
        """Note that these cannot be measured here, and why."""
        self._lack(names, reason, self.skipped, "skipped")

    def fail(self, names: Iterable[str], reason: str) -> None:
        """Note that measuring these went wrong, and how."""
        self._lack(names, reason, self.failed, "FAILED")

    def _lack(self, names: Iterable[str], reason: str, where: dict[str, str], word: str) -> None:
        for name in names:
            if name not in self.values:
                self.values[name] = None
                where[name] = reason
        self.tell(f"  {word}: {reason}")

    def line(self, figure: Figure) -> str:
        """Return the figure for people."""
        value = self.values.get(figure.name)
        shown = "-" if value is None else f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
        bar = "" if figure.bar is None else f"{'>=' if figure.least else '<='} {figure.bar:g}"
        mark = {True: "reached", False: "MISSED", None: ""}[figure.reached(value)]
        return f"{figure.name:36} {shown:>9} {figure.unit:12} {bar:>9}  {mark}"

    def table(self) -> str:
        """Return all figures for people, those that were skipped with the reason."""
        lines = [self.line(FIGURES[name]) for name in FIGURES if name in self.values]
        lines += [f"{name:36} skipped: {reason}" for name, reason in self.skipped.items()]
        lines += [f"{name:36} FAILED: {reason}" for name, reason in self.failed.items()]
        return "\n".join(lines)

    def document(self) -> dict[str, object]:
        """Return the one JSON object: every figure by its name, the bars missed, what was skipped and why."""
        missed = [name for name, value in self.values.items() if FIGURES[name].reached(value) is False]
        bars = {name: FIGURES[name].bar for name in self.values if FIGURES[name].bar is not None}
        return {**self.values, "bars": bars, "missed": missed, "skipped": self.skipped, "failed": self.failed}

"""What a simulated device has in it right now: counts, supplies, paper, covers, alerts.

Changed by `life`, read by the cells.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dca.sim.clock import Clock
    from dca.sim.counts import Counts
    from dca.sim.identity import Identity
    from dca.sim.spec import Input, Model, Supply

__all__ = ["Alert", "Filling", "Paper", "State"]

LOW = 0.10
"""The share of a supply or of a tray below which it is told to be low."""
NEAR_FULL = 0.05
"""The room below which a waste box is told to be almost full."""


@dataclass(slots=True)
class Filling:
    """One supply: how much of it is left (for a receptacle: how much room)."""

    spec: Supply
    left: float
    chip: str
    """Serial of the cartridge that is in."""
    changed: int = 0
    """How often it was replaced."""


@dataclass(slots=True)
class Paper:
    """One input tray and its sheets."""

    spec: Input
    sheets: int


@dataclass(frozen=True)
class Alert:
    """A row of prtAlertTable."""

    index: int
    severity: str
    group: str
    group_index: int
    code: str
    text: str
    raised: int
    """sysUpTime when it was raised, hundredths of a second."""


@dataclass(slots=True)
class State:
    """One device now. `version` goes up with every change, so that what was built from it is built anew."""

    model: Model
    identity: Identity
    clock: Clock
    uptime_base: int
    """sysUpTime at the start, hundredths of a second."""
    counts: Counts
    supplies: dict[int, Filling]
    trays: dict[int, Paper]
    version: int = 0
    moment: float = 0.0
    """The office's time that the state has reached, seconds."""
    printing: bool = False
    asleep: bool = False
    open_covers: set[int] = field(default_factory=set)
    alerts: dict[tuple[str, int], Alert] = field(default_factory=dict)
    """By group and row of the part concerned; a part has its worst alert only."""
    alert_index: int = 0
    """The last index given; it only grows."""
    critical_events: int = 0
    all_events: int = 0
    config_changes: int = 0
    message: str = ""
    """What somebody wrote to the panel; it stands in place of "ready"."""

    @property
    def uptime(self) -> int:
        """Return sysUpTime, hundredths of a second, with its wrap at 32 bits."""
        return (self.uptime_base + int(self.clock.real * 100)) & 0xFFFFFFFF

    @property
    def _uptime_then(self) -> int:
        """Return sysUpTime at `moment`: the same whenever somebody asks."""
        return (self.uptime_base + int(self.moment / self.clock.speed * 100)) & 0xFFFFFFFF

    def restart(self) -> None:
        """Begin as after power-on: sysUpTime at 0, no job, no message."""
        self.uptime_base = -int(self.clock.real * 100)
        self.printing = False
        self.message = ""
        self.version += 1

    def raise_alert(self, part: tuple[str, int], severity: str, code: str, text: str) -> None:
        """Put an alert on a part, in place of the one it has; the same one again changes nothing."""
        standing = self.alerts.get(part)
        if standing is not None and standing.code == code:
            return
        self.alert_index += 1
        self.all_events += 1
        self.critical_events += severity == "critical"
        self.alerts[part] = Alert(self.alert_index, severity, *part, code, text, self._uptime_then)
        self.version += 1

    def clear_alert(self, part: tuple[str, int]) -> None:
        """Take a part's alert away."""
        if self.alerts.pop(part, None) is not None:
            self.all_events += 1
            self.version += 1

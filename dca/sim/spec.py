"""What a model of a simulated device is: the parts that its MIB shows, as the files in `models/` give them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from dca.sim.cells import VendorCell

__all__ = ["Cover", "Input", "Interface", "Model", "Output", "Panel", "Reports", "Supply"]

Reports = Literal["exact", "some", "unknown", "steps", "state", "none"]
"""How a level is told: exact, -3 while anything is left, always -2, only in `steps` percent, as a state code
(0 fine, 1 low, 2 empty), or not in the standard table at all."""


@dataclass(frozen=True)
class Supply:
    """A row of prtMarkerSuppliesTable."""

    index: int
    type: str
    """A name of `names.SUPPLY_TYPE`."""
    description: str
    """A template: ``{chip}`` is the serial of the cartridge that is in."""
    color: str = ""
    """black, cyan, magenta, yellow: decides which pages use it up; empty means all pages."""
    capacity: int = 100
    """As reported, in `unit`; may be -2."""
    unit: str = "percent"
    pages: int = 10_000
    """How many pages it lasts."""
    colorant: int | None = None
    """Row of prtMarkerColorantTable; None: the row of its colour."""
    reports: Reports = "exact"
    steps: tuple[int, ...] = ()
    """The percentages that ``reports = "steps"`` can tell, highest first."""
    part: str = ""

    @property
    def receptacle(self) -> bool:
        """Tell whether it is filled instead of used up."""
        return self.type.startswith("waste")


@dataclass(frozen=True)
class Input:
    """A row of prtInputTable."""

    index: int
    name: str
    capacity: int
    """Sheets; -2 unknown."""
    type: str = "auto"
    media: str = ""
    reports: Reports = "exact"
    serves: bool = True
    """False: nobody feeds from it (an automatic choice, a bypass that is empty)."""


@dataclass(frozen=True)
class Output:
    """A row of prtOutputTable."""

    index: int
    name: str
    capacity: int
    remaining: int = -2
    type: str = "removable"


@dataclass(frozen=True)
class Cover:
    """A row of prtCoverTable."""

    index: int
    description: str


@dataclass(frozen=True)
class Interface:
    """A row of ifTable."""

    index: int
    description: str
    type: int = 6
    speed: int = 1_000_000_000
    mac: bool = True
    up: bool = True


@dataclass(frozen=True)
class Panel:
    """The texts that the device shows and writes into its alerts; ``{name}`` is the part concerned."""

    ready: str = "Ready"
    printing: str = "Printing..."
    sleep: str = "Sleep mode on"
    tray_low: str = "{name} low"
    tray_empty: str = "Load {name}"
    supply_low: str = "{name} low"
    supply_empty: str = "Replace {name}"
    waste_near: str = "{name} almost full"
    waste_full: str = "Replace {name}"
    cover: str = "Close {name}"


@dataclass(frozen=True)
class Model:
    """One model: everything that its devices have in common."""

    key: str
    maker: str
    model: str
    descr: str
    """sysDescr, a template."""
    object_id: str
    printer: bool = True
    hr_descr: str = "{maker} {model}"
    hr_object_id: str = "0.0"
    hr_others: tuple[tuple[str, str], ...] = ()
    """Further rows of hrDeviceTable: (hrDeviceTypes name, description)."""
    device_index: int = 1
    serial: str = "##########"
    """Pattern: ``#`` a digit, ``?`` a capital letter, the rest stands."""
    serial_shown: str | None = "{serial}"
    """prtGeneralSerialNumber; None: the device has no such instance."""
    firmware: str = ""
    name: str = "PRN{mac6}"
    """sysName, a template."""
    printer_name: str | None = "{model}"
    contact: str = ""
    asset: str = ""
    charset: str = "utf-8"
    languages: tuple[tuple[str, str], ...] = (("en", "US"),)
    """Rows of prtLocalizationTable: (language, country)."""
    interpreters: tuple[str, ...] = ("PCL", "PostScript")
    functions: tuple[str, ...] = ("print",)
    """Of print, copy, scan, fax."""
    color: bool = False
    large: bool = False
    """Takes A3."""
    ppm: int = 30
    mark_tech: str = "laser"
    counter_unit: str = "impressions"
    life_extra: float = 0.0
    """By what share prtMarkerLifeCount runs ahead of the billing total."""
    lines: int = 1
    columns: int = 0
    """Width that each console line is padded to; 0: not padded."""
    error_octets: int = 1
    alerts: bool = True
    """False: no prtAlertTable."""
    alert_idle: str = ""
    """A text that stands as an alert row while nothing is wrong (some makes write one)."""
    panel: Panel = field(default_factory=Panel)
    versions: tuple[str, ...] = ("1", "2c", "3")
    max_size: int = 1472
    """The largest message that it sends, octets."""
    bulk_rows: int = 0
    """The most repetitions that GETBULK gives; 0: as asked."""
    null_for_missing: bool = False
    """Answers NULL with noError where v2c has noSuchObject."""
    supplies: tuple[Supply, ...] = ()
    colorants: tuple[str, ...] = ("black", "cyan", "magenta", "yellow")
    """In the order of prtMarkerColorantTable; those that no supply has are left out."""
    inputs: tuple[Input, ...] = ()
    outputs: tuple[Output, ...] = ()
    covers: tuple[Cover, ...] = ()
    interfaces: tuple[Interface, ...] = (Interface(1, "eth0"),)
    vendor: tuple[tuple[str, VendorCell], ...] = ()
    """(dotted OID, cell) of what is outside the standard tables."""
    enterprise: int = 8072
    """Enterprise number in its SNMPv3 engine ID."""

    @property
    def colors(self) -> tuple[str, ...]:
        """Return the colorants that it has, in their order."""
        return tuple(color for color in self.colorants if any(supply.color == color for supply in self.supplies))

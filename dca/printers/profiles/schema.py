"""What a vendor profile can say, once it is read and checked. Objects are octets; nothing here does I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dca.printers.profiles.transforms import Transform

__all__ = [
    "IDENTITY_FIELDS",
    "CounterTable",
    "Difference",
    "Identity",
    "Meter",
    "PanelMessage",
    "Profile",
    "RecordSupply",
    "Records",
    "SupplyRules",
    "SupplyTable",
]

IDENTITY_FIELDS = ("manufacturer", "model", "serial", "firmware", "name", "asset")


class Identity(NamedTuple):
    """A field of Device that a scalar holds."""

    field: str
    oid: bytes
    first: bool
    """True: it is asked before the standard object of that field, not only where that one is silent."""
    transform: Transform


class Meter(NamedTuple):
    """A counter: one scalar, or scalars added and subtracted."""

    name: str
    unit: str
    source: str
    """The OIDs as text, with + and - between them."""
    terms: tuple[tuple[bytes, int], ...]
    """(object, +1 or -1)."""
    fallback: bool
    """True: it does not replace the standard counter of the same name."""


class Difference(NamedTuple):
    """A counter that follows from two others of the same profile."""

    name: str
    whole: str
    less: str


class CounterTable(NamedTuple):
    """Counters of which each row says by a code or a label what it counts; rows of one name are added."""

    key: bytes
    value: bytes
    rows: int
    """How many rows are asked for one by one (1 upwards); 0: the columns are walked."""
    before: bytes
    """Index octets that stand before the row's number."""
    unit: str
    names: Mapping[int | str, str]
    """Type code, or label in lower case -> meter name."""


class RecordSupply(NamedTuple):
    """A supply of which a byte-string table tells the level."""

    description: str
    type: str
    color: str
    percent: tuple[int, ...]
    """Ids of records that hold hundredths of a percent, the best first; of two octets: (now, when full)."""
    steps: int
    """Id of the record that holds a step (see `Profile.steps`); -1 for none."""
    models: tuple[str, ...]
    """Patterns of the models that it is for; all when empty."""


class PanelMessage(NamedTuple):
    """The object that a text for the panel is written to."""

    oid: bytes
    most: int
    """Characters that it takes."""
    pml: bool
    """True: two octets before the text name its symbol set, as HP's PML has it; the text is Roman-8."""


class Records(NamedTuple):
    """A byte string of records: id, 1, length, value; 0xFF ends it."""

    oid: bytes
    source: str
    meters: tuple[tuple[int, str], ...]
    unit: str
    supplies: tuple[RecordSupply, ...]
    steps: Mapping[int, str]


class SupplyTable(NamedTuple):
    """A vendor's own table of supplies; what a column does not say stays open."""

    key: str
    """What joins a row to a row of the standard table: index, description or color."""
    rows: int
    """How many rows are asked for one by one (1 upwards); 0: the columns are walked."""
    before: bytes
    """Index octets that stand before the row's number."""
    level: bytes
    capacity: bytes
    full: int
    """The capacity of every row where no column tells it; 0 for unknown."""
    unit: str
    description: bytes
    serial: bytes
    part: bytes
    add: bool
    """True: rows that join none are supplies too."""

    @property
    def columns(self) -> tuple[bytes, ...]:
        """The columns that it has."""
        return tuple(filter(None, (self.level, self.capacity, self.description, self.serial, self.part)))


@dataclass(frozen=True, slots=True)
class SupplyRules:
    """How a make departs from RFC 3805 in the standard supplies table."""

    codes: Mapping[int, str]
    """Levels that are steps, where the capacity is unknown."""
    counts_up: bool = False
    """True: a receptacle's level says how full it is."""
    part_number: Transform | None = None
    """What takes the part number out of a description."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known about one vendor's printers."""

    name: str
    manufacturer: str
    brands: tuple[tuple[str, str], ...]
    """(word in the description or model, in lower case; manufacturer), for makes that sell under other names."""
    object_ids: tuple[str, ...]
    enterprises: tuple[str, ...]
    """OID prefixes that say the vendor, but not that it is a printer."""
    descriptions: tuple[str, ...]
    """How sysDescr or a model begins, in lower case; "*word" may stand anywhere."""
    generic_models: tuple[str, ...]
    """What stands for a model and is none, in lower case; "word*" is a beginning."""
    identity: tuple[Identity, ...]
    meters: tuple[Meter, ...]
    differences: tuple[Difference, ...]
    counter_tables: tuple[CounterTable, ...]
    records: tuple[Records, ...]
    supply_tables: tuple[SupplyTable, ...]
    supply_rules: SupplyRules
    console: bytes
    console_fallback: bool
    """True: it is used only where the standard display shows nothing."""
    panel_message: PanelMessage | None
    """None: no way to write to the panel is known for this make."""
    scalars: tuple[bytes, ...]
    """Every single object that the profile asks for, in the order in which it matters."""

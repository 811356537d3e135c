"""What a device answered, before anything is made of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dca.errors import NoAnswerError, SnmpError
from dca.printers import objects
from dca.printers.ieee1284 import device_id
from dca.printers.text import clean_text
from dca.snmp.oids import dotted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dca.printers.profiles import Profile
    from dca.snmp.ask import Row
    from dca.snmp.types import Value, VarBind

__all__ = ["Facts"]


@dataclass(slots=True)
class Facts:
    """What a device answered."""

    scalars: dict[bytes, VarBind] = field(default_factory=dict)
    columns: dict[bytes, list[Row]] = field(default_factory=dict)
    missing: dict[str, None] = field(default_factory=dict)
    """Names of the parts that are not complete, in the order in which they failed."""
    reason: str = ""
    """What failed first, in words."""
    profiles: list[Profile] = field(default_factory=list)
    charset: int = 0
    """prtLocalizationCharacterSet in use; 0 when not announced."""
    is_printer: bool = True
    first_reply: float = 0.0
    failures: int = 0

    def value(self, name: bytes) -> Value:
        """Return the value of a single object; None when it is not there."""
        found = self.scalars.get(name)
        return found[2] if found else None

    def octets(self, name: bytes) -> bytes | None:
        """Return the value of a single object if it is octets."""
        value = self.value(name)
        return value if isinstance(value, bytes) else None

    def number(self, name: bytes) -> int | None:
        """Return the value of a single object if it is a number."""
        value = self.value(name)
        return value if type(value) is int else None

    def rows(self, column: bytes) -> list[Row]:
        """Return a column's rows."""
        return self.columns.get(column, [])

    @property
    def object_id(self) -> str:
        """SysObjectID, dotted; "" for none."""
        found = self.scalars.get(objects.SYS_OBJECT_ID)
        return dotted(found[2]) if found and isinstance(found[2], bytes) else ""

    @property
    def description(self) -> str:
        """SysDescr; "" for none."""
        return clean_text(self.value(objects.SYS_DESCR))

    @property
    def device_id(self) -> dict[str, str]:
        """The parts of the first IEEE 1284 device ID that names a model."""
        for name in objects.DEVICE_IDS:
            parts = device_id(clean_text(self.value(name), limit=1024)) if name in self.scalars else {}
            if "MDL" in parts:
                return parts
        return {}

    def failed(self, parts: Sequence[str], error: SnmpError) -> None:
        """Note that these parts are not complete."""
        self.missing.update(dict.fromkeys(parts))
        self.reason = self.reason or str(error)
        self.failures += isinstance(error, NoAnswerError)

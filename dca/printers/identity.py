"""Who a device says it is: the standard objects, the vendor's, the IEEE 1284 device ID and sysDescr, in that order.

A profile may put an object of its own before the standard one of a field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dca.printers import objects
from dca.printers.text import clean_text, is_placeholder
from dca.snmp.oids import arcs, dotted
from dca.wire.snapshot_pb2 import Device

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dca.printers.facts import Facts

__all__ = ["read_device"]

_ETHERNETS = frozenset((6, 7, 26, 62, 69, 71, 117))
"""ifType of what has an IEEE 802 address of its own: Ethernet in its several numbers, Wi-Fi."""
_MAC = 6
_MAKERS = {"hewlett-packard": "HP", "hp": "HP", "hewlett packard": "HP", "epson": "Epson", "seiko epson": "Epson"} | {
    "konica minolta": "Konica Minolta",
    "brother industries": "Brother",
    "kyocera mita": "Kyocera",
    "ricoh": "Ricoh",
    "sharp": "Sharp",
    "samsung electronics": "Samsung",
    "zebra technologies": "Zebra",
    "oki data corp": "OKI",
    "oki uk ltd": "OKI",
}
"""How makers write themselves in device IDs -> as they are called here."""
_MAKER_LENGTH = 40
_SHORT = 4
"""Letters below which a word is no piece of a serial number."""


class _Fields:
    """The fields of Device as they are found, each with the OID it came from."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self.device = Device()

    def set(self, field: str, value: str, source: bytes) -> bool:
        """Set the field if there is a value and it has none yet."""
        if not value or self.device.HasField(field):  # type: ignore[arg-type]
            return False
        setattr(self.device, field, value)
        self.device.sources[field] = dotted(source)
        return True

    def vendor(self, field: str, *, first: bool) -> Iterator[tuple[str, bytes]]:
        """Yield what the profiles' objects say of a field."""
        facts = self._facts
        for profile in facts.profiles:
            for part in profile.identity:
                if part.field == field and part.first == first and part.oid in facts.scalars:
                    found = part.transform(facts.value(part.oid), facts.charset)
                    if found and found.lower() != "null":
                        yield found, part.oid


def read_device(facts: Facts) -> Device:
    """Return what the device says of itself."""
    fields = _Fields(facts)
    device = fields.device
    fields.set("description", facts.description, objects.SYS_DESCR)
    fields.set("object_id", facts.object_id, objects.SYS_OBJECT_ID)
    for field, name in (("name", objects.SYS_NAME), ("location", objects.SYS_LOCATION)):
        fields.set(field, clean_text(facts.value(name)), name)
    for field in ("name", "firmware", "asset"):
        for value, source in fields.vendor(field, first=False):
            fields.set(field, value, source)
    for value, source in _serials(facts, fields):
        if not is_placeholder(value) and fields.set("serial", value, source):
            break
    named = ""
    for value, source in _models(facts, fields):
        model = _model(value, device, facts)
        if model and fields.set("model", model, source):
            named = value
            break
    for value, source in _makers(facts, fields, named):
        fields.set("manufacturer", value, source)
    mac, source = _mac(facts)
    fields.set("mac", mac, source)
    return device


def _serials(facts: Facts, fields: _Fields) -> Iterator[tuple[str, bytes]]:
    yield from fields.vendor("serial", first=True)
    standard = objects.PRT_SERIAL + objects.FIRST
    yield clean_text(facts.value(standard), facts.charset), standard
    for index, _, value in facts.rows(objects.PRT_SERIAL):
        yield clean_text(value, facts.charset), objects.PRT_SERIAL + index
    yield from fields.vendor("serial", first=False)
    yield facts.device_id.get("SN", ""), _device_id_source(facts)


def _models(facts: Facts, fields: _Fields) -> Iterator[tuple[str, bytes]]:
    yield from fields.vendor("model", first=True)
    for index, _, value in _printer_devices(facts):
        yield clean_text(value, facts.charset), objects.HR_DEVICE_DESCR + index
    yield facts.device_id.get("MDL", ""), _device_id_source(facts)
    yield from fields.vendor("model", first=False)
    name = objects.PRT_NAME + objects.FIRST
    yield clean_text(facts.value(name), facts.charset), name
    if facts.profiles:  # without one, sysDescr may be anything
        yield facts.description, objects.SYS_DESCR


def _printer_devices(facts: Facts) -> Iterator[tuple[bytes, int, object]]:
    """Yield hrDeviceDescr of the devices that are printers; the first device's where no type is told."""
    first = facts.scalars.get(objects.HR_DEVICE_DESCR + objects.FIRST)
    kind = facts.value(objects.HR_DEVICE_TYPE + objects.FIRST)
    if first and kind in (None, objects.HR_DEVICE_PRINTER):
        yield objects.FIRST, first[1], first[2]
    kinds = {index: value for index, _, value in facts.rows(objects.HR_DEVICE_TYPE)}
    for index, tag, value in facts.rows(objects.HR_DEVICE_DESCR):
        if kinds.get(index) == objects.HR_DEVICE_PRINTER:
            yield index, tag, value


def _device_id_source(facts: Facts) -> bytes:
    return next((name for name in objects.DEVICE_IDS if name in facts.scalars), objects.PWG_DEVICE_ID)


def _makers(facts: Facts, fields: _Fields, named: str) -> Iterator[tuple[str, bytes]]:
    """Yield who made it: the brand in the words (sysDescr's and the model's), the profile's maker, the device ID's."""
    words = f" {facts.description} {named} ".lower()
    described = objects.SYS_DESCR if facts.description else objects.SYS_OBJECT_ID
    yield from fields.vendor("manufacturer", first=True)
    for profile in facts.profiles:
        for brand, maker in profile.brands:
            if brand in words:
                yield maker, described
    if facts.profiles:
        yield facts.profiles[0].manufacturer, described
    yield from fields.vendor("manufacturer", first=False)
    made_by = facts.device_id.get("MFG", "")
    yield _MAKERS.get(made_by.lower(), made_by)[:_MAKER_LENGTH], _device_id_source(facts)


def _model(found: str, device: Device, facts: Facts) -> str:
    """Return a model's bare name: without maker, serial number, firmware and the word Series; "" if it is none."""
    words = found.partition(" [")[0].split()
    for at, word in enumerate(words[1:], 1):
        if len(word) > _SHORT and (device.serial.startswith(word) or word == device.firmware):
            words = words[:at]
            break
    if len(words) > 1 and words[-1].lower() == "series":
        words.pop()
    name = " ".join(words)
    for profile in facts.profiles:
        if _is_generic(name.lower(), profile.generic_models):
            return ""
        for maker in (profile.manufacturer, *(maker for _, maker in profile.brands)):
            name = _without(name, maker)
    return name


def _without(name: str, maker: str) -> str:
    """Return the name without the maker's before it, however often it is said; something must be left."""
    size = len(maker)
    while name[:size].lower() == maker.lower() and name[size : size + 1] in (" ", ",") and name[size + 1 :].strip():
        name = name[size + 1 :].strip()
    return name


def _is_generic(name: str, patterns: tuple[str, ...]) -> bool:
    return any(name.startswith(word[:-1]) if word.endswith("*") else name == word for word in patterns)


def _mac(facts: Facts) -> tuple[str, bytes]:
    """Return the hardware address of the first real interface and its OID; an address given out globally is better."""
    kinds = {index: value for index, _, value in facts.rows(objects.IF_TYPE)}
    found: list[tuple[int, tuple[int, ...], bytes, bytes]] = []
    for index, _, value in facts.rows(objects.IF_PHYS_ADDRESS):
        kind = kinds.get(index)
        if not isinstance(value, bytes) or len(value) != _MAC or not any(value) or value[0] & 1:
            continue
        if kind is None or kind in _ETHERNETS:
            found.append((value[0] >> 1 & 1, arcs(index), value, index))
    if not found:
        return "", b""
    _, _, address, index = min(found)
    return address.hex(":"), objects.IF_PHYS_ADDRESS + index

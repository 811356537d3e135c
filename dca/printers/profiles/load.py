"""Profile files read and checked: TOML in, `Profile` out."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from dca.errors import ProfileError
from dca.printers.names import SUPPLY_TYPES, SUPPLY_UNITS
from dca.printers.profiles.fields import Fields
from dca.printers.profiles.schema import (
    IDENTITY_FIELDS,
    CounterTable,
    Difference,
    Identity,
    Meter,
    PanelMessage,
    Profile,
    Records,
    RecordSupply,
    SupplyRules,
    SupplyTable,
)
from dca.snmp.oids import dotted, oid

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["METER_WORDS", "parse_profile"]

METER_WORDS = ("total", "print", "copy", "fax", "scan", "list", "duplex", "simplex", "life")
"""What a meter's name begins with."""
_METER_TAILS = ("mono", "color", "large", "small", "fax", "copy", "other")
_MOST_ROWS = 40
_MOST_TEXT = 255
_STATES = ("ok", "low", "empty")
_UNITS = tuple(SUPPLY_UNITS.values())
_TYPES = ("", *SUPPLY_TYPES.values())


def parse_profile(file: str, content: str) -> Profile:
    """Return the profile that a file holds.

    Raises:
        ProfileError: with the file, the key and what is allowed.
    """
    try:
        table = tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"{file}: no TOML: {error}") from error
    fields = Fields(file, "", table)
    match = fields.table("match")
    identity = tuple(_identity(part) for part in fields.tables("identity"))
    meters = tuple(_meter(part) for part in fields.tables("meter"))
    records = tuple(_records(part) for part in fields.tables("records"))
    supplies = tuple(_supply_table(part) for part in fields.tables("supply_table"))
    console = fields.table("console")
    panel = console.oid("oid", needed=False)
    if panel:
        console.text("stated_by")
    profile = Profile(
        name=fields.text("name"),
        manufacturer=fields.text("manufacturer"),
        brands=tuple((word.lower(), maker) for word, maker in fields.pairs("brands").items()),
        object_ids=match.prefixes("object_ids"),
        enterprises=match.prefixes("enterprises"),
        descriptions=tuple(text.lower() for text in match.texts("descriptions")),
        generic_models=tuple(text.lower() for text in fields.texts("generic_models")),
        identity=identity,
        meters=meters,
        differences=tuple(_difference(part) for part in fields.tables("difference")),
        counter_tables=tuple(_counter_table(part) for part in fields.tables("counter_table")),
        records=records,
        supply_tables=supplies,
        supply_rules=_rules(fields.table("supplies")),
        console=panel,
        console_fallback=console.flag("fallback"),
        panel_message=_panel_message(fields.table("panel_message")),
        scalars=_scalars(identity, meters, records, panel),
    )
    match.done()
    console.done()
    fields.done()
    if not (profile.object_ids or profile.enterprises or profile.descriptions):
        raise ProfileError(f"{file}: match must have object_ids, enterprises or descriptions")
    return profile


def _panel_message(part: Fields) -> PanelMessage | None:
    octets = part.oid("oid", needed=False)
    encoding = part.choice("encoding", ("text", "pml"), "text")
    most = part.number("most", 0, _MOST_TEXT)
    if octets:
        part.text("stated_by")
        if not most:
            raise part.wrong("most", f"the characters that fit, 1 to {_MOST_TEXT}")
    part.done()
    return PanelMessage(octets, most, encoding == "pml") if octets else None


def _scalars(
    identity: Iterable[Identity], meters: Iterable[Meter], records: Iterable[Records], console: bytes
) -> tuple[bytes, ...]:
    wanted = [part.oid for part in identity]
    wanted += [term for meter in meters for term, _ in meter.terms]
    wanted += [part.oid for part in records]
    wanted += [console] if console else []
    return tuple(dict.fromkeys(wanted))


def _identity(part: Fields) -> Identity:
    found = Identity(
        field=part.choice("field", IDENTITY_FIELDS),
        oid=part.oid("oid"),
        first=part.flag("first"),
        transform=part.transform("transform"),
    )
    part.text("stated_by")
    part.done()
    return found


def _meter_name(part: Fields, key: str, name: str) -> str:
    words = name.split("_")
    if words[0] not in METER_WORDS or any(word not in _METER_TAILS for word in words[1:]):
        raise part.wrong(key, f"one of {', '.join(METER_WORDS)}, with _{', _'.join(_METER_TAILS)} where told apart")
    return name


def _meter(part: Fields) -> Meter:
    first = part.oid("oid")
    terms = [(first, 1), *((term, 1) for term in part.oids("plus")), *((term, -1) for term in part.oids("minus"))]
    source = dotted(first) + "".join(f" {'+' if sign > 0 else '-'} {dotted(term)}" for term, sign in terms[1:])
    found = Meter(
        name=_meter_name(part, "name", part.text("name")),
        unit=part.choice("unit", ("", *_UNITS), ""),
        source=source,
        terms=tuple(terms),
        fallback=part.flag("fallback"),
    )
    part.text("stated_by")
    part.done()
    return found


def _difference(part: Fields) -> Difference:
    names = (_meter_name(part, key, part.text(key)) for key in ("name", "whole", "less"))
    found = Difference(*names)
    part.done()
    return found


def _counter_table(part: Fields) -> CounterTable:
    rows = part.number("rows", 0, _MOST_ROWS)
    codes = part.numbered("codes", 10, ())
    labels = {label.lower(): name for label, name in part.pairs("labels").items()}
    if bool(codes) == bool(labels):
        raise part.wrong("codes", "given, or `labels` instead")
    for name in (*codes.values(), *labels.values()):
        _meter_name(part, "codes" if codes else "labels", name)
    found = CounterTable(
        key=part.column("key", walked=rows == 0),
        value=part.column("value", walked=rows == 0),
        rows=rows,
        before=_index(part, part.text("before", "")),
        unit=part.choice("unit", ("", *_UNITS), ""),
        names=dict[int | str, str]((*codes.items(), *labels.items())),
    )
    part.text("stated_by")
    part.done()
    return found


def _records(part: Fields) -> Records:
    octets = part.oid("oid")
    meters = part.numbered("meters", 16, ())
    for name in meters.values():
        _meter_name(part, "meters", name)
    found = Records(
        oid=octets,
        source=dotted(octets),
        meters=tuple(meters.items()),
        unit=part.choice("unit", ("", *_UNITS), ""),
        supplies=tuple(_record_supply(supply) for supply in part.tables("supply")),
        steps=part.numbered("steps", 10, _STATES),
    )
    part.text("stated_by")
    part.done()
    return found


def _record_supply(part: Fields) -> RecordSupply:
    ids = part.texts("percent")
    try:
        percent = tuple(int(number, 16) for number in ids)
        steps = int(part.text("steps", "") or "-1", 16)
    except ValueError:
        raise part.wrong("percent", "a list of record ids, two hexadecimal digits each, as `steps` is one") from None
    found = RecordSupply(
        description=part.text("description"),
        type=part.choice("type", _TYPES, ""),
        color=part.text("color", ""),
        percent=percent,
        steps=steps,
        models=tuple(model.lower() for model in part.texts("models")),
    )
    part.done()
    return found


def _supply_table(part: Fields) -> SupplyTable:
    rows = part.number("rows", 0, _MOST_ROWS)
    walked = rows == 0
    before = part.text("before", "")
    found = SupplyTable(
        key=part.choice("key", ("index", "description", "color")),
        rows=rows,
        before=_index(part, before),
        level=part.column("level", walked=walked, needed=False),
        capacity=part.column("capacity", walked=walked, needed=False),
        full=part.number("full", 0, 1_000_000),
        unit=part.choice("unit", ("", *_UNITS), ""),
        description=part.column("description", walked=walked, needed=False),
        serial=part.column("serial", walked=walked, needed=False),
        part=part.column("part", walked=walked, needed=False),
        add=part.flag("add"),
    )
    part.text("stated_by")
    part.done()
    if found.key == "description" and not found.description:
        raise part.wrong("description", "a column, for it is the key")
    if found.add and not found.level:
        raise part.wrong("level", "a column, for rows are added")
    return found


def _index(part: Fields, before: str) -> bytes:
    if not before:
        return b""
    try:
        return oid(f"1.3.{before}")[1:]
    except ValueError:
        raise part.wrong("before", "the arcs between a column and a row's number, e.g. 1") from None


def _rules(part: Fields) -> SupplyRules:
    found = SupplyRules(
        codes=part.numbered("codes", 10, _STATES),
        counts_up=part.flag("receptacle_counts_up"),
        part_number=part.transform("part_number") if part.texts("part_number") else None,
    )
    if found.codes or found.counts_up or found.part_number:
        part.text("stated_by")
    part.done()
    return found

"""Read the model files into `Model`s, every mistake at once."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from dca.errors import ConfigError, ConfigProblem
from dca.sim.names import CHARSET, INPUT_TYPE, MARK_TECH, OUTPUT_TYPE, SUPPLY_TYPE, UNIT
from dca.sim.spec import Cover, Input, Interface, Model, Output, Panel, Supply
from dca.sim.vendor import vendor_cell
from dca.snmp.oids import oid

if TYPE_CHECKING:
    from dca.sim.cells import VendorCell

__all__ = ["load_models", "read_models"]

_ROWS = {"supplies": Supply, "inputs": Input, "outputs": Output, "covers": Cover, "interfaces": Interface}
_NAMED = {
    "type": {**SUPPLY_TYPE, **INPUT_TYPE, **OUTPUT_TYPE},
    "unit": UNIT,
    "charset": CHARSET,
    "mark_tech": MARK_TECH,
}


@lru_cache(maxsize=1)
def load_models() -> dict[str, Model]:
    """Return every model by its key.

    Raises:
        ConfigError: a model file cannot be used.
    """
    found: dict[str, Model] = {}
    for entry in sorted(files("dca.sim.models").iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".toml"):
            found.update({model.key: model for model in read_models(entry.name, entry.read_text("utf-8"))})
    return found


def read_models(name: str, text: str) -> list[Model]:
    """Return the models of one file's text; `name` stands in the message of an error.

    Raises:
        ConfigError: the text cannot be used.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(name, [ConfigProblem("", str(error))]) from error
    common = content.get("common", {})
    problems: list[ConfigProblem] = []
    models = [_model(common, given, place, problems) for place, given in enumerate(content.get("model", []))]
    if problems:
        raise ConfigError(name, problems)
    return [model for model in models if model is not None]


def _model(common: dict[str, Any], given: dict[str, Any], place: int, problems: list[ConfigProblem]) -> Model | None:
    before = len(problems)
    where = f"model[{place}]"
    merged: dict[str, Any] = {**common, **given}
    vendor = {**common.get("vendor", {}), **given.get("vendor", {})}
    panel = {**common.get("panel", {}), **given.get("panel", {})}
    values: dict[str, Any] = {
        key: tuple(_part(_ROWS[key], row, f"{where}.{key}[{n}]", problems) for n, row in enumerate(merged[key]))
        for key in merged.keys() & _ROWS.keys()
    }
    values.update({key: _frozen(merged[key]) for key in merged.keys() - _ROWS.keys() - {"vendor", "panel"}})
    values["panel"] = _part(Panel, panel, f"{where}.panel", problems)
    values["vendor"] = tuple(_vendor(vendor, values.get("supplies", ()), where, problems))
    model: Model | None = _part(Model, values, where, problems)
    return model if len(problems) == before else None


def _part(kind: type, given: dict[str, Any], where: str, problems: list[ConfigProblem]) -> Any:
    allowed = {field.name for field in fields(kind)}
    problems += [
        ConfigProblem(f"{where}.{key}", f"there is no such field; {kind.__name__} has {sorted(allowed)}")
        for key in sorted(given.keys() - allowed)
    ]
    for key, names in _NAMED.items():
        if isinstance(given.get(key), str) and key in allowed and given[key] not in names:
            problems.append(ConfigProblem(f"{where}.{key}", f"{given[key]!r} is none of {sorted(names)}"))
    try:
        return kind(**{key: _frozen(value) for key, value in given.items() if key in allowed})
    except TypeError as error:
        problems.append(ConfigProblem(where, str(error)))
        return None


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


def _vendor(
    given: dict[str, Any], supplies: tuple[Supply | None, ...], where: str, problems: list[ConfigProblem]
) -> list[tuple[str, VendorCell]]:
    found = []
    for key, cell in given.items():
        rows = [str(s.index) for s in supplies if s is not None] if "{supply}" in key else [""]
        for row in rows:
            name = key.replace("{supply}", row)
            dotted = name if name.startswith("1.3.6") else f"1.3.6.1.4.1.{name}"
            try:
                oid(dotted)
                of_row = {k: v.replace("{supply}", row) if isinstance(v, str) else v for k, v in cell.items()}
                found.append((dotted, vendor_cell(of_row)))
            except ValueError as error:
                problems.append(ConfigProblem(f"{where}.vendor.{key}", str(error)))
    return found

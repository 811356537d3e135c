"""Every figure is documented, belongs to one entry, and the one JSON object says what is missing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.bench.__main__ import ENTRIES
from tests.bench.bench import alternating
from tests.bench.sheet import FIGURES, Sheet

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"


def test_the_document_names_every_figure_and_no_other() -> None:
    benched = DOCUMENT.read_text("utf-8").partition("\n## Figures of ")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([a-z0-9_]+)` \|", benched, re.MULTILINE)
    assert sorted(rows) == sorted(FIGURES)


def test_the_document_states_every_bar() -> None:
    text = DOCUMENT.read_text("utf-8")
    for figure in FIGURES.values():
        row = next(line for line in text.splitlines() if line.startswith(f"| `{figure.name}` |"))
        bar = row.split("|")[2].strip()
        assert bar == ("" if figure.bar is None else f"{'≥' if figure.least else '≤'} {figure.bar:g}"), figure.name


def test_each_figure_belongs_to_one_entry() -> None:
    listed = [name for entry in ENTRIES for name in entry.figures]
    assert sorted(listed) == sorted(FIGURES)
    assert len({entry.name for entry in ENTRIES}) == len(ENTRIES)


def test_the_object_tells_values_misses_and_reasons() -> None:
    told: list[str] = []
    sheet = Sheet(tell=told.append)
    sheet.put({"engine_full_poll": 3.14159, "lab_254_vs_exporter": "it is not installed"})
    sheet.skip(["silent_24_s"], "no namespaces")
    sheet.fail(["hub_snapshots_per_s"], "it ended")
    found = json.loads(json.dumps(sheet.document()))
    assert found["engine_full_poll"] == 3.14
    assert found["silent_24_s"] is None
    assert found["missed"] == ["engine_full_poll"]
    assert found["skipped"] == {"lab_254_vs_exporter": "it is not installed", "silent_24_s": "no namespaces"}
    assert found["failed"] == {"hub_snapshots_per_s": "it ended"}
    assert found["bars"]["engine_full_poll"] == 2.5
    assert "MISSED" in sheet.table()


def test_an_unknown_figure_is_an_error() -> None:
    with pytest.raises(KeyError):
        Sheet(tell=lambda _: None).put({"made_up": 1.0})


def test_programs_take_turns_and_their_medians_are_compared() -> None:
    order: list[str] = []

    def program(name: str, values: list[float]):
        remaining = iter(values)

        def run() -> float:
            order.append(name)
            return next(remaining)

        return run

    found = alternating(3, a=program("a", [1.0, 9.0, 2.0]), b=program("b", [5.0, 4.0, 40.0]))
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert found == {"a": 2.0, "b": 5.0}

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dca.hub.web.words import FAILURES, level_of, supply_label, thousands, when
from dca.wire import snapshot_pb2 as wire


@pytest.mark.parametrize(
    ("percent", "text", "grade"),
    [
        (100.0, "100\u202f%", "ok"),
        (10.4, "10\u202f%", "ok"),
        (10.0, "10\u202f%", "warn"),
        (3.0, "3\u202f%", "bad"),
        (0.4, "<\u202f1\u202f%", "bad"),
        (0.0, "0\u202f%", "bad"),
    ],
)
def test_a_measured_level_is_a_percentage(percent: float, text: str, grade: str) -> None:
    assert level_of("measured", percent) == (text, percent, grade)


@pytest.mark.parametrize("state", ["some_remaining", "unknown", "unrestricted", "ok", "low", "empty", "", "new_state"])
def test_what_was_not_measured_gets_no_percentage(state: str) -> None:
    level = level_of(state, None)
    assert level.percent is None
    assert "%" not in level.text
    assert not any(letter.isdigit() for letter in level.text)


@given(st.floats())
def test_no_percentage_outside_0_to_100_is_ever_shown(percent: float) -> None:
    level = level_of("measured", percent)
    assert level.percent is None or 0 <= level.percent <= 100


def test_a_level_without_percentage_is_said_in_its_own_unit() -> None:
    assert level_of("measured", None, 310, 550).text == "310 of 550"
    assert level_of("measured", None, 1200).text == "1\u202f200"


@pytest.mark.parametrize(
    ("kind", "color", "description", "label"),
    [
        ("toner", "black", "Black Cartridge", "Black"),
        ("ink_cartridge", "light_cyan", "", "Light cyan"),
        ("opc", "black", "Drum", "Black drum"),
        ("waste_toner", "", "Waste Toner Box", "Waste"),
        ("fuser", "", "", "Fuser"),
        ("other", "", "Staples", "Staples"),
        ("", "", "", "Supply"),
    ],
)
def test_labels_are_short(kind: str, color: str, description: str, label: str) -> None:
    assert supply_label(kind, color, description) == label


def test_figures_and_times_read_well() -> None:
    assert thousands(1234567) == "1\u202f234\u202f567"
    assert when(datetime(2026, 11, 2, 9, 5, tzinfo=UTC)) == "2 Nov 2026 09:05 UTC"


def test_every_failure_has_words() -> None:
    fine = {wire.OUTCOME_UNSPECIFIED, wire.OUTCOME_OK, wire.OUTCOME_PARTIAL}
    assert set(FAILURES) == set(wire.Outcome.values()) - fine

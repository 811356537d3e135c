from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dca.printers.names import SUPPLY_TYPES, error_names
from dca.printers.words import color_of, type_of


@pytest.mark.parametrize(
    ("description", "colorant", "wanted"),
    [
        ("Black Cartridge HP CF410A", "", "black"),
        ("Toner (Cyan)", "", "cyan"),
        ("Schwarzer Toner", "black", "black"),
        ("Toner jaune", "", "yellow"),
        ("青色碳粉", "", "cyan"),
        ("洋紅色碳粉", "", "magenta"),
        ("TK-1262S", "black", "black"),
        ("Cyan Toner", "magenta", "cyan"),
        ("Light Magenta Ink", "magenta", "light_magenta"),
        ("Belt Unit", "", ""),
        ("Drum", "other", ""),
        ("Cartridge", "spot 1", "spot_1"),
        ("Required part", "", ""),
    ],
)
def test_the_word_of_the_description_wins(description, colorant, wanted):
    assert color_of(description, colorant) == wanted


@pytest.mark.parametrize(
    ("description", "wanted"),
    [
        ("Waste Toner Box", "waste_toner"),
        ("廢棄碳粉", "waste_toner"),
        ("Maintenance Box T6713", "waste_ink"),
        ("Image Transfer Belt Unit", "transfer_unit"),
        ("Cyan Photoconductive Drum", "opc"),
        ("Fusing Unit", "fuser"),
        ("Magenta Developer", "developer"),
        ("黑色碳粉", "toner"),
        ("Black Ink Bottle", "ink"),
        ("TK-1262S", ""),
    ],
)
def test_words_tell_the_type(description, wanted):
    assert type_of(description) == wanted


@given(st.text(max_size=80), st.text(max_size=30))
def test_any_words_are_taken(description, colorant):
    assert type_of(description) in ("", *SUPPLY_TYPES.values())
    assert len(color_of(description, colorant)) <= 32


@pytest.mark.parametrize(
    ("octets", "wanted"),
    [
        (b"", []),
        (b"\x00", []),
        (b" ", ["low_toner"]),
        (b"\x30", ["low_toner", "no_toner"]),
        (b"\x02", ["offline"]),
        (b"\x80\x00", ["low_paper"]),
        (b"\x01\x00", ["service_requested"]),
        (b"\x00\x82", ["input_tray_missing", "overdue_prevent_maint"]),
        (b"\x40\x00\xff\xff", ["no_paper"]),
    ],
)
def test_bit_0_of_the_error_state_is_the_highest(octets, wanted):
    assert error_names(octets) == wanted

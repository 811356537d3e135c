from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dca.printers.ieee1284 import device_id
from dca.printers.records import record_percent, records


def test_records_end_at_ff():
    assert records(bytes.fromhex("00010400000f4a 010102beef ff 020101aa")) == {
        0: bytes.fromhex("00000f4a"),
        1: b"\xbe\xef",
    }


@pytest.mark.parametrize("octets", ["", "ff", "6f", "6f01", "6f0104000a", "6f02040000000a", "6f0100"])
def test_what_is_cut_off_is_left_out(octets):
    assert records(bytes.fromhex(octets)) == {}


@pytest.mark.parametrize(
    ("body", "percent"),
    [
        ("00001e14", 77.0),
        ("00002710", 100.0),
        ("0414", 20.0),
        ("1414", 100.0),
        ("1514", None),
        ("0400", None),
        ("00002711", None),
        ("03", None),
        ("", None),
    ],
)
def test_a_record_is_hundredths_or_steps_now_and_when_full(body, percent):
    assert record_percent(bytes.fromhex(body)) == percent


@given(st.binary(max_size=400))
def test_any_octets_are_taken(octets):
    for body in records(octets).values():
        percent = record_percent(body)
        assert percent is None or 0 <= percent <= 100


def test_device_ids_are_read_by_short_and_long_keys():
    found = device_id("MANUFACTURER:OKI;COMMAND SET:PCL;MODEL:MC100;MODEL:second;CLASS:PRINTER;:x;SN: ;")
    assert found == {"MFG": "OKI", "CMD": "PCL", "MDL": "MC100", "CLS": "PRINTER"}
    assert device_id("FG:Brother;MDL:HL-1")["MFG"] == "Brother"


@given(st.text(max_size=200))
def test_any_text_is_a_device_id(text):
    assert all(key and value for key, value in device_id(text).items())

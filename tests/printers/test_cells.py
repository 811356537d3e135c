from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dca.printers.cells import Cells
from dca.snmp.oids import oid

PRINTERS = ["hp", "kyocera", "epson", "brother", "ricoh", "sharp", "canon", "zebra", "tsc"]


@pytest.mark.parametrize("name", PRINTERS)
def test_come_back_as_they_went(lab, name):
    cells = lab.read(lab.recorded(name)).cells
    data = cells.to_bytes()
    again = Cells.from_bytes(data)
    assert again == cells
    assert again.to_bytes() == data
    assert len(data) < 3000


def test_hold_no_numbers_in_their_supplies(lab):
    for cell in lab.read(lab.recorded("hp")).cells.supplies:
        assert not cell.supply.HasField("level")
        assert not cell.supply.HasField("percent")
        assert cell.supply.state == ""


@given(st.binary(max_size=200))
def test_any_octets_are_cells_or_none(data):
    found = Cells.from_bytes(data)
    assert found is None or isinstance(found, Cells)


@given(st.integers(0, 3000), st.integers(1, 255), st.sampled_from(PRINTERS))
def test_damage_is_found_or_harmless(lab, at, change, name):
    data = bytearray(lab.read(lab.recorded(name)).cells.to_bytes())
    data[at % len(data)] ^= change
    found = Cells.from_bytes(bytes(data))
    if found is not None:
        device = lab.recorded(name)
        lab.known(device, found, 2)  # whatever it asks for, the answer is a snapshot or None


def test_what_is_cut_off_or_of_another_version_is_none(lab):
    data = lab.read(lab.recorded("hp")).cells.to_bytes()
    assert all(Cells.from_bytes(data[:size]) is None for size in range(len(data)))
    assert Cells.from_bytes(data + b"\0") is None
    assert Cells.from_bytes(b"\x02" + data[1:]) is None


def test_a_forbidden_object_is_no_cell(lab):
    cells = lab.read(lab.recorded("hp")).cells
    forbidden = dataclasses.replace(cells, status=oid("1.3.6.1.4.1.1248.1.2.2.44.1.1"))
    assert Cells.from_bytes(forbidden.to_bytes()) is None


def test_lists_have_a_limit():
    assert Cells.from_bytes(Cells(console=(b"\x2b\x06",) * 300).to_bytes()) is None

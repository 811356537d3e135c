"""Polls of a device that is known: two PDUs, and a full reading when it is not as it was."""

from __future__ import annotations

import dataclasses

import pytest

from dca.errors import NoAnswerError, ProfileError
from dca.snmp.oids import oid
from dca.wire.snapshot_pb2 import OUTCOME_OK, OUTCOME_PARTIAL, READ_KIND_STATUS, READ_KIND_SUPPLIES

PRINTERS = ["hp", "kyocera", "epson", "brother", "ricoh", "konica", "sharp", "canon", "xerox", "pantum", "samsung"]


def put(device, name, value):
    key = tuple(map(int, f"1.3.6.1.2.1.{name}".split(".")))
    old = device.values[key]
    device.values[key] = (old[0], old[1], value)


@pytest.mark.parametrize("name", PRINTERS)
def test_a_status_poll_takes_two_pdus(lab, name):
    device = lab.recorded(name)
    reading = lab.read(device)
    snapshot = lab.known(device, reading.cells, READ_KIND_STATUS)
    assert len(device.asked) == 2
    assert len(device.asked[0].oids) <= 25
    assert snapshot.outcome == OUTCOME_OK
    assert snapshot.kind == READ_KIND_STATUS
    whole = reading.snapshot
    assert (snapshot.status, snapshot.errors, snapshot.console) == (whole.status, whole.errors, whole.console)
    assert (snapshot.alerts, snapshot.uptime) == (whole.alerts, whole.uptime)
    assert all(supply in whole.supplies for supply in snapshot.supplies)
    assert all(meter in whole.meters for meter in snapshot.meters)


@pytest.mark.parametrize("name", PRINTERS)
def test_a_supplies_poll_brings_the_supplies_and_meters_of_a_full_reading(lab, name):
    device = lab.recorded(name)
    reading = lab.read(device)
    cells = type(reading.cells).from_bytes(reading.cells.to_bytes())
    snapshot = lab.known(device, cells, READ_KIND_SUPPLIES)
    assert snapshot.supplies == reading.snapshot.supplies
    assert list(snapshot.meters) == list(reading.snapshot.meters)
    assert snapshot.kind == READ_KIND_SUPPLIES
    assert len(device.asked) <= 2


def test_new_numbers_are_read(lab):
    device = lab.recorded("hp")
    cells = lab.read(device).cells
    put(device, "43.11.1.1.9.1.1", 60)
    put(device, "43.10.2.1.4.1.1", 4300)
    put(device, "25.3.5.1.2.1", b"\x20")
    snapshot = lab.known(device, cells, READ_KIND_STATUS)
    assert (snapshot.supplies[0].level, snapshot.supplies[0].percent) == (60, 60)
    assert ("total", 4300) in [(meter.name, meter.value) for meter in snapshot.meters]
    assert list(snapshot.errors) == ["low_toner"]
    put(device, "43.11.1.1.9.1.1", -3)
    supply = lab.known(device, cells, READ_KIND_STATUS).supplies[0]
    assert (supply.state, supply.HasField("level"), supply.HasField("percent")) == ("some_remaining", False, False)


@pytest.mark.parametrize("kind", [READ_KIND_STATUS, READ_KIND_SUPPLIES])
@pytest.mark.parametrize(
    ("name", "value"),
    [("43.5.1.1.17.1", b"ANOTHER001"), ("43.11.1.1.9.1.3", 15000), ("43.11.1.1.9.1.1", b"text")],
    ids=["another serial", "a new cartridge", "a level that is none"],
)
def test_a_device_that_is_not_as_it_was_is_read_in_full(lab, kind, name, value):
    device = lab.recorded("kyocera")
    cells = lab.read(device).cells
    put(device, name, value)
    assert lab.known(device, cells, kind) is None


def test_another_capacity_is_another_cartridge(lab):
    device = lab.recorded("kyocera")
    cells = lab.read(device).cells
    put(device, "43.11.1.1.8.1.1", 12000)
    assert lab.known(device, cells, READ_KIND_SUPPLIES) is None


@pytest.mark.parametrize("kind", [READ_KIND_STATUS, READ_KIND_SUPPLIES])
@pytest.mark.parametrize("version", ["2c", "1"])
def test_a_cell_that_is_gone(lab, kind, version):
    device = lab.recorded("kyocera", version=version)
    cells = lab.read(device).cells
    del device.values[(1, 3, 6, 1, 2, 1, 43, 11, 1, 1, 9, 1, 2)]
    assert lab.known(device, cells, kind) is None


def test_nothing_known_is_nothing_asked(lab):
    device = lab.recorded("tsc")
    cells = lab.read(device).cells
    assert lab.known(device, cells, READ_KIND_STATUS) is None
    assert not device.asked


def test_silence_is_an_error(lab, silence):
    device = lab.recorded("hp")
    cells = lab.read(device).cells
    device.fault = lambda *_: silence
    with pytest.raises(NoAnswerError):
        lab.known(device, cells, READ_KIND_STATUS)


def test_alerts_that_stay_unanswered_are_missing(lab, silence):
    device = lab.recorded("hp")
    cells = lab.read(device).cells
    device.fault = lambda number, _: silence if number > len(device.asked) - 1 and len(device.asked) > 1 else None
    snapshot = lab.known(device, cells, READ_KIND_STATUS)
    assert snapshot.outcome == OUTCOME_PARTIAL
    assert list(snapshot.missing) == ["alerts"]
    assert snapshot.status == "idle"


def test_the_second_half_of_a_supplies_poll_may_fail(lab, silence):
    device = lab.recorded("kyocera")
    cells = lab.read(device).cells
    device.fault = lambda *_: silence if len(device.asked) > 1 else None
    snapshot = lab.known(device, cells, READ_KIND_SUPPLIES)
    assert snapshot.outcome == OUTCOME_PARTIAL
    assert list(snapshot.missing) == ["meters"]
    assert len(snapshot.supplies) == 5


def test_the_first_request_asks_for_the_serial_number(lab):
    """Whoever answers at the address is checked before its numbers are believed."""
    device = lab.recorded("kyocera")
    cells = lab.read(device).cells
    lab.known(device, cells, READ_KIND_SUPPLIES)
    assert oid("1.3.6.1.2.1.43.5.1.1.17.1") in device.asked[0].oids


def test_a_forbidden_cell_is_never_asked_for(lab):
    device = lab.recorded("epson")
    cells = dataclasses.replace(lab.read(device).cells, status=oid("1.3.6.1.4.1.1248.1.2.2.44.1.1.2.1.1"))
    with pytest.raises(ProfileError):
        lab.known(device, cells, READ_KIND_STATUS)
    assert not device.asked


def test_a_poll_takes_no_more_steps_at_once_than_the_full_reading_might(lab):
    device = lab.recorded("epson")
    cells = lab.read(device).cells
    assert 0 < cells.steps < 40
    lab.known(device, dataclasses.replace(cells, steps=3), READ_KIND_STATUS)
    assert {request.max_repetitions for request in device.asked[1:]} == {3}

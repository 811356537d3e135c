"""One visit: whatever the device does, a snapshot tells it, and what is remembered is right."""

from __future__ import annotations

import dataclasses

import pytest
from fakes import serving
from test_sweep import HP, PUBLIC, SWITCH, RecordingWire

from dca.discovery.visit import visit
from dca.model import Credential, Secret
from dca.printers.profiles import load_profiles
from dca.snmp.client import SnmpClient
from dca.snmp.oids import oid
from dca.snmp.types import Tag
from dca.wire.snapshot_pb2 import (
    OUTCOME_ASLEEP,
    OUTCOME_NO_ANSWER,
    OUTCOME_NOT_A_PRINTER,
    OUTCOME_OK,
    OUTCOME_PARTIAL,
    READ_KIND_FULL,
    READ_KIND_STATUS,
)

LIFE, UPTIME = oid("1.3.6.1.2.1.43.10.2.1.4.1.1"), oid("1.3.6.1.2.1.1.3.0")
PRINTER = {
    **HP,
    UPTIME: (Tag.TIMETICKS, 100 * 86_400),
    oid("1.3.6.1.2.1.25.3.2.1.2.1"): (Tag.OBJECT_IDENTIFIER, oid("1.3.6.1.2.1.25.3.1.5")),
    oid("1.3.6.1.2.1.25.3.2.1.3.1"): (Tag.OCTET_STRING, b"HP LaserJet M507"),
    oid("1.3.6.1.2.1.25.3.5.1.1.1"): (Tag.INTEGER, 3),
    oid("1.3.6.1.2.1.25.3.5.1.2.1"): (Tag.OCTET_STRING, b"\x00"),
    LIFE: (Tag.COUNTER32, 4711),
}


@pytest.fixture(scope="module")
def profiles():
    return load_profiles()


class Site:
    """One address with whatever answers there, and a wall clock."""

    def __init__(self, profiles):
        self.wire = RecordingWire()
        self.profiles = profiles
        self.now = 1_000_000.0

    def put(self, device):
        self.wire.devices["192.0.2.3"] = device

    async def visit(self, known=None, **settings):
        credentials = settings.pop("credentials", (PUBLIC,))
        client = SnmpClient(
            allowed=lambda *_: True,
            wire=self.wire,
            timeout=0.02,
            retries=0,
            packets_per_second=0,
            packets_per_second_per_24=0,
        )
        async with client:
            return await visit(
                client,
                "192.0.2.3",
                161,
                credentials,
                profiles=self.profiles,
                range_label="office",
                known=known,
                now=lambda: self.now,
                **settings,
            )


@pytest.fixture
def site(profiles):
    return Site(profiles)


async def test_a_printer_is_read_and_remembered(site):
    site.put(serving(PRINTER))
    snapshot, known = await site.visit()
    assert snapshot.outcome in (OUTCOME_OK, OUTCOME_PARTIAL)
    assert (snapshot.host, snapshot.range, snapshot.credential, snapshot.protocol) == (
        "192.0.2.3",
        "office",
        "public",
        "snmpv2c",
    )
    assert snapshot.kind == READ_KIND_FULL
    assert snapshot.read_at.seconds == 1_000_000
    assert snapshot.requests > 1
    assert [(meter.name, meter.value) for meter in snapshot.meters] == [("total", 4711)]
    assert (known.serial, known.model, known.version) == ("SN-1", "LaserJet M507", "2c") or known.model.endswith("M507")
    assert snapshot.device_id == known.device_id
    assert known.cells


async def test_silence_is_told_and_nothing_old_is_sent_again(site):
    snapshot, known = await site.visit()
    assert snapshot.outcome == OUTCOME_NO_ANSWER
    assert known is None
    assert "192.0.2.3" in snapshot.reason
    assert not snapshot.meters
    assert not snapshot.HasField("device") or not snapshot.device.ListFields()


async def test_a_known_device_that_falls_silent_is_remembered_as_silent_since_then(site):
    site.put(serving(PRINTER))
    _, known = await site.visit()
    site.put(lambda _data: [])
    site.now += 300
    snapshot, silent = await site.visit(known, kind=READ_KIND_STATUS)
    assert (snapshot.outcome, snapshot.kind) == (OUTCOME_NO_ANSWER, READ_KIND_STATUS)
    assert snapshot.device_id == known.device_id
    assert silent.silent_since == site.now
    site.now += 300
    _, still = await site.visit(silent, kind=READ_KIND_STATUS)
    assert still.silent_since == site.now - 300
    assert still.last_read == known.last_read


async def test_a_device_that_comes_back_without_a_restart_had_slept_and_next_time_it_is_asleep(site):
    site.put(serving(PRINTER))
    _, known = await site.visit()
    site.now += 600
    _, woken = await site.visit(dataclasses.replace(known, silent_since=site.now - 500))
    assert woken.quirks["sleeps"]
    assert woken.silent_since == 0
    site.put(lambda _data: [])
    snapshot, _ = await site.visit(woken, kind=READ_KIND_STATUS)
    assert snapshot.outcome == OUTCOME_ASLEEP


async def test_a_device_that_was_switched_off_had_not_slept(site):
    site.put(serving({**PRINTER, UPTIME: (Tag.TIMETICKS, 100 * 30)}))
    _, known = await site.visit()
    _, back = await site.visit(dataclasses.replace(known, silent_since=site.now - 500))
    assert "sleeps" not in back.quirks


async def test_a_status_poll_of_a_known_device_takes_two_requests(site):
    site.put(serving(PRINTER))
    _, known = await site.visit()
    site.wire.sent.clear()
    snapshot, _ = await site.visit(known, kind=READ_KIND_STATUS)
    assert snapshot.kind == READ_KIND_STATUS
    assert snapshot.status == "idle"
    assert len(site.wire.sent) <= 2


async def test_what_is_no_printer_is_said_and_not_kept(site):
    site.put(serving(SWITCH))
    snapshot, known = await site.visit()
    assert snapshot.outcome == OUTCOME_NOT_A_PRINTER
    assert known is None
    assert not snapshot.device.serial


async def test_another_device_at_the_address_gets_a_name_of_its_own(site):
    site.put(serving(PRINTER))
    _, known = await site.visit()
    site.put(serving({**PRINTER, oid("1.3.6.1.2.1.43.5.1.1.17.1"): (Tag.OCTET_STRING, b"SN-2")}))
    site.now += 4000
    snapshot, other = await site.visit(known)
    assert other.device_id != known.device_id
    assert other.serial == "SN-2"
    assert other.first_seen == site.now
    assert snapshot.device_id == other.device_id


async def test_no_more_than_the_ranges_credentials_are_tried(site):
    wrong = Credential("a", "2c", community=Secret("a"))
    snapshot, _ = await site.visit(credentials=(wrong,))
    assert snapshot.outcome == OUTCOME_NO_ANSWER
    assert len(site.wire.sent) == 1
    assert "(tried: a)" in snapshot.reason

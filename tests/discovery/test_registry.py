"""Identity is not the address: moves, replacements and doubles are told, histories are kept."""

from __future__ import annotations

import dataclasses

from dca.discovery.identity import device_id_of, evidence_of
from dca.discovery.registry import Registry
from dca.model import Known
from dca.wire.snapshot_pb2 import Device


def known(device_id, address, **fields):
    fields = {"last_read": 1000.0, "first_seen": 1000.0, "manufacturer": "HP", "model": "M480f", **fields}
    return Known(device_id, address, 161, "office", "public", "2c", **fields)


def names(changes):
    return [change.name for change in changes]


def test_a_new_device_is_found_once():
    registry = Registry()
    assert names(registry.record(known("a", "192.0.2.1"))) == ["device_found"]
    assert registry.record(known("a", "192.0.2.1", last_read=2000.0)) == []
    assert len(registry) == 1


def test_a_device_that_moves_keeps_its_name_and_first_sight():
    registry = Registry([known("a", "192.0.2.1", silent_since=1500.0)])
    changes = registry.record(known("a", "192.0.2.9", last_read=5000.0, first_seen=5000.0))
    assert names(changes) == ["device_moved"]
    assert changes[0].details == {"from": "192.0.2.1", "to": "192.0.2.9"}
    assert registry.get("a").first_seen == 1000.0
    assert registry.at("192.0.2.1", 161) is None
    assert registry.at("192.0.2.9", 161).device_id == "a"


def test_another_device_at_the_address_is_told_and_the_old_one_is_kept():
    registry = Registry([known("a", "192.0.2.1")])
    assert names(registry.record(known("b", "192.0.2.1", last_read=2000.0))) == ["device_found", "device_replaced"]
    assert registry.get("a") is not None
    assert registry.at("192.0.2.1", 161).device_id == "b"


def twin(mac):
    return Device(manufacturer="HP", serial="VNB3R1", mac=mac)


def test_two_machines_with_one_serial_never_share_a_name():
    registry = Registry(wall=lambda: 1100.0)
    first = registry.name_of(twin("00:1b:a9:00:00:01"), "192.0.2.1", 161)
    registry.record(known(first, "192.0.2.1", mac="00:1b:a9:00:00:01"))
    second = registry.name_of(twin("00:1b:a9:00:00:02"), "192.0.2.2", 161)
    assert second != first
    changes = registry.record(known(second, "192.0.2.2", mac="00:1b:a9:00:00:02", last_read=1010.0))
    assert names(changes) == ["duplicate_serial"]
    assert changes[0].details["other"] == first
    # and so it stays, said once, also after a restart and whoever is read first
    later = Registry(list(registry), wall=lambda: 90_000.0)
    assert later.name_of(twin("00:1b:a9:00:00:02"), "192.0.2.2", 161) == second
    assert later.name_of(twin("00:1b:a9:00:00:01"), "192.0.2.1", 161) == first
    assert later.record(known(second, "192.0.2.2", mac="00:1b:a9:00:00:02")) == []


def test_twins_without_a_mac_go_by_their_address():
    registry = Registry(wall=lambda: 1100.0)
    first = registry.name_of(twin(""), "192.0.2.1", 161)
    registry.record(known(first, "192.0.2.1"))
    assert registry.name_of(twin(""), "192.0.2.2", 161) != first


def test_a_device_that_moved_a_minute_ago_is_known_by_its_mac():
    registry = Registry(wall=lambda: 1060.0)
    first = registry.name_of(twin("00:1b:a9:00:00:01"), "192.0.2.1", 161)
    registry.record(known(first, "192.0.2.1", mac="00:1b:a9:00:00:01"))
    assert registry.name_of(twin("00:1B:A9:00:00:01"), "192.0.2.9", 161) == first


def test_a_moved_device_with_a_new_network_card_is_the_same():
    registry = Registry([known("x", "192.0.2.1")], wall=lambda: 9000.0)
    first = registry.name_of(twin("00:1b:a9:00:00:01"), "192.0.2.1", 161)
    registry.record(known(first, "192.0.2.1", mac="00:1b:a9:00:00:01", silent_since=2000.0))
    assert registry.name_of(twin("00:1b:a9:00:00:09"), "192.0.2.9", 161) == first


def test_a_silent_visit_changes_nothing_but_the_silence():
    registry = Registry([known("a", "192.0.2.1")])
    silent = dataclasses.replace(registry.get("a"), silent_since=3000.0)
    assert registry.record(silent) == []
    assert registry.answering() == 0


def test_forgetting_frees_the_address():
    registry = Registry([known("a", "192.0.2.1")])
    registry.forget("a")
    registry.forget("a")
    assert registry.at("192.0.2.1", 161) is None
    assert list(registry) == []


def test_the_strongest_evidence_names_a_device():
    everything = Device(manufacturer="HP", serial=" VNB3 r1 ", mac="00:1b:a9:11:22:33", engine_id="80001f88")
    assert [kind for kind, _ in evidence_of(everything, "x", 1)] == ["serial", "mac", "engine", "address"]
    assert next(evidence_of(everything, "192.0.2.1", 161)) == ("serial", "hp/vnb3r1")
    assert next(evidence_of(Device(), "192.0.2.1", 161)) == ("address", "192.0.2.1:161")


def test_the_name_is_stable_and_tells_nothing():
    one = device_id_of(Device(manufacturer="HP", serial="VNB3R1"), "192.0.2.1", 161)
    assert one == device_id_of(Device(manufacturer="hp", serial="vnb3r1", mac="x"), "192.0.2.77", 1161)
    assert one != device_id_of(Device(manufacturer="Canon", serial="VNB3R1"), "192.0.2.1", 161)
    assert len(one) == 16
    assert "vnb3r1" not in one

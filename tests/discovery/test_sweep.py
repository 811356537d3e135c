"""Sweeps over a recording socket: what leaves this machine, to whom, and what is made of the answers."""

from __future__ import annotations

import contextlib
import ipaddress
import threading
from collections import deque

import pytest
from fakes import read_request, response, serving

from dca.discovery.discover import discover
from dca.discovery.ranges import Ranges
from dca.discovery.sweep import Progress, sweep
from dca.model import Credential, Range, Secret
from dca.printers.profiles import load_profiles
from dca.snmp.client import SnmpClient
from dca.snmp.oids import oid
from dca.snmp.types import Tag

PUBLIC = Credential("public", None, community=Secret("public"))
HP = {
    oid("1.3.6.1.2.1.1.1.0"): (Tag.OCTET_STRING, b"HP ETHERNET MULTI-ENVIRONMENT"),
    oid("1.3.6.1.2.1.1.2.0"): (Tag.OBJECT_IDENTIFIER, oid("1.3.6.1.4.1.11.2.3.9.1")),
    oid("1.3.6.1.2.1.43.5.1.1.17.1"): (Tag.OCTET_STRING, b"SN-1"),
}
SWITCH = {
    oid("1.3.6.1.2.1.1.1.0"): (Tag.OCTET_STRING, b"a switch"),
    oid("1.3.6.1.2.1.1.2.0"): (Tag.OBJECT_IDENTIFIER, oid("1.3.6.1.4.1.9.1.1")),
    oid("1.3.6.1.2.1.2.1.0"): (Tag.INTEGER, 48),
}


class RecordingWire:
    """Takes the place of the sockets: remembers every datagram, answers for some addresses, sends nothing."""

    in_flight_limit = 1000

    def __init__(self):
        self.sent = []
        self.devices = {}
        self._inbox = deque()
        self._bell = threading.Event()

    def send(self, data, address, port):
        self.sent.append((address, port, data))
        device = self.devices.get(address)
        if device:
            self._inbox.extend((reply, (address, port)) for reply in device(data))

    def receive(self):
        return self._inbox.popleft() if self._inbox else None

    def wait(self, seconds):
        if not self._inbox:
            self._bell.wait(min(seconds, 0.02))
            self._bell.clear()

    def wake(self):
        self._bell.set()

    def close(self):
        pass


@pytest.fixture(scope="module")
def profiles():
    return load_profiles()


def client_on(wire, ranges, **settings):
    settings = {"timeout": 0.02, "retries": 0, "packets_per_second": 0, "packets_per_second_per_24": 0, **settings}
    return SnmpClient(allowed=ranges.allows, wire=wire, **settings)


RANGES = [
    Range("office", ("192.0.2.0/26", "192.0.2.100-192.0.2.110"), ("192.0.2.7", "192.0.2.32/28"), (PUBLIC,)),
    Range("lab", ("198.51.100.5", "2001:db8::1-2001:db8::3"), (), (PUBLIC,), port=1161),
]


def rightful():
    networks = [ipaddress.ip_address(f"192.0.2.{n}") for n in (*range(1, 63), *range(100, 111))]
    out = {ipaddress.ip_address("192.0.2.7"), *ipaddress.ip_network("192.0.2.32/28")}
    office = {(str(address), 161) for address in networks if address not in out}
    return office | {(address, 1161) for address in ("198.51.100.5", "2001:db8::1", "2001:db8::2", "2001:db8::3")}


async def test_a_sweep_asks_every_address_of_the_ranges_and_no_other(profiles):
    wire, ranges, progress = RecordingWire(), Ranges(RANGES), Progress()
    async with client_on(wire, ranges) as client:
        assert [found async for found in sweep(client, ranges, profiles, progress=progress)] == []
    assert {(address, port) for address, port, _ in wire.sent} == rightful()
    assert len(wire.sent) == 2 * len(rightful()), "v2c, then v1, once each"
    assert progress.done == progress.total == len(rightful())
    assert not {port for _, port, _ in wire.sent} & {9100, 515, 80}


async def test_printers_are_read_others_are_left_alone_and_only_counted(profiles):
    wire, ranges, progress = RecordingWire(), Ranges(RANGES), Progress()
    wire.devices = {"192.0.2.3": serving(HP), "192.0.2.4": serving(SWITCH)}
    async with client_on(wire, ranges) as client:
        visits = [visited async for visited in discover(client, ranges, profiles, progress=progress)]
    assert [visited.snapshot.host for visited in visits] == ["192.0.2.3"]
    assert visits[0].snapshot.device.serial == "SN-1"
    assert visits[0].snapshot.range == "office"
    assert visits[0].known.credential == "public"
    assert (progress.printers, progress.others) == (1, 1)
    assert len([1 for address, *_ in wire.sent if address == "192.0.2.4"]) == 2, "one question, and whether it prints"


async def test_a_v1_only_printer_is_found(profiles):
    wire, ranges = RecordingWire(), Ranges(RANGES)
    v2 = serving(HP)

    def only_v1(data):
        if read_request(data)[0] != 0:
            return []
        if any(name not in HP for name in read_request(data)[6]) and read_request(data)[2] == 0xA0:
            missing = next(at for at, name in enumerate(read_request(data)[6], 1) if name not in HP)
            return [response(data, [], 2, missing)]
        return v2(data)

    wire.devices = {"192.0.2.3": only_v1}
    async with client_on(wire, ranges) as client:
        visits = [visited async for visited in discover(client, ranges, profiles)]
    assert [visited.snapshot.protocol for visited in visits] == ["snmpv1"]


async def test_credentials_are_tried_in_order_and_a_known_device_only_in_its_own_way(profiles):
    wrong, right = Credential("a", "2c", community=Secret("a")), Credential("b", "2c", community=Secret("b"))
    ranges = Ranges([Range("r", ("192.0.2.3",), (), (wrong, right))])
    wire = RecordingWire()
    good = serving(HP)
    wire.devices = {"192.0.2.3": lambda data: good(data) if read_request(data)[1] == b"b" else []}
    async with client_on(wire, ranges) as client:
        first = [visited async for visited in discover(client, ranges, profiles)]
        assert first[0].known.credential == "b"
        assert {read_request(data)[1] for *_, data in wire.sent} == {b"a", b"b"}
        wire.sent.clear()
        again = [v async for v in discover(client, ranges, profiles, known_at=lambda *_: first[0].known)]
    assert again[0].snapshot.device.serial == "SN-1"
    assert {read_request(data)[1] for *_, data in wire.sent} == {b"b"}


async def test_a_sweep_that_is_left_early_stops(profiles):
    wire, ranges = RecordingWire(), Ranges([Range("r", ("192.0.2.0/24",), (), (PUBLIC,))])
    wire.devices = {f"192.0.2.{n}": serving(HP) for n in range(1, 255)}
    async with (
        client_on(wire, ranges, packets_per_second=500) as client,
        contextlib.aclosing(sweep(client, ranges, profiles)) as found,
    ):
        await anext(found)
    assert len(wire.sent) < 200

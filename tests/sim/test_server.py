from __future__ import annotations

import contextlib
import resource
import socket
import threading

import pytest

from dca.errors import NotAllowedError
from dca.net.files import raise_file_limit
from dca.sim import Clock, Server, fleet, running
from dca.snmp.community import CommunityChannel
from dca.snmp.oids import oid
from dca.snmp.types import Pdu, Request
from tests.sim.asking import Hand, device

REQUEST = Request(Pdu.GET, (oid("1.3.6.1.2.1.1.5.0"),))
CHANNEL = CommunityChannel("2c", "public")
DATAGRAM = CHANNEL.encode(REQUEST, 0x01020304)


@pytest.fixture
def client():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(10)
        yield sock


def devices(*addresses, **settings):
    return [device("hp-mono", address=address, number=n, **settings) for n, address in enumerate(addresses, 1)]


def test_each_address_answers_as_its_own_device(client):
    with running(devices("127.22.0.1", "127.22.0.2")) as served:
        names = []
        for address in served.addresses:
            client.sendto(DATAGRAM, (address, served.port))
            said, sender = client.recvfrom(2000)
            assert sender == (address, served.port)
            names.append(CHANNEL.decode(said, REQUEST, 0x01020304).varbinds[0][2])
        assert names == [one.identity.name.encode() for one in served.devices]
        assert served.requests == 2
        assert served["127.22.0.2"].answers == 1


@pytest.mark.parametrize("address", ["0.0.0.0", "192.0.2.1", "::", "2001:db8::1"])
def test_nothing_but_loopback_is_bound(address, monkeypatch):
    monkeypatch.setattr("dca.sim.server._bound", None)
    with pytest.raises(NotAllowedError, match="no loopback"):
        Server(devices("127.22.0.1", address))


def test_a_port_that_is_taken_is_named(client):
    address, port = client.getsockname()
    with pytest.raises(OSError, match=rf"{address}, UDP port {port}"):
        Server(devices(address), port=port)


def test_port_0_takes_one_that_is_free_everywhere():
    with running(devices("127.22.0.1", "127.22.0.2")) as first, running(devices("127.22.0.2", "127.22.0.3")) as second:
        assert first.port != second.port


def test_when_the_block_ends_nothing_is_left():
    before = threading.active_count()
    with running(devices("127.22.0.1")) as served:
        port = served.port
    assert threading.active_count() == before
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.22.0.1", port))


def test_lost_answers_are_the_share_that_was_asked_for(client):
    with running(devices("127.22.0.1"), loss=0.5, seed=3) as served:
        for _ in range(200):
            client.sendto(DATAGRAM, ("127.22.0.1", served.port))
        came = 0
        client.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            while client.recv(2000):
                came += 1
        assert served.requests == 200
    assert 70 <= came <= 130


class Wire:
    """The server's loop without a network: what it would send, and when, by a clock that stands."""

    def __init__(self, one, **options) -> None:
        self.hand = Hand()
        self.server = Server([one], clock=self.hand, **options)
        (self.key,) = (key for key in self.server._selector.get_map().values() if key.data is one)

    def deliver(self, client) -> None:
        client.sendto(DATAGRAM, ("127.22.0.1", self.server.port))
        self.server._selector.select(10)
        self.server._drain(self.key.fileobj, self.key.data)

    def at(self, seconds: float) -> None:
        self.hand.seconds = seconds
        self.server._send_late()


def test_an_answer_is_held_back_as_long_as_asked(client):
    (one,) = devices("127.22.0.1")
    wire = Wire(one, delay=0.02)
    try:
        wire.deliver(client)
        client.setblocking(False)
        wire.at(0.019)
        with pytest.raises(BlockingIOError):
            client.recv(2000)
        wire.at(0.0201)
        client.settimeout(10)
        assert client.recv(2000)
    finally:
        wire.server.close()


def test_stop_ends_the_loop_from_inside_and_twice():
    server = Server(devices("127.22.0.1"))
    server.stop()
    server.stop()
    server.serve()
    server.close()


def test_the_file_limit_grows_and_never_shrinks():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
        raise_file_limit(150)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 200
        raise_file_limit(300)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 300
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_thousand_devices_are_served_by_one_thread(client):
    with running(fleet(Clock(), count=1000, first="127.23.0.1")) as served:
        spoken = [one.address for one in served.devices if "2c" in one.versions]
        for start in range(0, len(spoken), 50):
            for address in spoken[start : start + 50]:
                client.sendto(DATAGRAM, (address, served.port))
            for _ in spoken[start : start + 50]:
                assert client.recv(2000)

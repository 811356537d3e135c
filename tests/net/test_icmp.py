"""ICMP echo: packets as RFC 792 and RFC 4443 have them, only our own answers count, and no wait is real."""

from __future__ import annotations

import errno
import socket
import struct
from types import SimpleNamespace

import pytest

from dca.net import icmp
from dca.net.icmp import Echo, IcmpSocket, Patience, ping


class Fake:
    """A pair of sockets in place of the ICMP socket: what is sent comes out at `far`."""

    def __init__(self, refuse=()):
        self.refuse = refuse
        self.kinds = []
        self.near, self.far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.connected = None

    def __call__(self, family, kind, protocol):
        self.kinds.append((family, kind, protocol))
        if kind in self.refuse:
            raise PermissionError(errno.EPERM, "no")
        return self

    def connect(self, place):
        self.connected = place

    def __getattr__(self, name):
        return getattr(self.near, name)


@pytest.fixture
def fake(monkeypatch):
    made = Fake()
    monkeypatch.setattr(icmp, "socket", SimpleNamespace(**{**vars(socket), "socket": made}))
    yield made
    made.near.close()
    made.far.close()


def token(count):
    return bytes(range(count))


def reply_to(packet, version=4):
    return bytes((0 if version == 4 else 129,)) + packet[1:]


@pytest.mark.parametrize(("address", "kind"), [("192.0.2.1", 8), ("2001:db8::1", 128)])
def test_a_request_is_as_the_rfc_has_it(fake, address, kind):
    packet = IcmpSocket(address, token).request(258, 56)
    assert struct.unpack("!BBHHH", packet[:8])[0::3] == (kind, 0x0001)
    assert struct.unpack("!H", packet[6:8]) == (258,)
    assert len(packet) == 8 + 56
    words = sum(struct.unpack("!32H", packet))
    assert (words & 0xFFFF) + (words >> 16) == 0xFFFF, "the checksum fits"


def test_only_answers_to_our_own_requests_count(fake):
    ours = IcmpSocket("192.0.2.1", token)
    sent = ours.request(7)
    assert ours.answered(reply_to(sent)) == 7
    assert ours.answered(b"\x45" + bytes(19) + reply_to(sent)) == 7, "as a raw socket brings it"
    assert ours.answered(sent) is None, "a request, which loopback shows to a raw socket"
    other = IcmpSocket("192.0.2.1", bytes)
    assert ours.answered(reply_to(other.request(7))) is None
    for piece in range(len(sent)):
        assert ours.answered(reply_to(sent)[:piece]) in (None, 7)


def test_the_datagram_socket_is_tried_first_and_the_raw_one_next(fake):
    assert not IcmpSocket("192.0.2.1").raw
    fake.refuse = (socket.SOCK_DGRAM,)
    assert IcmpSocket("2001:db8::1").raw
    assert [kind for _, kind, _ in fake.kinds] == [socket.SOCK_DGRAM, socket.SOCK_DGRAM, socket.SOCK_RAW]
    assert fake.kinds[-1][::2] == (socket.AF_INET6, socket.IPPROTO_ICMPV6)
    assert fake.connected == ("2001:db8::1", 0, 0, 0)


def test_the_socket_is_closed_at_the_end(fake):
    with IcmpSocket("192.0.2.1") as link:
        assert link.socket.fileno() >= 0
    assert link.socket.fileno() == -1


def test_where_neither_is_allowed_it_says_what_to_allow(fake):
    fake.refuse = (socket.SOCK_DGRAM, socket.SOCK_RAW)
    with pytest.raises(PermissionError, match=r"sysctl net\.ipv4\.ping_group_range.*AmbientCapabilities=CAP_NET_RAW"):
        IcmpSocket("192.0.2.1")


async def test_answers_are_timed_by_the_clock_and_pauses_keep_the_interval(fake):
    link = IcmpSocket("192.0.2.1", token)
    for sequence in range(3):
        fake.far.send(reply_to(link.request(sequence)))
    ticks = iter([0.0, 0.0, 0.010, 0.010, 5.0, 5.0, 5.020, 5.020, 9.0, 9.0, 9.030, 9.030])
    pauses, heard = [], []

    async def pause(seconds):
        pauses.append(round(seconds, 3))

    found = await ping(
        link, 3, 56, Patience(1.0, 2.0), clock=lambda: next(ticks), pause=pause, heard=lambda *one: heard.append(one)
    )
    assert [round(echo.milliseconds) for echo in found] == [10, 20, 30]
    assert pauses == [1.99, 1.98]
    assert heard == list(enumerate(found))
    assert [len(fake.far.recv(2000)) for _ in range(3)] == [64, 64, 64]


async def test_strangers_answers_and_silence_are_no_answer(fake):
    link = IcmpSocket("192.0.2.1", token)
    fake.far.send(b"")
    fake.far.send(reply_to(link.request(9)))
    found = await ping(link, 1, 56, Patience(0.05, 0.0))
    assert found == [Echo(None)]


async def test_what_the_network_says_instead_is_passed_on(fake):
    link = IcmpSocket("192.0.2.1", token)
    link.raw = True
    fake.far.send(b"\x45" + bytes(19) + b"\x03\x01" + bytes(6) + b"\x45" + bytes(19) + link.request(0))
    assert await ping(link, 1, 56, Patience(5.0, 0.0)) == [Echo(None, "destination unreachable")]
    fake.far.close()
    found = await ping(link, 1, 56, Patience(5.0, 0.0))
    assert found[0].milliseconds is None
    assert "refused" in found[0].said

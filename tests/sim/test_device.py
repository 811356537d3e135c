from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from dca.sim import fleet, office
from dca.sim.clock import Clock
from dca.snmp.community import CommunityChannel
from dca.snmp.oids import oid
from dca.snmp.types import Pdu, Request
from tests.sim.asking import Hand, ask, device

NAME = "1.3.6.1.2.1.1.5.0"
REQUEST = CommunityChannel("2c", "public").encode(Request(Pdu.GET, (oid(NAME),)), 0x01020304)


def test_a_wrong_community_or_version_is_met_with_silence():
    one = device("hp-mono", community="site")
    assert ask(one, Pdu.GET, NAME, community="site")
    assert ask(one, Pdu.GET, NAME) is None
    assert (one.requests, one.answers) == (2, 1)
    old = device("brother-mono")
    assert ask(old, Pdu.GET, NAME, version="1")
    assert ask(old, Pdu.GET, NAME) is None
    assert (old.requests, old.answers) == (2, 1)


def test_a_device_that_is_unplugged_is_silent():
    one = device()
    one.silent = True
    assert ask(one, Pdu.GET, NAME) is None


@settings(max_examples=300)
@given(st.binary(max_size=80), st.integers(0, len(REQUEST) - 1), st.integers(0, 255))
def test_garbage_is_met_with_silence_or_an_answer_and_never_a_crash(noise, at, octet):
    one = device("hp-mono")
    one.answer(noise)
    one.answer(REQUEST[:at] + bytes((octet,)) + REQUEST[at + 1 :])
    one.answer(REQUEST[:at])


def test_the_office_is_as_it_is_described():
    devices = office(Clock(source=Hand()))
    assert len(devices) == 25
    assert [one.address for one in devices][:2] == ["127.20.0.1", "127.20.0.2"]
    assert devices[-1].address == "127.20.0.25"
    assert sum(one.versions == ("3",) for one in devices) == 1
    assert sum(one.versions == ("1",) for one in devices) == 1
    assert sum(not one.model.printer for one in devices) == 1
    assert len({one.model.maker for one in devices}) == 14
    for own in ("serial", "mac", "name", "location"):
        assert len({getattr(one.identity, own) for one in devices}) == 25, own


def test_in_the_office_one_sleeps_and_one_has_a_cover_open():
    hand = Hand()
    devices = office(Clock(60, hand))
    slept, opened, at_start = set(), set(), {one.address for one in devices if one.advance().asleep}
    for _ in range(36):
        hand.seconds += 20
        for one in devices:
            state = one.advance()
            slept |= {one.address} if state.asleep else set()
            opened |= {one.address} if state.open_covers else set()
    assert at_start == set()
    assert len(slept) == 1
    assert len(opened) == 1


def test_an_office_is_the_same_for_the_same_seed():
    first, second, other = (office(Clock(source=Hand()), seed=seed) for seed in (3, 3, 4))
    assert [one.identity for one in first] == [one.identity for one in second]
    assert [one.state.counts for one in first] == [one.state.counts for one in second]
    assert [one.identity for one in first] != [one.identity for one in other]


def test_a_fleet_has_as_many_different_printers_as_wanted():
    devices = fleet(Clock(source=Hand()), count=1000)
    assert len({(one.model.maker, one.identity.serial) for one in devices}) == 1000
    assert len({one.identity.mac for one in devices}) == 1000
    assert devices[999].address == "127.21.3.232"
    assert all(one.model.printer for one in devices)
    assert all(one.versions == ("3",) for one in fleet(Clock(source=Hand()), count=30, v3=True))

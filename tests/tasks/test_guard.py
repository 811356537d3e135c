"""A walk of everything never comes to what is never read, and takes all else that it safely can."""

from __future__ import annotations

import random

import pytest

from dca.errors import NoAnswerError
from dca.printers.never import is_forbidden
from dca.printers.profiles import Profiles
from dca.snmp.oids import arcs, oid
from dca.snmp.types import ErrorStatus, Pdu, Reply, Tag
from dca.tasks.guard import ANY, Guard, behind
from dca.tasks.walking import Walker
from tests.printers.conftest import Lab

EPSON, KYOCERA = "1.3.6.1.4.1.1248", "1.3.6.1.4.1.1347"


@pytest.fixture
def lab():
    return Lab(Profiles([]))


def test_a_make_that_has_nothing_to_fear_is_free():
    assert Guard([oid("1.3.6.1.2.1.1.5.0")], oid("1.3.6.1.4.1.11.2.3.9.1")).steps(oid("1.3.6.1")) == ANY


def test_as_many_steps_as_posts_lie_before_the_fence():
    posts = [oid("1.3.6.1.2.1.1.5.0"), oid(f"{EPSON}.1.2.2.1.1.1.1.1"), oid(f"{EPSON}.1.2.2.60.1.0")]
    guard = Guard(posts, b"")
    assert guard.steps(oid("1.3.6.1")) == 2
    assert guard.steps(oid("1.3.6.1.2.1.1.5.0")) == 1
    assert guard.steps(posts[1]) == 0
    assert guard.leap(posts[1]) == (oid(f"{EPSON}.1.2.2.44"), oid(f"{EPSON}.1.2.2.45"))
    assert guard.steps(oid(f"{EPSON}.1.2.2.45")) == 1
    assert guard.steps(oid(f"{EPSON}.1.9")) == ANY


def test_behind_is_the_next_name_after_a_subtree():
    assert behind(oid("1.3.6.1.4.1.1347.47")) == oid("1.3.6.1.4.1.1347.48")


def walk(lab, device, guard, *, root="1.3.6.1", version="2c"):
    peer = lab.peer(device)
    peer.version = version
    walker = Walker(peer, oid(root), guard)
    rows = []
    while not walker.ended:
        rows += lab.drive(walker.part(), device, peer)
    return rows, walker


@pytest.mark.parametrize("version", ["1", "2c"])
@pytest.mark.parametrize("seed", range(8))
def test_whatever_a_device_has_nothing_forbidden_leaves_it(lab, seed, version):
    chance = random.Random(seed)
    make = chance.choice([EPSON, KYOCERA])
    inside = [f"{EPSON}.1.2.2.44.1.1.2.1.{n}" for n in range(1, 4)] + [f"{EPSON}.1.7.1.0", f"{EPSON}.1.8.2.0"]
    inside += [f"{KYOCERA}.47.6.1.{n}" for n in range(1, 4)]
    inside = [name for name in inside if name.startswith(make)]
    vendor = [f"{make}.{a}.{b}.{c}" for a in (1, 40, 43, 50, 60) for b in (1, 2, 9) for c in range(chance.randrange(4))]
    standard = [f"1.3.6.1.2.1.43.11.1.1.9.1.{n}" for n in range(1, 9)]
    names = sorted({*vendor, *standard, *inside})
    device = lab.device(*(f"{name}|2|1" for name in names), version=version)
    posts = chance.sample([oid(name) for name in vendor + standard], chance.randrange(len(vendor) + 1))
    device.asked.clear()
    device.reached.clear()
    rows, _ = walk(lab, device, Guard(posts, oid(make)), version=version)
    assert not any(map(is_forbidden, device.reached))
    found = [arcs(name) for name, _, _ in rows]
    assert found == sorted(set(found))
    after = [oid(name) for name in vendor if arcs(oid(name)) > arcs(oid(f"{KYOCERA}.48")) and make == KYOCERA]
    assert set(after) <= {name for name, _, _ in rows}, "what lies behind the fence is read"


def test_a_make_that_shows_only_on_the_way_is_fenced_from_then_on(lab):
    rows = [f"{KYOCERA}.47.1.0|2|1", f"{KYOCERA}.47.2.0|2|1", f"{KYOCERA}.48.1.0|2|1"]
    device = lab.device(*rows)
    found, walker = walk(lab, device, Guard([], oid("1.3.6.1.4.1.11")))
    assert not any(is_forbidden(name) for name, _, _ in found)
    assert oid(f"{KYOCERA}.48.1.0") in [name for name, _, _ in found]
    assert walker.left_out


def test_what_is_withheld_is_leapt_over(lab):
    others = [f"1.3.6.1.2.1.4.22.1.2.1.10.0.0.{n}|2|1" for n in range(1, 60)]
    device = lab.device(*others, "1.3.6.1.2.1.43.5.1.1.17.1|4|SN")
    found, walker = walk(lab, device, Guard([], b""))
    assert not any(name.startswith(oid("1.3.6.1.2.1.4.22")) for name, _, _ in found)
    assert found[-1][0] == oid("1.3.6.1.2.1.43.5.1.1.17.1")
    assert walker.withheld == 1
    assert walker.ended == "end"


def test_a_walk_ends_at_its_root_and_at_circles(lab):
    device = lab.device("1.3.6.1.2.1.1.5.0|4|a", "1.3.6.1.2.1.2.1.0|2|1")
    found, walker = walk(lab, device, Guard([], b""), root="1.3.6.1.2.1.1")
    assert {name for name, _, _ in found} == {oid("1.3.6.1.2.1.1.3.0"), oid("1.3.6.1.2.1.1.5.0")}
    assert walker.ended == "end"
    first = device.values[min(device.values)]
    device._next = lambda _: first
    _, walker = walk(lab, device, Guard([], b""))
    assert "in circles" in walker.ended


def test_getbulk_that_is_too_big_or_unanswered_falls_back(lab):
    silence = NoAnswerError("192.0.2.1 gave no answer")
    device = lab.device(*(f"1.3.6.1.2.1.1.9.1.2.{n}|2|{n}" for n in range(1, 40)))
    device.fault = lambda _, request: (
        Reply([], ErrorStatus.TOO_BIG) if request.pdu == Pdu.GETBULK and request.max_repetitions > 2 else None
    )
    assert len(walk(lab, device, Guard([], b""))[0]) == len(device.values)
    device.fault = lambda _, request: silence if request.pdu == Pdu.GETBULK else None
    peer = lab.peer(device)
    peer.first_reply = 1.0
    walker = Walker(peer, oid("1.3.6.1"), Guard([], b""))
    rows = []
    while not walker.ended:
        rows += lab.drive(walker.part(), device, peer)
    assert len(rows) == len(device.values)
    assert rows[0][1] != Tag.NULL

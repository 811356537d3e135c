from __future__ import annotations

import pytest

from dca.errors import ProfileError
from dca.printers.never import Fence, fenced, is_forbidden, is_walk_forbidden
from dca.snmp.oids import oid
from dca.snmp.types import Pdu, Reply, Request, Tag

EPSON = "1.3.6.1.4.1.1248"
FORBIDDEN = [f"{EPSON}.1.2.2.44.1.1.2.1.1", f"{EPSON}.1.7", f"{EPSON}.1.8.9", "1.3.6.1.4.1.1347.47.6.1"]


def through(fence, request):
    """Return what of a request leaves the fence."""

    def conversation():
        yield request

    return next(fenced(conversation(), fence))


@pytest.mark.parametrize("name", FORBIDDEN)
@pytest.mark.parametrize("pdu", [Pdu.GET, Pdu.GETNEXT, Pdu.GETBULK])
def test_a_forbidden_object_is_never_sent(name, pdu):
    assert is_forbidden(oid(name))
    with pytest.raises(ProfileError, match="never"):
        through(Fence(), Request(pdu, (oid("1.3.6.1.2.1.1.1.0"), oid(name)), 0, 10))


@pytest.mark.parametrize("name", [f"{EPSON}.1.2.2.28.1.1.2", f"{EPSON}.1.2.2.43", EPSON, "1.3.6.1.4.1.1347.46"])
def test_nothing_is_walked_that_ends_in_one(name):
    assert is_walk_forbidden(oid(name))
    with pytest.raises(ProfileError, match="never walked"):
        through(Fence(), Request(Pdu.GETNEXT, (oid(name),)))


def test_neighbours_may_be_read():
    assert not is_forbidden(oid(f"{EPSON}.1.2.2.4.1"))
    assert not is_forbidden(oid(f"{EPSON}.1.2.2.440"))
    assert not is_walk_forbidden(oid(f"{EPSON}.1.9"))
    assert not is_walk_forbidden(oid("1.3.6.1.4.1.367.3.2"))


def test_a_walk_takes_no_more_steps_than_objects_lie_before_the_fence():
    fence = Fence()
    fence.learn(Reply([(oid("1.3.6.1.2.1.1.2.0"), Tag.OBJECT_IDENTIFIER, oid(f"{EPSON}.1.1.2.1"))]))
    walk = Request(Pdu.GETBULK, (oid("1.3.6.1.2.1.43.18.1.1.8"),), 0, 10)
    assert through(fence, walk).max_repetitions == 1
    seen = [(oid(f"{EPSON}.1.2.2.1.1.1.{n}.1"), Tag.OCTET_STRING, b"x") for n in range(1, 5)]
    absent = [(oid(f"{EPSON}.1.2.2.1.1.1.{n}.1"), Tag.NO_SUCH_INSTANCE, None) for n in range(5, 9)]
    behind = [(oid(f"{EPSON}.1.9.{n}"), Tag.OCTET_STRING, b"x") for n in range(9)]
    fence.learn(Reply(seen + absent + behind))
    assert through(fence, walk).max_repetitions == 4
    assert Fence(fence.steps).check(walk).max_repetitions == 4


def test_other_makes_are_walked_as_they_like():
    fence = Fence()
    fence.learn(Reply([(oid("1.3.6.1.2.1.1.2.0"), Tag.OBJECT_IDENTIFIER, oid("1.3.6.1.4.1.11.2.3.9.1"))]))
    assert fence.steps == 0
    assert through(fence, Request(Pdu.GETBULK, (oid("1.3.6.1.2.1.43.18"),), 0, 25)).max_repetitions == 25


@pytest.mark.parametrize("name", ["epson", "kyocera"])
@pytest.mark.parametrize("version", ["2c", "1"])
@pytest.mark.parametrize("without", ["no such row", "1.3.6.1.4.1.1248.1.2.2.2", "1.3.6.1.2.1.43"])
def test_a_reading_never_comes_to_a_forbidden_object(lab, name, version, without):
    device = lab.recorded(name, version=version, without=without)
    reading = lab.read(device)
    for kind in (2, 3):
        lab.known(device, reading.cells, kind)
    assert not any(map(is_forbidden, device.reached))
    assert any(is_forbidden(name) for name, _, _ in device.values.values())

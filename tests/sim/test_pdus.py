from __future__ import annotations

import pytest

from dca.sim.cells import Cell, Stands, encode, number, varbind
from dca.sim.mib import Builder, View
from dca.sim.pdus import Asked, Manners, answer
from dca.snmp.community import read_pdu
from dca.snmp.oids import oid
from dca.snmp.types import ErrorStatus, Pdu, Tag
from tests.sim.asking import ask, device

ROOT = "1.3.6.1.4.1.9"
ARCS = (1, 2, 127, 128, 300, 16383, 16384, 2097152)
"""Octets order like arcs up to 16383 only."""


@pytest.fixture
def view():
    builder = Builder()
    for arc in ARCS:
        builder.cell(f"{ROOT}.1", arc, number(arc))
    builder.scalar(f"{ROOT}.2", Stands(encode(Tag.COUNTER64, 1 << 40)))
    builder.scalar(f"{ROOT}.3", number(3))
    return View(builder.shape(), device().state)


def said(view, pdu, *names, version="2c", first=0, second=0, room=1400, **manners):
    asked = Asked(pdu, 7, first, second, [oid(name) for name in names])
    response = answer(view, asked, Manners(version, room, **manners))
    if response is None:
        return None
    kind, request_id, reply = read_pdu(response, 0, len(response))
    assert (kind, request_id) == (Pdu.RESPONSE, 7)
    return reply


def values(reply):
    return [value for _, _, value in reply.varbinds]


def tags(reply):
    return [tag for _, tag, _ in reply.varbinds]


def test_a_walk_follows_the_arcs_where_the_octets_would_not(view):
    found, name = [], f"{ROOT}.1"
    for _ in ARCS:
        ((octets, _, value),) = said(view, Pdu.GETNEXT, name).varbinds
        found.append(value)
        name = f"{ROOT}.1.{value}"
        assert octets == oid(name)
    assert tuple(found) == ARCS


@pytest.mark.parametrize(
    ("after", "value"),
    [("1.0", 1), ("1.3", 127), ("1.200", 300), ("1.300", 16383), ("1.20000", 2097152), ("1.127.5", 128), ("2.1", 3)],
)
def test_getnext_after_what_is_not_there(view, after, value):
    assert values(said(view, Pdu.GETNEXT, f"{ROOT}.{after}")) == [value]


def test_getnext_from_before_and_behind_everything(view):
    assert values(said(view, Pdu.GETNEXT, "0.0", "1.3")) == [1, 1]
    reply = said(view, Pdu.GETNEXT, f"{ROOT}.3.0", "2.5")
    assert tags(reply) == [Tag.END_OF_MIB_VIEW, Tag.END_OF_MIB_VIEW]
    assert [name for name, _, _ in reply.varbinds] == [oid(f"{ROOT}.3.0"), oid("2.5")]


def test_v2c_says_which_way_an_instance_is_missing(view):
    reply = said(view, Pdu.GET, f"{ROOT}.1.5", f"{ROOT}.3.1", f"{ROOT}.4.0", f"{ROOT}.3.0")
    assert tags(reply) == [Tag.NO_SUCH_INSTANCE, Tag.NO_SUCH_INSTANCE, Tag.NO_SUCH_OBJECT, Tag.INTEGER]
    assert reply.error_status == 0


def test_some_devices_say_null_instead(view):
    assert tags(said(view, Pdu.GET, f"{ROOT}.1.5", null_for_missing=True)) == [Tag.NULL]


def test_v1_fails_the_whole_request_and_names_the_object(view):
    reply = said(view, Pdu.GET, f"{ROOT}.3.0", f"{ROOT}.1.5", version="1")
    assert (reply.error_status, reply.error_index) == (ErrorStatus.NO_SUCH_NAME, 2)
    assert [name for name, _, _ in reply.varbinds] == [oid(f"{ROOT}.3.0"), oid(f"{ROOT}.1.5")]
    assert said(view, Pdu.GETNEXT, f"{ROOT}.3.0", version="1").error_status == ErrorStatus.NO_SUCH_NAME


def test_v1_never_sees_a_counter64(view):
    assert said(view, Pdu.GET, f"{ROOT}.2.0", version="1").error_index == 1
    assert values(said(view, Pdu.GETNEXT, f"{ROOT}.1.2097152", version="1")) == [3]
    assert values(said(view, Pdu.GETNEXT, f"{ROOT}.1.2097152")) == [1 << 40]


def test_v1_has_no_getbulk_and_nobody_answers_a_response(view):
    assert said(view, Pdu.GETBULK, ROOT, version="1") is None
    assert said(view, Pdu.RESPONSE, f"{ROOT}.3.0") is None


def test_nothing_can_be_set(view):
    assert said(view, 0xA3, f"{ROOT}.3.0", version="1").error_status == ErrorStatus.NO_SUCH_NAME
    reply = said(view, 0xA3, f"{ROOT}.3.0")
    assert (reply.error_status, reply.error_index) == (ErrorStatus.NO_ACCESS, 1)


def test_getbulk_repeats_rows_and_asks_the_first_once(view):
    reply = said(view, Pdu.GETBULK, f"{ROOT}.3", f"{ROOT}.1", f"{ROOT}.1.2", first=1, second=2)
    assert values(reply) == [3, 1, 127, 2, 128]


def test_getbulk_ends_with_the_row_in_which_all_have_ended(view):
    reply = said(view, Pdu.GETBULK, f"{ROOT}.1.2097152", f"{ROOT}.3", first=0, second=9)
    assert tags(reply) == [Tag.COUNTER64, Tag.INTEGER, Tag.INTEGER, *[Tag.END_OF_MIB_VIEW] * 3]


@pytest.mark.parametrize(("first", "second"), [(-1, 2), (0, -5), (9, 9), (0, 0)])
def test_getbulk_takes_odd_numbers_as_the_book_says(view, first, second):
    wanted = 1 if first == 9 else max(second, 0)
    assert len(said(view, Pdu.GETBULK, ROOT, first=first, second=second).varbinds) == wanted


def test_getbulk_gives_what_fits_and_what_the_model_can(view):
    assert len(said(view, Pdu.GETBULK, ROOT, second=9, room=32 + 40).varbinds) == 2
    assert len(said(view, Pdu.GETBULK, ROOT, ROOT, second=9, bulk_rows=2).varbinds) == 4
    assert said(view, Pdu.GETBULK, ROOT, second=9, room=10).varbinds == []


def test_what_does_not_fit_is_too_big(view):
    names = [f"{ROOT}.3.0"] * 20
    reply = said(view, Pdu.GET, *names, room=200)
    assert (reply.error_status, reply.error_index, reply.varbinds) == (ErrorStatus.TOO_BIG, 0, [])
    reply = said(view, Pdu.GET, *names, room=200, version="1")
    assert (reply.error_status, reply.error_index, len(reply.varbinds)) == (ErrorStatus.TOO_BIG, 0, 20)


def test_no_message_is_larger_than_the_model_sends():
    one = device("sharp-color-mfp")
    reply = ask(one, Pdu.GETBULK, "1.3.6.1", max_repetitions=500)
    size = sum(len(varbind(name, encode(tag, value))) for name, tag, value in reply.varbinds if tag == Tag.OCTET_STRING)
    assert 20 < len(reply.varbinds) < 100
    assert size < one.model.max_size


def test_rows_that_come_and_go_stand_in_their_place():
    rows: list = []
    builder = Builder()
    builder.scalar(f"{ROOT}.1", number(1))
    builder.scalar(f"{ROOT}.2", Cell(Tag.INTEGER, lambda _: None))
    builder.moving_rows(f"{ROOT}.3", (1,), lambda _: rows)
    builder.scalar(f"{ROOT}.4", number(4))
    state = device().state
    view = View(builder.shape(), state)
    assert values(said(view, Pdu.GETBULK, ROOT, second=3)) == [1, 4, None]
    rows += [
        (oid(f"{ROOT}.3.1.{arc}"), varbind(oid(f"{ROOT}.3.1.{arc}"), encode(Tag.INTEGER, arc))) for arc in (200, 3)
    ]
    state.version += 1
    assert values(said(view, Pdu.GETBULK, ROOT, second=5)) == [1, 3, 200, 4, None]
    assert values(said(view, Pdu.GETNEXT, f"{ROOT}.2.0", f"{ROOT}.3.1.3", f"{ROOT}.3.1.100")) == [3, 200, 200]
    assert values(said(view, Pdu.GET, f"{ROOT}.3.1.200")) == [200]
    assert tags(said(view, Pdu.GET, f"{ROOT}.3.1.7", f"{ROOT}.3.2.7")) == [Tag.NO_SUCH_INSTANCE, Tag.NO_SUCH_OBJECT]
    builder.scalar(f"{ROOT}.2", number(2))
    assert values(said(View(builder.shape(), state), Pdu.GETNEXT, f"{ROOT}.2.0")) == [3]

"""What may be set on a simulated device, by whom, and what it does then."""

from __future__ import annotations

import io
import json

import pytest

from dca.model import AuthProtocol, Credential, PrivProtocol, Secret
from dca.sim import Journal
from dca.snmp.community import CommunityChannel
from dca.snmp.oids import oid
from dca.snmp.types import ErrorStatus, Pdu, Request, Tag
from tests.sim.asking import REQUEST_ID, Hand, device, get
from tests.sim.test_v3 import speak

RESET, PANEL, UPTIME = "1.3.6.1.2.1.43.5.1.1.3.1", "1.3.6.1.2.1.43.16.5.1.2.1.1", "1.3.6.1.2.1.1.3.0"
HP_MESSAGE = "1.3.6.1.4.1.11.2.3.9.4.2.1.1.2.37.1.1.0"


def assign(one, name, tag, value, *, community="secret", version="2c"):
    channel = CommunityChannel(version, community)
    request = Request(Pdu.SET, (oid(name),), values=((int(tag), value),))
    said = one.answer(channel.encode(request, REQUEST_ID))
    return None if said is None else channel.decode(said, request, REQUEST_ID)


@pytest.fixture
def hand():
    return Hand()


@pytest.fixture
def one(hand):
    return device("hp-mono", hand, write_community="secret")


def test_a_reset_begins_the_uptime_anew_after_some_silence(one, hand):
    hand.seconds = 1000.0
    assert get(one, UPTIME)[0] > 100_000
    assert assign(one, RESET, Tag.INTEGER, 4).error_status == 0
    assert one.answer(b"") is None
    hand.seconds += 3
    assert assign(one, RESET, Tag.INTEGER, 4) is None, "it is silent"
    hand.seconds += 2
    assert get(one, UPTIME) == [500]
    assert one.sets == 1


def test_not_resetting_does_nothing(one, hand):
    hand.seconds = 1000.0
    assert assign(one, RESET, Tag.INTEGER, 3).error_status == 0
    assert get(one, UPTIME)[0] > 100_000


def test_a_text_stands_in_place_of_ready(one):
    assign(one, HP_MESSAGE, Tag.OCTET_STRING, b"\x01\x15CALL DESK 7")
    assert one.state.message == "CALL DESK 7"
    assert get(one, PANEL, community="secret") == [b"CALL DESK 7"]
    assign(one, PANEL, Tag.OCTET_STRING, b"")
    assert get(one, PANEL) == [b"Ready"]


@pytest.mark.parametrize(
    ("bound", "first", "second"),
    [
        ((UPTIME, Tag.TIMETICKS, 1), ErrorStatus.NO_SUCH_NAME, ErrorStatus.NOT_WRITABLE),
        ((RESET, Tag.OCTET_STRING, b"4"), ErrorStatus.BAD_VALUE, ErrorStatus.WRONG_TYPE),
        ((RESET, Tag.INTEGER, 9), ErrorStatus.BAD_VALUE, ErrorStatus.WRONG_VALUE),
        ((PANEL, Tag.OCTET_STRING, b"x" * 256), ErrorStatus.BAD_VALUE, ErrorStatus.WRONG_VALUE),
    ],
)
def test_what_cannot_be_set_is_refused_as_the_version_has_it(one, bound, first, second):
    assert assign(one, *bound, version="1").error_status == first
    assert assign(one, *bound).error_status == second
    assert one.sets == 0


def test_all_or_nothing(one):
    channel = CommunityChannel("2c", "secret")
    values = ((int(Tag.OCTET_STRING), b"hello"), (int(Tag.INTEGER), 9))
    request = Request(Pdu.SET, (oid(PANEL), oid(RESET)), values=values)
    reply = channel.decode(one.answer(channel.encode(request, REQUEST_ID)), request, REQUEST_ID)
    assert (reply.error_status, reply.error_index) == (ErrorStatus.WRONG_VALUE, 2)
    assert one.state.message == ""


def test_who_may_only_read_sets_nothing(one):
    assert assign(one, RESET, Tag.INTEGER, 4, community="public").error_status == ErrorStatus.NO_ACCESS
    assert assign(device("hp-mono"), RESET, Tag.INTEGER, 4, community="") is None, "no write community at all"
    assert one.sets == 0


def test_a_v3_user_sets_only_as_a_writer(hand):
    user = Credential(
        "w", "3", None, "w", AuthProtocol.SHA256, Secret("authpass1"), PrivProtocol.AES128, Secret("privpass1")
    )
    request = Request(Pdu.SET, (oid(RESET),), values=((int(Tag.INTEGER), 5),))
    reader = device("hp-mono", hand, users=[user], versions=["3"])
    assert speak(reader, user, hand, request=request)[0].error_status == ErrorStatus.NO_ACCESS
    writer = device("hp-mono", hand, users=[user], versions=["3"], writers=["w"])
    assert speak(writer, user, hand, request=request)[0].error_status == 0
    hand.seconds += 5
    assert speak(writer, user, hand)[0].error_status == 0, "with one boot more"


def test_the_journal_has_a_line_for_each_object(one):
    file = io.StringIO()
    one.journal = Journal(file, wall=lambda: 7.5)
    assign(one, PANEL, Tag.OCTET_STRING, "Grüße".encode())
    assign(one, RESET, Tag.INTEGER, 4)
    lines = [json.loads(line) for line in file.getvalue().splitlines()]
    assert lines == [
        {"address": "127.0.0.1", "oid": PANEL, "value": "Grüße", "time": 7.5},
        {"address": "127.0.0.1", "oid": RESET, "value": 4, "time": 7.5},
    ]

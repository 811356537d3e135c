"""The codec against pysnmp: what it writes is what pysnmp would write, what it reads is what pysnmp reads."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto import api

from dca.snmp.ber import BerError, encode_length, integer, octets, read_integer, read_tlv, read_varbinds, tlv
from dca.snmp.community import ID_FIRST, ID_LAST, CommunityChannel, read_pdu
from dca.snmp.oids import arcs, dotted, oid
from dca.snmp.types import Pdu, Request, Tag
from dca.snmp.usm import read_message

OIDS = st.lists(st.integers(0, 0xFFFFFFFF), min_size=1, max_size=20).map(lambda rest: (1, 3, *rest))
IDS = st.integers(ID_FIRST, ID_LAST)
COMMUNITY = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)


def text_of(numbers):
    return ".".join(map(str, numbers))


def pysnmp_request(version, community, kind, request_id, oids, *bulk):
    protocol = api.PROTOCOL_MODULES[version]
    pdu = {Pdu.GET: protocol.GetRequestPDU, Pdu.GETNEXT: protocol.GetNextRequestPDU}.get(kind)
    if pdu is None:
        made = protocol.GetBulkRequestPDU()
        protocol.apiBulkPDU.set_defaults(made)
        protocol.apiBulkPDU.set_non_repeaters(made, bulk[0])
        protocol.apiBulkPDU.set_max_repetitions(made, bulk[1])
        protocol.apiBulkPDU.set_varbinds(made, [(name, protocol.Null("")) for name in oids])
        protocol.apiBulkPDU.set_request_id(made, request_id)
    else:
        made = pdu()
        protocol.apiPDU.set_defaults(made)
        protocol.apiPDU.set_request_id(made, request_id)
        protocol.apiPDU.set_varbinds(made, [(name, protocol.Null("")) for name in oids])
    message = protocol.Message()
    protocol.apiMessage.set_defaults(message)
    protocol.apiMessage.set_community(message, community)
    protocol.apiMessage.set_pdu(message, made)
    return encoder.encode(message)


@given(
    st.sampled_from(["1", "2c"]), COMMUNITY, IDS, st.lists(OIDS, max_size=6), st.sampled_from([Pdu.GET, Pdu.GETNEXT])
)
@settings(max_examples=60, deadline=None)
def test_requests_are_octet_by_octet_those_of_pysnmp(version, community, request_id, names, kind):
    request = Request(kind, tuple(oid(text_of(name)) for name in names))
    ours = CommunityChannel(version, community).encode(request, request_id)
    assert ours == pysnmp_request(int(version != "1"), community, kind, request_id, names)


@given(IDS, st.lists(OIDS, min_size=1, max_size=6), st.integers(0, 6), st.integers(0, 300))
@settings(max_examples=40, deadline=None)
def test_getbulk_is_octet_by_octet_that_of_pysnmp(request_id, names, non_repeaters, repetitions):
    request = Request(Pdu.GETBULK, tuple(oid(text_of(name)) for name in names), non_repeaters, repetitions)
    ours = CommunityChannel("2c", "public").encode(request, request_id)
    assert ours == pysnmp_request(1, "public", Pdu.GETBULK, request_id, names, non_repeaters, repetitions)


V2 = api.PROTOCOL_MODULES[1]
VALUES = st.one_of(
    st.integers(-(2**31), 2**31 - 1).map(lambda number: (V2.Integer32(number), Tag.INTEGER, number)),
    st.binary(max_size=300).map(lambda text: (V2.OctetString(text), Tag.OCTET_STRING, text)),
    st.integers(0, 2**32 - 1).map(lambda number: (V2.Counter32(number), Tag.COUNTER32, number)),
    st.integers(0, 2**32 - 1).map(lambda number: (V2.Gauge32(number), Tag.GAUGE32, number)),
    st.integers(0, 2**32 - 1).map(lambda number: (V2.TimeTicks(number), Tag.TIMETICKS, number)),
    st.integers(0, 2**64 - 1).map(lambda number: (V2.Counter64(number), Tag.COUNTER64, number)),
    st.binary(min_size=4, max_size=4).map(lambda four: (V2.IpAddress(four), Tag.IP_ADDRESS, four)),
    OIDS.map(lambda name: (V2.ObjectIdentifier(name), Tag.OBJECT_IDENTIFIER, oid(text_of(name)))),
    st.just((V2.Null(""), Tag.NULL, None)),
    st.just((V2.NoSuchObject(""), Tag.NO_SUCH_OBJECT, None)),
    st.just((V2.NoSuchInstance(""), Tag.NO_SUCH_INSTANCE, None)),
    st.just((V2.EndOfMibView(""), Tag.END_OF_MIB_VIEW, None)),
)
RESPONSES = st.tuples(IDS, st.integers(0, 18), st.integers(0, 5), st.lists(st.tuples(OIDS, VALUES), max_size=8))


def pysnmp_response(request_id, status, index, varbinds):
    pdu = V2.ResponsePDU()
    V2.apiPDU.set_defaults(pdu)
    V2.apiPDU.set_request_id(pdu, request_id)
    V2.apiPDU.set_error_status(pdu, status)
    V2.apiPDU.set_error_index(pdu, index)
    V2.apiPDU.set_varbinds(pdu, [(name, value[0]) for name, value in varbinds])
    message = V2.Message()
    V2.apiMessage.set_defaults(message)
    V2.apiMessage.set_community(message, "public")
    V2.apiMessage.set_pdu(message, pdu)
    return encoder.encode(message)


@given(RESPONSES)
@settings(max_examples=150, deadline=None)
def test_responses_of_pysnmp_read_back_as_they_were_meant(made):
    request_id, status, index, varbinds = made
    data = pysnmp_response(request_id, status, index, varbinds)
    reply = CommunityChannel("2c", "public").decode(data, Request(Pdu.GET, ()), request_id)
    assert reply is not None
    assert (reply.error_status, reply.error_index) == (status, index)
    assert reply.varbinds == [(oid(text_of(name)), int(tag), value) for name, (_, tag, value) in varbinds]


@given(
    RESPONSES,
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=4),
    st.integers(0, 40),
)
@settings(max_examples=300, deadline=None)
def test_what_pysnmp_reads_of_a_damaged_datagram_is_read_the_same_and_nothing_else_escapes(made, changes, cut):
    """So a fallback to pysnmp would bring nothing: whatever it can read, this codec reads."""
    data = bytearray(pysnmp_response(*made))
    for at, octet in changes:
        data[at % len(data)] = octet
    damaged = bytes(data[: len(data) - cut] if cut < 20 else data)
    try:
        _, at, end = read_tlv(damaged, 0, len(damaged))
        _, at = read_integer(damaged, at, end)
        _, _, at = read_tlv(damaged, at, end)
        _, ours_id, ours = read_pdu(damaged, at, end)
    except BerError:
        ours = None
    try:
        message, _ = decoder.decode(damaged, asn1Spec=V2.Message())
        pdu = V2.apiMessage.get_pdu(message)
        theirs_id = int(V2.apiPDU.get_request_id(pdu))
        theirs = [tuple(name) for name, _ in V2.apiPDU.get_varbinds(pdu)]
    except Exception:  # noqa: BLE001 - pyasn1 raises what it likes on damage
        return
    if pdu.__class__.__name__ not in ("ResponsePDU", "ReportPDU"):
        return
    assert ours is not None
    assert ours_id == theirs_id
    assert [arcs(name)[1:] for name, _, _ in ours.varbinds] == [name[2:] for name in theirs]


@given(st.binary(max_size=400))
@settings(max_examples=300)
def test_random_octets_raise_nothing_but_ber_errors(data):
    for read in (
        lambda: CommunityChannel("2c", "public").decode(data, Request(Pdu.GET, ()), 1),
        lambda: read_message(data),
        lambda: read_varbinds(data, 0, len(data)),
    ):
        with contextlib.suppress(BerError):
            read()


@given(OIDS)
def test_oids_go_to_octets_and_back(numbers):
    text = text_of(numbers)
    assert dotted(oid(text)) == text
    assert oid("." + text) == oid(text)
    assert arcs(oid(text))[1:] == numbers[2:]


@pytest.mark.parametrize("text", ["", "1", "abc", "1.2.x", "3.1.1", "1.40.1", "1.3.4294967296", "1.3.-1", "1..3"])
def test_a_text_that_is_no_oid_is_refused_with_the_reason(text):
    with pytest.raises(ValueError, match=r"OID|arc"):
        oid(text)


@given(st.integers(-(2**63), 2**64 - 1))
def test_integers_go_to_octets_and_back(number):
    assert read_integer(integer(number), 0, 100) == (number, len(integer(number)))
    if abs(number) < 2**31 and number not in (-(2**7), -(2**15), -(2**23)):  # pyasn1 writes these an octet too long
        assert integer(number) == encoder.encode(V2.Integer(number))


def test_the_lowest_integer_of_a_length_has_no_octet_too_many():
    assert integer(-(2**7)) == b"\x02\x01\x80"
    assert integer(-(2**15)) == b"\x02\x02\x80\x00"  # X.690, 8.3.2


def test_a_datagram_for_another_request_community_or_version_is_not_taken():
    data = pysnmp_response(ID_FIRST, 0, 0, [])
    request = Request(Pdu.GET, ())
    assert CommunityChannel("2c", "public").decode(data, request, ID_FIRST) is not None
    assert CommunityChannel("2c", "public").decode(data, request, ID_FIRST + 1) is None
    assert CommunityChannel("2c", "other").decode(data, request, ID_FIRST) is None
    assert CommunityChannel("1", "public").decode(data, request, ID_FIRST) is None


def test_sloppy_but_unambiguous_encodings_are_read():
    name = oid("1.3.6.1.2.1.1.3.0")
    long_form = (
        b"\x30\x81" + bytes((len(name) + 9,)) + b"\x06\x81" + bytes((len(name),)) + name + b"\x43\x81\x03\x00\x01\x02"
    )
    assert read_varbinds(long_form, 0, len(long_form)) == [(name, Tag.TIMETICKS, 0x0102)]
    negative = tlv(0x30, tlv(0x06, name) + b"\x41\x04\xff\xff\xff\xff")  # a Counter32 without its leading zero
    assert read_varbinds(negative, 0, len(negative)) == [(name, Tag.COUNTER32, 0xFFFFFFFF)]


@pytest.mark.parametrize("length", [0, 127, 128, 255, 256, 65535])
def test_lengths_are_the_shortest(length):
    assert read_tlv(b"\x04" + encode_length(length) + bytes(length), 0, length + 5)[2] == length + 1 + len(
        encode_length(length)
    )
    assert len(octets(bytes(length))) == length + 1 + len(encode_length(length))

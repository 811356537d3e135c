"""SET: octet by octet what pysnmp would send, in every version; sent once; and why it was refused, in words."""

from __future__ import annotations

import pytest
from fakes import MemoryWire, read_request, response
from hypothesis import given, settings
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto import api
from pysnmp.proto.api import v2c as V2  # noqa: N812 - a module of classes

from dca.errors import AuthFailedError, NoAnswerError, RefusedError
from dca.model import AuthProtocol, Credential, PrivProtocol, Secret
from dca.snmp.assign import ONCE, lacks_write, set_values
from dca.snmp.community import ID_FIRST, ID_LAST, CommunityChannel, request_halves
from dca.snmp.engine import Engine
from dca.snmp.keys import master_keys
from dca.snmp.oids import arcs, oid
from dca.snmp.types import ErrorStatus, Pdu, Peer, Request, Tag
from dca.snmp.usm import AUTH, PRIV, Frame, decrypt, read_message, read_scoped

CONTACT = oid("1.3.6.1.2.1.1.4.0")
PRIVATE = Credential("private", "2c", Secret("private"))
VALUES = st.one_of(
    st.integers(-(2**31) + 1, 2**31 - 1)
    .filter(lambda number: abs(number) not in (2**7, 2**15, 2**23))
    .map(lambda number: (int(Tag.INTEGER), number, V2.Integer32(number))),
    st.binary(max_size=300).map(lambda text: (int(Tag.OCTET_STRING), text, V2.OctetString(text))),
    st.integers(0, 2**32 - 1).map(lambda number: (int(Tag.TIMETICKS), number, V2.TimeTicks(number))),
)
NAMES = st.lists(st.integers(0, 0xFFFFFFFF), min_size=1, max_size=12).map(lambda rest: (1, 3, *rest))


def octets_of(numbers):
    return oid(".".join(map(str, numbers)))


def pysnmp_set(version, request_id, bound):
    protocol = api.PROTOCOL_MODULES[version]
    pdu = protocol.SetRequestPDU()
    protocol.apiPDU.set_defaults(pdu)
    protocol.apiPDU.set_request_id(pdu, request_id)
    protocol.apiPDU.set_varbinds(pdu, bound)
    message = protocol.Message()
    protocol.apiMessage.set_defaults(message)
    protocol.apiMessage.set_community(message, "private")
    protocol.apiMessage.set_pdu(message, pdu)
    return encoder.encode(message)


@given(st.integers(ID_FIRST, ID_LAST), st.lists(st.tuples(NAMES, VALUES), min_size=1, max_size=4))
@settings(max_examples=80, deadline=None)
def test_a_set_is_octet_by_octet_that_of_pysnmp(request_id, bound):
    names = tuple(octets_of(name) for name, _ in bound)
    request = Request(Pdu.SET, names, values=tuple((tag, value) for _, (tag, value, _) in bound))
    theirs = [(name, made) for name, (_, _, made) in bound]
    assert CommunityChannel("2c", "private").encode(request, request_id) == pysnmp_set(1, request_id, theirs)


def test_v1_differs_in_nothing_but_the_version():
    request = Request(Pdu.SET, (CONTACT,), values=((int(Tag.OCTET_STRING), b"x"),))
    one, two = (CommunityChannel(version, "private").encode(request, ID_FIRST) for version in ("1", "2c"))
    assert [at for at, (a, b) in enumerate(zip(one, two, strict=True)) if a != b] == [4]


def test_v3_carries_the_same_pdu_and_pysnmp_reads_it():
    credential = Credential(
        "w", "3", None, "w", AuthProtocol.SHA256, Secret("authpass1"), PrivProtocol.AES128, Secret("privpass1")
    )
    engine_id = bytes.fromhex("80001f8801c0000201")
    keys = master_keys(credential, credential.auth, credential.priv).localize(engine_id)
    before, after = request_halves(Request(Pdu.SET, (CONTACT,), values=((int(Tag.OCTET_STRING), b"Ann"),)))
    frame = Frame(keys, AUTH | PRIV, engine_id=engine_id, boots=1, user=b"w")
    sent = frame.message(before + (7).to_bytes(4, "big") + after, message_id=7, time=1, salt=1)
    scoped = decrypt(read_message(sent), keys)
    _, _, at, end = read_scoped(scoped)
    pdu, _ = decoder.decode(scoped[at:end], asn1Spec=V2.SetRequestPDU())
    ((name, value),) = V2.apiPDU.get_varbinds(pdu)
    assert (tuple(name)[2:], bytes(value)) == (arcs(CONTACT)[1:], b"Ann")


def run(answers, *, waits=ONCE):
    wire = MemoryWire()
    wire.devices["192.0.2.1", 161] = answers
    engine = Engine(wire, allowed=lambda *_: True, clock=wire.clock, random_id=lambda: 7)
    peer = Peer("192.0.2.1", 161, PRIVATE, "2c")
    ended = []
    engine.submit(peer, set_values(peer, [(CONTACT, Tag.OCTET_STRING, b"x")]), lambda *end: ended.append(end), waits)
    while engine.busy:
        engine.poll(10)
    return wire, ended[0][1]


def test_silence_is_not_tried_again():
    wire, error = run(lambda _data: [])
    assert isinstance(error, NoAnswerError)
    assert len(wire.sent) == 1
    assert wire.now - 100 == pytest.approx(ONCE[0])


def test_what_is_done_is_silent():
    def done(data):
        assert read_request(data)[2] == 0xA3
        return [response(data, [(CONTACT, Tag.OCTET_STRING, b"x")])]

    assert run(done)[1] is None


@pytest.mark.parametrize(
    ("status", "kind", "words", "another"),
    [
        (ErrorStatus.NO_ACCESS, AuthFailedError, "does not let private write 1.3.6.1.2.1.1.4.0 (noAccess)", True),
        (ErrorStatus.AUTHORIZATION_ERROR, AuthFailedError, "(authorizationError)", True),
        (ErrorStatus.NO_SUCH_NAME, RefusedError, "(noSuchName)", True),
        (ErrorStatus.NOT_WRITABLE, RefusedError, "(notWritable)", True),
        (ErrorStatus.WRONG_VALUE, RefusedError, "does not take this value for 1.3.6.1.2.1.1.4.0 (wrongValue)", False),
        (ErrorStatus.GEN_ERR, RefusedError, "could not set 1.3.6.1.2.1.1.4.0 (genErr)", False),
        (99, RefusedError, "(error-status 99)", False),
    ],
)
def test_a_refusal_says_who_what_and_why(status, kind, words, another):
    wire, error = run(lambda data: [response(data, [(CONTACT, Tag.OCTET_STRING, b"x")], status, 1)])
    assert isinstance(error, kind)
    assert words in str(error)
    assert lacks_write(error) is another
    assert len(wire.sent) == 1

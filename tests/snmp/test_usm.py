"""SNMPv3: a made engine answers, with every step that can fail; keys against RFC 3414's own vectors."""

from __future__ import annotations

import dataclasses

import pytest
from fakes import MemoryWire, encode_varbinds

from dca.errors import AuthFailedError, NoAnswerError
from dca.model import AuthProtocol, Credential, PrivProtocol, Secret
from dca.snmp.ask import get
from dca.snmp.ber import BerError, integer, read_integer, read_tlv, tlv
from dca.snmp.engine import Engine
from dca.snmp.keys import Keys, master_keys
from dca.snmp.oids import oid
from dca.snmp.types import Peer, Tag
from dca.snmp.usm import AUTH, PRIV, Frame, decrypt, read_message, read_scoped, verify

NAME = oid("1.3.6.1.2.1.1.5.0")
ENGINE = bytes.fromhex("80001f8801c0000201")
STATS = "1.3.6.1.6.3.15.1.1"


def user(
    auth=AuthProtocol.SHA256,
    priv=PrivProtocol.AES128,
    *,
    name="u",
    auth_password="authpass1",
    priv_password="privpass1",
):
    return Credential(
        "site",
        "3",
        None,
        name,
        auth,
        Secret(auth_password) if auth else None,
        priv,
        Secret(priv_password) if priv else None,
    )


class MadeEngine:
    """An authoritative engine with one user; `time` is its own clock."""

    def __init__(self, wire, credential, *, boots=3, engine_id=ENGINE):
        self.wire, self.credential, self.boots, self.engine_id = wire, credential, boots, engine_id
        self.offset = 5000.0
        self.salt = 0
        self.heard = 0

    @property
    def time(self):
        return int(self.wire.now + self.offset)

    @property
    def keys(self):
        return master_keys(self.credential, self.credential.auth, self.credential.priv).localize(self.engine_id)

    def __call__(self, data):  # noqa: PLR0911 - a step, an answer
        self.heard += 1
        message = read_message(data)
        if message.engine_id != self.engine_id:
            return [self.report(message, 4)]
        if message.user != self.credential.user.encode():
            return [self.report(message, 3)]
        if message.flags & AUTH and not verify(message, self.keys):
            return [self.report(message, 5)]
        if message.flags & AUTH and (message.boots != self.boots or abs(message.time - self.time) > 150):
            return [self.report(message, 2, AUTH)]
        try:
            scoped = decrypt(message, self.keys)
            _, context, at, end = read_scoped(scoped)
        except BerError:
            return []
        if context == b"nowhere":
            body = integer(0) * 3 + encode_varbinds([(oid("1.3.6.1.6.3.12.1.5.0"), Tag.COUNTER32, 1)])
            return [self.say(message, tlv(0xA8, body), message.flags & (AUTH | PRIV))]
        _, at, end = read_tlv(scoped, at, end)
        request_id, _ = read_integer(scoped, at, end)
        body = (
            integer(request_id) + integer(0) + integer(0) + encode_varbinds([(NAME, Tag.OCTET_STRING, b"v3" + context)])
        )
        return [self.say(message, tlv(0xA2, body), message.flags & (AUTH | PRIV))]

    def report(self, message, arc, flags=0):
        body = integer(0) + integer(0) + integer(0) + encode_varbinds([(oid(f"{STATS}.{arc}.0"), Tag.COUNTER32, 1)])
        return self.say(message, tlv(0xA8, body), flags)

    def say(self, message, pdu, flags):
        self.salt += 1
        keys = self.keys if flags else Keys()
        frame = Frame(keys, flags, engine_id=self.engine_id, boots=self.boots, user=message.user)
        return frame.message(pdu, message_id=message.message_id, time=self.time, salt=self.salt)


def talk(wire, credential, engine=None, auth=..., priv=...):
    engine = engine or Engine(wire, allowed=lambda *_: True, clock=wire.clock, random_id=lambda: 9, waits=(1.0,))
    peer = Peer(
        "192.0.2.7",
        161,
        credential,
        "3",
        credential.auth if auth is ... else auth,
        credential.priv if priv is ... else priv,
    )
    ended = []
    engine.submit(peer, get(peer, [NAME]), lambda *end: ended.append(end))
    while engine.busy:
        engine.poll(10)
    return peer, *ended[0]


LEVELS = [
    (None, None),
    *((auth, None) for auth in AuthProtocol),
    *((auth, priv) for auth in (AuthProtocol.MD5, AuthProtocol.SHA1, AuthProtocol.SHA512) for priv in PrivProtocol),
]


@pytest.mark.parametrize(("auth", "priv"), LEVELS)
def test_every_level_is_two_datagrams_at_first_and_one_afterwards(auth, priv):
    wire = MemoryWire()
    credential = user(auth, priv)
    device = wire.devices["192.0.2.7", 161] = MadeEngine(wire, credential)
    engine = Engine(wire, allowed=lambda *_: True, clock=wire.clock, random_id=lambda: 9, waits=(1.0,))
    peer, found, error = talk(wire, credential, engine)
    assert error is None
    assert found[NAME][2] == b"v3"
    assert device.heard == 2
    assert peer.engine_id == ENGINE
    wire.now += 3 * 86_400
    assert talk(wire, credential, engine)[2] is None
    assert device.heard == 3, "one datagram after any idle time"


def test_a_reboot_and_a_stepped_clock_cost_one_more_datagram():
    wire = MemoryWire()
    credential = user()
    device = wire.devices["192.0.2.7", 161] = MadeEngine(wire, credential)
    engine = Engine(wire, allowed=lambda *_: True, clock=wire.clock, random_id=lambda: 9, waits=(1.0,))
    talk(wire, credential, engine)
    device.boots, device.offset = 4, -90.0
    assert talk(wire, credential, engine)[2] is None
    device.offset += 4000
    assert talk(wire, credential, engine)[2] is None
    assert device.heard == 6


def test_another_engine_behind_the_address_is_discovered_anew():
    wire = MemoryWire()
    credential = user()
    wire.devices["192.0.2.7", 161] = MadeEngine(wire, credential)
    engine = Engine(wire, allowed=lambda *_: True, clock=wire.clock, random_id=lambda: 9, waits=(1.0,))
    talk(wire, credential, engine)
    other = wire.devices["192.0.2.7", 161] = MadeEngine(wire, credential, engine_id=ENGINE + b"\x07")
    peer, found, error = talk(wire, credential, engine)
    assert error is None
    assert found
    assert peer.engine_id == other.engine_id


@pytest.mark.parametrize(
    ("wrong", "step"),
    [
        ({"name": "nobody"}, "unknown_user"),
        ({"auth_password": "otherpass"}, "wrong_auth"),
        ({"auth": AuthProtocol.SHA1}, "wrong_auth"),
    ],
)
def test_a_refusal_names_the_step(wrong, step):
    wire = MemoryWire()
    wire.devices["192.0.2.7", 161] = MadeEngine(wire, user())
    _, _, error = talk(wire, user(**wrong))
    assert isinstance(error, AuthFailedError)
    assert error.step == step
    assert "192.0.2.7" in str(error)


def test_contexts_travel_and_an_unknown_one_is_named():
    wire = MemoryWire()
    wire.devices["192.0.2.7", 161] = MadeEngine(wire, user())
    _, found, error = talk(wire, dataclasses.replace(user(), context="Jetdirect"))
    assert (found[NAME][2], error) == (b"v3Jetdirect", None)
    _, _, error = talk(wire, dataclasses.replace(user(), context="nowhere"))
    assert isinstance(error, AuthFailedError)
    assert error.step == "unknown_context"


def test_a_wrong_privacy_password_is_silence_after_the_engine_was_found():
    wire = MemoryWire()
    wire.devices["192.0.2.7", 161] = MadeEngine(wire, user())
    peer, _, error = talk(wire, user(priv_password="otherpass"))
    assert isinstance(error, NoAnswerError)
    assert peer.first_reply


def test_an_unsigned_or_replayed_answer_is_not_believed():
    wire = MemoryWire()
    credential = user(priv=None)
    honest = MadeEngine(wire, credential)
    kept = []

    def attacker(data):
        message = read_message(data)
        if not message.engine_id:
            return honest(data)
        _, _, at, end = read_scoped(decrypt(message, honest.keys))
        body = (
            integer(message.message_id)
            + integer(0)
            + integer(0)
            + encode_varbinds([(NAME, Tag.OCTET_STRING, b"forged")])
        )
        unsigned = honest.say(message, tlv(0xA2, body), 0)
        wrong_key = MadeEngine(wire, user(priv=None, auth_password="wrongwrong")).say(message, tlv(0xA2, body), AUTH)
        kept.append((at, end))
        return [unsigned, wrong_key]

    wire.devices["192.0.2.7", 161] = attacker
    _, found, error = talk(wire, credential)
    assert found is None
    assert isinstance(error, NoAnswerError)
    assert kept


def test_keys_are_those_of_rfc_3414():
    engine_id = bytes.fromhex("000000000000000000000002")
    md5 = user(AuthProtocol.MD5, None, auth_password="maplesyrup")
    assert master_keys(md5, AuthProtocol.MD5, None).localize(engine_id).auth.hex() == "526f5eed9fcce26f8964c2930787d82b"
    sha = user(AuthProtocol.SHA1, None, auth_password="maplesyrup")
    assert (
        master_keys(sha, AuthProtocol.SHA1, None).localize(engine_id).auth.hex()
        == "6695febc9288e36282235fc7151f128497b38f3f"
    )


def test_no_key_shows_in_a_repr():
    keys = master_keys(user(), AuthProtocol.SHA256, PrivProtocol.AES128)
    assert "authpass1" not in repr(keys)
    assert keys.localize(ENGINE).auth.hex() not in repr(keys.localize(ENGINE))
    assert "auth=" not in repr(keys.localize(ENGINE))

from __future__ import annotations

import itertools

import pytest

from dca.errors import AuthFailedError
from dca.model import AuthProtocol, Credential, PrivProtocol, Secret
from dca.sim import V3_USER
from dca.snmp.community import CommunityChannel
from dca.snmp.oids import oid
from dca.snmp.types import ErrorStatus, Pdu, Peer, Reply, Request
from dca.snmp.usm import REPORTABLE, read_message
from dca.snmp.usm_channel import UsmChannel
from tests.sim.asking import Hand, device

NAME = Request(Pdu.GET, (oid("1.3.6.1.2.1.1.5.0"),))
IDS = itertools.count(0x01000001)


def user(auth=AuthProtocol.SHA256, priv=PrivProtocol.AES128, **changes):
    fields = {
        "name": "site",
        "version": "3",
        "user": "monitor",
        "auth": auth,
        "auth_password": Secret("simulated-auth-1") if auth else None,
        "priv": priv,
        "priv_password": Secret("simulated-priv-1") if priv else None,
    }
    return Credential(**{**fields, **changes})


def peer(credential):
    return Peer("127.0.0.1", 161, credential, "3", auth=credential.auth, priv=credential.priv)


def speak(one, credential, hand, *, channel=None, request=NAME):
    """Return (what came of it, datagrams sent)."""
    salts = itertools.count(1)
    channel = channel or UsmChannel(peer(credential), hand, lambda: next(salts))
    request_id = next(IDS)
    datagram: object = channel.encode(request, request_id)
    for sent in range(1, 6):
        assert isinstance(datagram, bytes)
        said = one.answer(datagram)
        if said is None:
            return None, sent
        datagram = channel.decode(said, request, request_id)
        if isinstance(datagram, Reply) or datagram is None:
            return datagram, sent
    raise AssertionError("it never ends")


LEVELS = [(None, None), (AuthProtocol.MD5, None), (AuthProtocol.SHA1, PrivProtocol.DES)]
LEVELS += [(auth, PrivProtocol.AES128) for auth in AuthProtocol]
LEVELS += [(AuthProtocol.SHA1, priv) for priv in PrivProtocol]


@pytest.mark.parametrize(("auth", "priv"), LEVELS)
def test_every_level_and_cipher_is_answered(auth, priv):
    hand = Hand()
    one = device("konica-color-mfp", hand, users=[user(auth, priv)], versions=["3"])
    reply, sent = speak(one, user(auth, priv), hand)
    assert [value for _, _, value in reply.varbinds] == [one.identity.name.encode()]
    assert sent == 2, "discovery and the request"


def test_one_datagram_a_poll_even_after_hours():
    hand = Hand()
    one = device("konica-color-mfp", hand, users=[user()])
    channel = UsmChannel(peer(user()), hand, itertools.count(1).__next__)
    speak(one, user(), hand, channel=channel)
    hand.seconds += 5 * 3600
    assert speak(one, user(), hand, channel=channel)[1] == 1


def test_a_client_that_lost_the_time_is_told_it():
    hand, wrong = Hand(), Hand()
    one = device("konica-color-mfp", hand, users=[user()])
    channel = UsmChannel(peer(user()), wrong, itertools.count(1).__next__)
    speak(one, user(), wrong, channel=channel)
    hand.seconds += 1000  # the client's clock stood still
    reply, sent = speak(one, user(), wrong, channel=channel)
    assert reply is not None
    assert sent == 2


@pytest.mark.parametrize(
    ("credential", "step"),
    [
        (user(user="nobody"), "unknown_user"),
        (user(auth_password=Secret("another-password")), "wrong_auth"),
        (user(AuthProtocol.SHA512), "wrong_auth"),
        (user(priv_password=Secret("another-password")), "wrong_privacy"),
        (user(priv=PrivProtocol.AES256), "wrong_privacy"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_refusal_is_reported(credential, step):
    hand = Hand()
    one = device("konica-color-mfp", hand, users=[user()])
    with pytest.raises(AuthFailedError) as caught:
        speak(one, credential, hand)
    assert caught.value.step == step


def test_more_than_the_user_has_is_reported_and_less_is_an_authorization_error():
    hand = Hand()
    plain = device("konica-color-mfp", hand, users=[user(None, None)])
    with pytest.raises(AuthFailedError) as caught:
        speak(plain, user(priv=None), hand)
    assert caught.value.step == "security_level"
    safe = device("konica-color-mfp", hand, users=[user()])
    for weaker in (user(None, None), user(priv=None)):
        reply, _ = speak(safe, weaker, hand)
        assert reply.error_status == ErrorStatus.AUTHORIZATION_ERROR


def test_a_context_that_is_not_there():
    hand = Hand()
    one = device("konica-color-mfp", hand, users=[user(context="Jetdirect")])
    assert speak(one, user(context="Jetdirect"), hand)[0].varbinds
    with pytest.raises(AuthFailedError) as refused:
        speak(one, user(), hand)
    assert refused.value.step == "unknown_context"


def test_no_report_to_what_is_not_reportable():
    hand = Hand()
    one = device("konica-color-mfp", hand, users=[user()])
    discovery = UsmChannel(peer(user()), hand, lambda: 1).encode(NAME, 0x01010101)
    assert one.answer(discovery) is not None
    at = discovery.index(b"\x04\x01" + bytes((REPORTABLE,)))
    assert one.answer(discovery[: at + 2] + b"\0" + discovery[at + 3 :]) is None


def test_an_engine_id_is_the_makers_and_the_devices_own():
    ids = {device("konica-color-mfp", number=number).engine_id for number in range(1, 50)}
    assert len(ids) == 49
    assert all(one[:5] == bytes.fromhex("8000479e03") for one in ids)


def test_who_has_no_user_or_no_v3_is_silent():
    hand = Hand()
    discovery = UsmChannel(peer(V3_USER), hand, lambda: 1).encode(NAME, 0x01010101)
    assert device("hp-mono", hand).answer(discovery) is None
    assert device("brother-mono", hand, users=[V3_USER]).answer(discovery) is None
    said = device("hp-mono", hand, users=[V3_USER]).answer(discovery)
    assert read_message(said).engine_id


def test_a_v3_only_device_is_silent_to_communities():
    one = device("konica-color-mfp", users=[V3_USER], versions=["3"])
    for version in ("1", "2c"):
        assert one.answer(CommunityChannel(version, "public").encode(NAME, 0x01010101)) is None

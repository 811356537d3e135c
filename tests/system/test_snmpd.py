"""The whole protocol against net-snmp's snmpd: every version, level and cipher, and each way to be refused."""

from __future__ import annotations

import pytest
from peers import need
from snmpd import AUTH_PASSWORD, PRIV_PASSWORD, running, user_name

from dca.discovery.access import attempts_of, find_access
from dca.errors import AuthFailedError, NoAnswerError
from dca.model import AuthProtocol, Credential, PrivProtocol, Secret
from dca.printers.profiles import load_profiles
from dca.snmp.ask import columns, get
from dca.snmp.client import SnmpClient
from dca.snmp.oids import oid
from dca.snmp.types import Peer

NAME, SERIAL, SYSTEM = oid("1.3.6.1.2.1.1.5.0"), oid("1.3.6.1.2.1.43.5.1.1.17.1"), oid("1.3.6.1.2.1.1")


@pytest.fixture(scope="module")
def snmpd(tmp_path_factory):
    need("snmpd", "snmpd")
    with running(tmp_path_factory.mktemp("snmpd")) as one:
        yield one


@pytest.fixture(scope="module")
def profiles():
    return load_profiles()


def client_for(snmpd, **settings):
    allowed = (snmpd.address, snmpd.port)
    return SnmpClient(allowed=lambda *place: place == allowed, **{"timeout": 0.5, "retries": 1, **settings})


def credential(auth, priv, /, **changes):
    fields = {
        "name": "site",
        "version": "3",
        "user": user_name(auth, priv),
        "auth": auth,
        "auth_password": Secret(AUTH_PASSWORD) if auth else None,
        "priv": priv,
        "priv_password": Secret(PRIV_PASSWORD) if priv else None,
    }
    return Credential(**{**fields, **changes})


@pytest.mark.parametrize("version", ["1", "2c"])
async def test_communities(snmpd, version):
    public = Credential("public", version, community=Secret("public"))
    async with client_for(snmpd) as client:
        peer = Peer(snmpd.address, snmpd.port, public, version)
        found = await client.converse(peer, get(peer, [NAME, SERIAL, oid("1.3.6.1.2.1.43.99.1.0")]))
        assert {name: value for name, _, value in found.values()} == {NAME: b"made-printer", SERIAL: b"SN-0001"}
        table = await client.converse(peer, columns(peer, [SYSTEM]))
        assert len(table.rows[SYSTEM]) > 8


LEVELS = [(None, None), *((a, None) for a in AuthProtocol), *((a, p) for a in AuthProtocol for p in PrivProtocol)]


async def test_every_cipher(snmpd):
    async with client_for(snmpd) as client:

        async def read(auth, priv):
            peer = Peer(snmpd.address, snmpd.port, credential(auth, priv), "3", auth, priv)
            found = await client.converse(peer, get(peer, [NAME]))
            return found[NAME][2], peer.requests

        for auth, priv in LEVELS:
            assert await read(auth, priv) in ((b"made-printer", 2), (b"made-printer", 3)), (auth, priv)
            assert await read(auth, priv) == (b"made-printer", 1), (auth, priv)


@pytest.mark.parametrize(
    ("auth", "priv"),
    [
        (AuthProtocol.SHA1, PrivProtocol.AES128),
        (AuthProtocol.MD5, PrivProtocol.DES),
        (AuthProtocol.SHA256, PrivProtocol.AES256),
        (AuthProtocol.SHA1, PrivProtocol.AES256C),
        (AuthProtocol.SHA512, None),
    ],
)
async def test_open_ciphers_are_found_out(snmpd, profiles, auth, priv):
    left_open = credential(auth, priv, auth=None, priv=None)
    async with client_for(snmpd, timeout=0.2) as client:
        access = await find_access(client, snmpd.address, snmpd.port, attempts_of([left_open]), profiles)
    assert (access.attempt.auth, access.attempt.priv) == (auth, priv)
    assert access.identity.is_printer


@pytest.mark.parametrize(
    ("changes", "step"),
    [
        ({"user": "nobody"}, "unknown_user"),
        ({"auth_password": Secret("wrong-password")}, "wrong_auth"),
        ({"priv_password": Secret("wrong-password")}, "wrong_privacy"),
        ({"user": "blind", "priv": None, "priv_password": None}, "no_view"),
        ({"user": user_name(None, None)}, "security_level"),
        ({"context": "elsewhere"}, "unknown_context"),
    ],
)
async def test_a_refusal_names_the_step(snmpd, profiles, changes, step):
    wrong = credential(AuthProtocol.SHA1, PrivProtocol.AES128, **changes)
    async with client_for(snmpd, timeout=0.3) as client:
        with pytest.raises(AuthFailedError) as refused:
            await find_access(client, snmpd.address, snmpd.port, attempts_of([wrong]), profiles)
    assert refused.value.step == step


async def test_the_next_credential_is_tried_and_never_more_than_it_takes(snmpd, profiles):
    wrong = Credential("wrong", "2c", community=Secret("wrong"))
    right = credential(AuthProtocol.SHA256, PrivProtocol.AES128)
    never = Credential("never", "2c", community=Secret("never"))
    async with client_for(snmpd, timeout=0.2) as client:
        access = await find_access(client, snmpd.address, snmpd.port, attempts_of([wrong, right, never]), profiles)
        assert access.attempt.credential is right
        with pytest.raises(NoAnswerError, match="wrong"):
            await find_access(client, snmpd.address, snmpd.port, attempts_of([wrong]), profiles)

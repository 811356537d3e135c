"""SET against net-snmp's snmpd: who may write does, who may not is told why, in every version."""

from __future__ import annotations

import pytest
from peers import need
from snmpd import AUTH_PASSWORD, PRIV_PASSWORD, WRITER, running, user_name

from dca.errors import AuthFailedError, RefusedError
from dca.model import AuthProtocol, Credential, PrivProtocol, Secret
from dca.snmp.ask import get
from dca.snmp.assign import ONCE, lacks_write, set_values
from dca.snmp.client import SnmpClient
from dca.snmp.oids import oid
from dca.snmp.types import ErrorStatus, Peer, Tag

CONTACT, LOCATION = oid("1.3.6.1.2.1.1.4.0"), oid("1.3.6.1.2.1.1.6.0")


@pytest.fixture(scope="module")
def snmpd(tmp_path_factory):
    need("snmpd", "snmpd")
    with running(tmp_path_factory.mktemp("snmpd")) as one:
        yield one


def user(auth, priv):
    name = user_name(auth, priv)
    return Credential("site", "3", None, name, auth, Secret(AUTH_PASSWORD), priv, Secret(PRIV_PASSWORD))


def community(text, version):
    return Credential(text, version, community=Secret(text))


async def assign(snmpd, credential, *values):
    allowed = (snmpd.address, snmpd.port)
    async with SnmpClient(allowed=lambda *place: place == allowed, timeout=1.0) as client:
        peer = Peer(snmpd.address, snmpd.port, credential, credential.version, credential.auth, credential.priv)
        await client.converse(peer, get(peer, [CONTACT]))
        before = peer.requests
        await client.converse(peer, set_values(peer, values), waits=ONCE)
        assert peer.requests == before + 1
        found = await client.converse(peer, get(peer, [name for name, _, _ in values]))
        return [found[name][2] for name, _, _ in values]


@pytest.mark.parametrize("credential", [community("private", "1"), community("private", "2c"), user(*WRITER)])
async def test_who_may_write_does(snmpd, credential):
    text = f"by {credential.version}".encode()
    set_ = [(CONTACT, Tag.OCTET_STRING, text), (LOCATION, Tag.OCTET_STRING, b"here")]
    assert await assign(snmpd, credential, *set_) == [text, b"here"]


@pytest.mark.parametrize(
    ("credential", "kind"),
    [
        (community("public", "1"), RefusedError),
        (community("public", "2c"), AuthFailedError),
        (user(AuthProtocol.SHA1, PrivProtocol.AES128), AuthFailedError),
    ],
)
async def test_who_may_not_is_told(snmpd, credential, kind):
    with pytest.raises(kind, match=f"does not let {credential.name} write 1.3.6.1.2.1.1.4.0") as refused:
        await assign(snmpd, credential, (CONTACT, Tag.OCTET_STRING, b"x"))
    assert lacks_write(refused.value)


async def test_a_value_of_another_type_is_told(snmpd):
    with pytest.raises(RefusedError, match="does not take this value") as refused:
        await assign(snmpd, community("private", "2c"), (CONTACT, Tag.INTEGER, 1))
    assert refused.value.status == ErrorStatus.WRONG_TYPE

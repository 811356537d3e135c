"""The responder against pysnmp: another implementation reads what it says."""

from __future__ import annotations

import pytest
from pysnmp.hlapi.v3arch.asyncio import (
    USM_AUTH_HMAC192_SHA256,
    USM_PRIV_CFB128_AES,
    CommunityData,
    ContextData,
    ObjectIdentity,
    ObjectType,
    SnmpEngine,
    UdpTransportTarget,
    UsmUserData,
    bulk_cmd,
    get_cmd,
)

from dca.sim import V3_USER, running
from tests.sim.asking import device

NAME, SUPPLIES = "1.3.6.1.2.1.1.5.0", "1.3.6.1.2.1.43.11.1.1.9"
V3 = UsmUserData(
    V3_USER.user,
    V3_USER.auth_password.reveal(),
    V3_USER.priv_password.reveal(),
    authProtocol=USM_AUTH_HMAC192_SHA256,
    privProtocol=USM_PRIV_CFB128_AES,
)


@pytest.fixture(scope="module")
def served():
    one = device("kyocera-ecosys-mfp", address="127.24.0.1", users=[V3_USER])
    with running([one]) as fleet:
        yield fleet


@pytest.fixture
async def engine():
    engine = SnmpEngine()
    yield engine
    engine.close_dispatcher()


@pytest.mark.parametrize("auth", [CommunityData("public", mpModel=0), CommunityData("public", mpModel=1), V3])
async def test_pysnmp_reads_what_the_device_is(served, engine, auth):
    one = served["127.24.0.1"]
    target = await UdpTransportTarget.create(("127.24.0.1", served.port), timeout=5, retries=1)
    objects = [ObjectType(ObjectIdentity(name)) for name in (NAME, f"{SUPPLIES}.1.5")]
    failed, status, _, found = await get_cmd(engine, auth, target, ContextData(), *objects, lookupMib=False)
    assert failed is None
    assert status == 0
    assert [value for _, value in found] == [one.identity.name.encode(), -3]


async def test_pysnmp_gets_rows_in_bulk(served, engine):
    target = await UdpTransportTarget.create(("127.24.0.1", served.port), timeout=5, retries=1)
    failed, status, _, found = await bulk_cmd(
        engine, V3, target, ContextData(), 0, 5, ObjectType(ObjectIdentity(SUPPLIES)), lookupMib=False
    )
    assert failed is None
    assert status == 0
    levels = [round(filling.left * filling.spec.capacity) for filling in served["127.24.0.1"].state.supplies.values()]
    assert [int(value) for _, value in found] == [*levels[:4], -3]


async def test_pysnmp_is_told_that_the_user_is_unknown(served, engine):
    target = await UdpTransportTarget.create(("127.24.0.1", served.port), timeout=5, retries=0)
    failed, *_ = await get_cmd(
        engine, UsmUserData("nobody"), target, ContextData(), ObjectType(ObjectIdentity(NAME)), lookupMib=False
    )
    assert "nknown" in str(failed)

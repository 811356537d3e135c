"""Activation's handlers without a database: who is heard, and what each answer's status says to an agent's lockout."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

import asyncpg
import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from dca.contract.codes import NO_PIN, make_code
from dca.hub.activation import Activation, Office
from dca.hub.activation.codes import Judged, _judge_right
from dca.hub.activation.requests import fingerprint, key_of, renewing
from dca.hub.front import Caller, Callers
from dca.hub.pki import Authority
from dca.identity.keys import new_key, renewal, request_for
from dca.wire.activation_pb2 import ActivateRequest, RenewRequest
from tests.hub.office import NOON
from tests.identity.fake_hub import made_identity

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

Status = grpc.StatusCode
PORT = 40_000


class AbortedError(Exception):
    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(f"{code.name}: {details}")
        self.code = code


@dataclass
class FakeCall:
    port: int = PORT

    def peer(self) -> str:
        return f"ipv4:127.0.0.1:{self.port}"

    async def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        raise AbortedError(code, details)


@dataclass
class FakePool:
    """Lends nothing: it raises, or hangs."""

    error: Exception | None = None
    asked: int = 0
    never: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def acquire(self, *, timeout: float) -> AsyncIterator[None]:  # noqa: ASYNC109 - asyncpg's word
        assert timeout
        self.asked += 1
        if self.error is not None:
            raise self.error
        await self.never.wait()
        yield


@pytest.fixture
def pool() -> FakePool:
    return FakePool(OSError("gone"))


@pytest.fixture
def activation(tmp_path: Path, pool: FakePool) -> Activation:
    callers = Callers()
    callers.add(PORT, Caller("192.0.2.7"))
    authority = Authority(tmp_path)
    authority.ensure([], datetime.now(UTC))
    office = Office(authority, bytes(32), timedelta(days=90), lambda *_: None)
    return Activation(pool, callers, office, lambda: NOON)  # type: ignore[arg-type]


def asked(**fields: Any) -> bytes:
    named = {"code": make_code(NO_PIN).text().reveal(), "csr": request_for(new_key())} | fields
    return ActivateRequest(**named).SerializeToString()


async def outcome(work: Any) -> AbortedError:
    with pytest.raises(AbortedError) as caught:
        await work
    return caught.value


async def test_whoever_did_not_come_through_the_door_is_not_even_read(activation: Activation, pool: FakePool) -> None:
    for work in (activation.activate(b"\xff", FakeCall(1)), activation.renew(b"\xff", FakeCall(1))):
        assert (await outcome(work)).code is Status.UNAUTHENTICATED
    assert pool.asked == 0


@pytest.mark.parametrize("request_bytes", [b"\xff\xff", b"", asked(csr=b""), asked(csr=b"x" * 9000)])
async def test_a_request_that_is_none_is_not_judged(
    activation: Activation, pool: FakePool, request_bytes: bytes
) -> None:
    found = await outcome(activation.activate(request_bytes, FakeCall()))
    assert found.code is Status.INVALID_ARGUMENT
    assert pool.asked == 0


AWAY = [OSError("gone"), TimeoutError(), asyncpg.InterfaceError("closed"), asyncpg.DiskFullError("full")]


@pytest.mark.parametrize("error", AWAY, ids=lambda error: type(error).__name__)
async def test_a_database_that_is_away_does_not_count_at_the_agent(
    activation: Activation, pool: FakePool, error: Exception, tmp_path: Path
) -> None:
    pool.error = error
    renew = renewal(made_identity(tmp_path), new_key()).SerializeToString()
    for work in (activation.activate(asked(), FakeCall()), activation.renew(renew, FakeCall())):
        found = await outcome(work)
        assert found.code is Status.ABORTED
        assert "gone" not in str(found)


async def test_a_database_that_hangs_is_given_up_in_time(
    activation: Activation, pool: FakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dca.hub.activation.service.PATIENCE_S", 0.05)
    pool.error = None
    assert (await outcome(activation.activate(asked(), FakeCall()))).code is Status.ABORTED


async def test_a_certificate_of_another_hub_is_not_renewed(
    activation: Activation, pool: FakePool, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    request = renewal(made_identity(tmp_path / "other"), new_key()).SerializeToString()
    found = await outcome(activation.renew(request, FakeCall()))
    assert found.code is Status.UNAUTHENTICATED
    assert "another hub" in str(found)
    assert pool.asked == 0


# requests


def csr(key: Any, algorithm: Any) -> x509.CertificateSigningRequest:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "me")])
    return x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, algorithm)


def der(request: x509.CertificateSigningRequest) -> bytes:
    return request.public_bytes(serialization.Encoding.DER)


@pytest.mark.parametrize(
    "request_bytes",
    [
        der(csr(rsa.generate_private_key(65537, 2048), hashes.SHA256())),
        der(csr(ec.generate_private_key(ec.SECP384R1()), hashes.SHA256())),
        der(csr(ed25519.Ed25519PrivateKey.generate(), None)),
    ],
)
def test_only_keys_of_p256_are_certified(request_bytes: bytes) -> None:
    with pytest.raises(ValueError, match="not for an ECDSA P-256 key"):
        key_of(request_bytes)


def test_a_request_is_signed_by_its_own_key() -> None:
    mine, others = (request_for(new_key()) for _ in range(2))
    point = slice(mine.index(b"\x03\x42\x00\x04") + 4, mine.index(b"\x03\x42\x00\x04") + 68)
    where = others.index(b"\x03\x42\x00\x04") + 4
    with pytest.raises(ValueError, match="not signed by its own key"):
        key_of(mine[: point.start] + others[where : where + 64] + mine[point.stop :])
    assert fingerprint(key_of(mine)) != fingerprint(key_of(others))


def test_a_renewal_of_no_agents_key_is_refused(tmp_path: Path) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "me")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(NOON).not_valid_after(NOON + timedelta(days=1)).sign(key, None)
    )  # fmt: skip
    with pytest.raises(ValueError, match="no agent's"):
        renewing(RenewRequest(certificate=made.public_bytes(serialization.Encoding.DER)))


# a code whose secret is right


KEY, OTHER = bytes(32), bytes(31) + b"\1"


def judged(**fields: Any) -> Judged | str:
    row = {"id": "C", "site": 1, "site_name": "Office", "agent": None, "locked_at": None, "used_at": None,
           "used_by": None, "used_key": None, "expires_at": NOON + timedelta(days=1)}  # fmt: skip
    key, heard = fields.pop("key", KEY), fields.pop("heard", False)
    return _judge_right(row | fields, key, NOON, heard=heard)  # type: ignore[arg-type]


USED = {"used_at": NOON - timedelta(hours=1), "used_by": 7, "used_key": KEY}


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"locked_at": NOON}, "locked after five wrong tries"),
        ({"expires_at": NOON}, "ended at 2026-11-20 12:00 UTC"),
        (USED | {"key": OTHER}, "used already"),
        (USED | {"heard": True}, "used already"),
        (USED | {"locked_at": NOON}, "locked"),
    ],
)
def test_a_right_code_that_does_not_hold_says_why(fields: dict[str, Any], says: str) -> None:
    found = judged(**fields)
    assert isinstance(found, str)
    assert says in found


def test_a_lost_answer_is_given_again_also_when_the_code_has_ended_meanwhile() -> None:
    assert judged(**USED, expires_at=NOON - timedelta(minutes=1)) == Judged("C", 1, "Office", 7, repeated=True)
    assert judged(agent=3) == Judged("C", 1, "Office", 3, repeated=False)

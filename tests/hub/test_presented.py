"""Which certificate goes into activation codes: a CA that stays, or none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dca.contract.codes import NO_PIN, pin_of
from dca.hub.folder import DataFolder
from dca.hub.pki import Authority
from dca.hub.presented import read_pin, write_pin

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 25, tzinfo=UTC)
Signed = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def made(name: str, by: Signed | None = None) -> Signed:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(by[0].subject if by else subject)
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    return builder.sign(by[1] if by else key, hashes.SHA256()), key


ROOT = made("root")
BETWEEN = made("between", ROOT)
SERVER = made("hub.example.com", BETWEEN)


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    found = DataFolder(tmp_path / "hub")
    found.make()
    return found


def pinned(folder: DataFolder, *chain: Signed) -> bytes:
    write_pin(folder, b"".join(one[0].public_bytes(serialization.Encoding.PEM) for one in chain))
    return read_pin(folder, Authority(folder.path))


def test_a_root_at_the_end_of_the_chain_is_pinned(folder: DataFolder) -> None:
    root = ROOT[0].public_bytes(serialization.Encoding.DER)
    assert pinned(folder, SERVER, BETWEEN, ROOT) == pin_of(root)


def test_what_a_public_ca_puts_in_between_is_not_pinned(folder: DataFolder) -> None:
    """It is another one after a renewal, and TLS trusts no such certificate by itself."""
    assert pinned(folder, SERVER, BETWEEN) == NO_PIN


def test_a_servers_own_certificate_is_not_pinned(folder: DataFolder) -> None:
    assert pinned(folder, SERVER) == NO_PIN
    assert pinned(folder, ROOT) == NO_PIN, "an agent would hold to it past its renewal"

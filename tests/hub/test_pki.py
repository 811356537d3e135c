from __future__ import annotations

import ssl
import stat
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from dca.errors import HubError
from dca.hub.pki import Authority, given_pair

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    made = Authority(tmp_path)
    made.ensure(["hub.example.com", "192.0.2.7"], NOW)
    return made


def server(authority: Authority) -> x509.Certificate:
    return x509.load_pem_x509_certificate(authority.server_pair()[1])


def names(certificate: x509.Certificate) -> set[str]:
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {*found.get_values_for_type(x509.DNSName), *map(str, found.get_values_for_type(x509.IPAddress))}


def test_the_server_certificate_names_what_agents_use(authority: Authority) -> None:
    certificate = server(authority)
    assert {"hub.example.com", "192.0.2.7", "localhost", "127.0.0.1", "::1"} <= names(certificate)
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.ca_file.read_bytes()))
    assert isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)


def test_keys_are_for_the_owner_only(authority: Authority) -> None:
    for path in (authority.ca_key_file, authority.server_file):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_making_it_again_changes_nothing(authority: Authority, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    authority.ensure([], NOW)
    authority.ensure(["hub.example.com"], NOW + timedelta(days=30))
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_new_name_renews_the_server_certificate_only_and_keeps_the_others(authority: Authority) -> None:
    ca = authority.ca_file.read_bytes()
    authority.ensure(["other.example.com"], NOW)
    assert {"other.example.com", "hub.example.com"} <= names(server(authority))
    assert authority.ca_file.read_bytes() == ca


def test_names_given_anew_replace_the_earlier_ones(authority: Authority) -> None:
    mistyped = server(authority)
    authority.ensure(["hub2.example.com"], NOW, replace=True)
    held = names(server(authority))
    assert {"hub2.example.com", "localhost", "127.0.0.1", "::1"} <= held
    assert not {"hub.example.com", "192.0.2.7"} & held
    assert authority.names == sorted(held)
    again = server(authority)
    assert again != mistyped
    authority.ensure(["hub2.example.com"], NOW, replace=True)
    assert server(authority) == again


def test_it_is_renewed_in_time(authority: Authority) -> None:
    first = server(authority)
    authority.ensure([], first.not_valid_after_utc - timedelta(days=50))
    assert server(authority).not_valid_after_utc > first.not_valid_after_utc
    assert "hub.example.com" in names(server(authority))


def test_a_lost_ca_key_is_said_and_nothing_is_made_anew(authority: Authority) -> None:
    ca = authority.ca_file.read_bytes()
    authority.ca_key_file.unlink()
    with pytest.raises(HubError, match="put its key back"):
        authority.ensure([], NOW)
    assert authority.ca_file.read_bytes() == ca


def test_a_lost_ca_certificate_is_made_again_so_that_agents_still_trust_the_hub(authority: Authority) -> None:
    held_by_agents = x509.load_pem_x509_certificate(authority.ca_file.read_bytes())
    authority.ca_file.unlink()
    authority.ensure(["third.example.com"], NOW)
    server(authority).verify_directly_issued_by(held_by_agents)


def test_a_tls_library_accepts_it(authority: Authority, tmp_path: Path) -> None:
    key, chain = authority.server_pair()
    (tmp_path / "pair.pem").write_bytes(key + chain)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pair.pem")


def test_an_operators_own_pair_must_fit(authority: Authority, tmp_path: Path) -> None:
    key, chain = authority.server_pair()
    (tmp_path / "cert.pem").write_bytes(chain)
    (tmp_path / "key.pem").write_bytes(key)
    assert given_pair(tmp_path / "cert.pem", tmp_path / "key.pem") == (key, chain)
    with pytest.raises(HubError, match="is not the key of"):
        given_pair(tmp_path / "cert.pem", authority.ca_key_file)
    with pytest.raises(HubError, match="cannot be used"):
        given_pair(tmp_path / "cert.pem", tmp_path / "missing.pem")


def test_a_name_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HubError, match="no host name"):
        Authority(tmp_path).ensure(["büro"], NOW)


def test_the_fingerprint_is_that_of_the_ca(authority: Authority) -> None:
    assert len(authority.ca_fingerprint.split(":")) == 32

"""The hub's own certificate authority: the server's certificate and the agents' (ECDSA P-256, X.509 v3, RFC 5280)."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from dca.errors import HubError
from dca.hub.folder import write_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from uuid import UUID

__all__ = ["Authority", "Issued", "given_pair"]

CA_LIFE = timedelta(days=3650)
SERVER_LIFE = timedelta(days=397)
"""What browsers and TLS libraries accept at most."""
RENEW_BEFORE = timedelta(days=60)
SKEW = timedelta(days=1)
"""Agents' clocks may be behind: certificates begin earlier than they are made."""


def given_pair(certificate: Path, key: Path) -> tuple[bytes, bytes]:
    """Return an operator's own private key and certificate chain, PEM.

    Raises: HubError when they cannot be read or do not belong together.
    """
    try:
        chain, private = certificate.read_bytes(), key.read_bytes()
        loaded = serialization.load_pem_private_key(private, None)
        belongs = x509.load_pem_x509_certificate(chain).public_key() == loaded.public_key()
    except (OSError, ValueError, TypeError) as error:
        raise HubError(f"{certificate} with {key} cannot be used: {error}") from error
    if not belongs:
        raise HubError(f"{key} is not the key of {certificate}")
    return private, chain


class Issued(NamedTuple):
    """A certificate for an agent."""

    serial: str
    """Hex."""
    not_before: datetime
    not_after: datetime
    chain: str
    """PEM: the certificate, then the CA's."""


@dataclass(frozen=True)
class Authority:
    """The CA and the server certificate in a hub's data folder."""

    folder: Path

    @property
    def ca_file(self) -> Path:
        """The CA's certificate, which agents are given."""
        return self.folder / "ca.pem"

    @property
    def ca_fingerprint(self) -> str:
        """SHA-256 of the CA's certificate as colon-separated hex: what a person compares when it is copied."""
        return x509.load_pem_x509_certificate(self.ca_file.read_bytes()).fingerprint(hashes.SHA256()).hex(":").upper()

    @property
    def ca_key_file(self) -> Path:
        """The CA's private key; never leaves the folder."""
        return self.folder / "ca.key"

    @property
    def server_file(self) -> Path:
        """The server's private key and certificate, in one file so that they always fit."""
        return self.folder / "server.pem"

    @property
    def names(self) -> list[str]:
        """The names and addresses in the server certificate, by which agents may call the hub."""
        return sorted(_names_of(x509.load_pem_x509_certificate(self.server_file.read_bytes())))

    def ensure(self, names: Iterable[str], now: datetime, *, replace: bool = False) -> None:
        """Make what is missing: the CA once for ever, the server certificate when it lacks a name or nears its end.

        `replace` lets names of an earlier certificate go; without it they stay. Those of this machine always do.

        Raises: HubError when the CA's key is missing beside its certificate, for then nothing is overwritten.
        """
        if self.ca_file.exists() and not self.ca_key_file.exists():
            raise HubError(f"{self.ca_key_file} is missing: agents trust this CA, so put its key back from the backup")
        if not self.ca_key_file.exists():
            write_file(self.ca_key_file, _key_pem(ec.generate_private_key(ec.SECP256R1())))
        if not self.ca_file.exists():
            self._make_ca(now)
        wanted = {*_own_names(), *names}
        if self.server_file.exists():
            present = x509.load_pem_x509_certificate(self.server_file.read_bytes())
            held = _names_of(present)
            fits = wanted == held if replace else wanted <= held
            if fits and present.not_valid_after_utc - now > RENEW_BEFORE and self._issued(present):
                return
            if not replace:
                wanted |= held
        self._make_server(sorted(wanted), now)

    def server_pair(self) -> tuple[bytes, bytes]:
        """Return the server's private key and its chain with the CA, by which agents pin the hub; PEM."""
        pem = self.server_file.read_bytes()
        certificate = x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.PEM)
        return pem.removesuffix(certificate), certificate + self.ca_file.read_bytes()

    def ca_der(self) -> bytes:
        """Return the CA's certificate, DER."""
        return x509.load_pem_x509_certificate(self.ca_file.read_bytes()).public_bytes(serialization.Encoding.DER)

    def issue(self, key: ec.EllipticCurvePublicKey, agent_id: UUID, now: datetime, life: timedelta) -> Issued:
        """Issue a client certificate for an agent's key: its common name is the agent's id."""
        ca = x509.load_pem_x509_certificate(self.ca_file.read_bytes())
        ca_key = self._ca_key()
        certificate = (
            _builder(_subject(str(agent_id)), ca.subject, key, now, min(life, ca.not_valid_after_utc - now))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
            .sign(ca_key, hashes.SHA256())
        )
        chain = certificate.public_bytes(serialization.Encoding.PEM) + self.ca_file.read_bytes()
        return Issued(
            f"{certificate.serial_number:x}",
            certificate.not_valid_before_utc,
            certificate.not_valid_after_utc,
            chain.decode("ascii"),
        )

    def has_issued(self, certificate: x509.Certificate) -> bool:
        """Tell whether this CA has signed a certificate; its dates are the caller's to look at."""
        return self._issued(certificate)

    def _issued(self, certificate: x509.Certificate) -> bool:
        try:
            certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(self.ca_file.read_bytes()))
        except (InvalidSignature, ValueError, TypeError):
            return False
        return True

    def _ca_key(self) -> ec.EllipticCurvePrivateKey:
        key = serialization.load_pem_private_key(self.ca_key_file.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key

    def _make_ca(self, now: datetime) -> None:
        key = self._ca_key()
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        # The name follows from the key: a lost certificate that is made again fits the one that agents hold.
        name = _subject(f"dca hub CA {identifier.digest.hex()[:12]}")
        certificate = (
            _builder(name, name, key.public_key(), now, CA_LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(identifier, critical=False)
            .sign(key, hashes.SHA256())
        )
        write_file(self.ca_file, certificate.public_bytes(serialization.Encoding.PEM), 0o644)

    def _make_server(self, names: list[str], now: datetime) -> None:
        ca = x509.load_pem_x509_certificate(self.ca_file.read_bytes())
        ca_key = self._ca_key()
        key = ec.generate_private_key(ec.SECP256R1())
        life = min(SERVER_LIFE, ca.not_valid_after_utc - now)
        certificate = (
            _builder(_subject("dca hub"), ca.subject, key.public_key(), now, life)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
            .sign(ca_key, hashes.SHA256())
        )
        write_file(self.server_file, _key_pem(key) + certificate.public_bytes(serialization.Encoding.PEM))


def _own_names() -> set[str]:
    host = socket.gethostname()
    return {"localhost", "127.0.0.1", "::1", *([host] if host.isascii() and host else [])}


def _names_of(certificate: x509.Certificate) -> set[str]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))}


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        return x509.DNSName(name)
    except ValueError as error:
        raise HubError(f"--name {name!r} is no host name: use its ASCII form, e.g. hub.example.com") from error


def _subject(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + life)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )

"""Whom to trust: the system's certificates and the customer's own CA file.

gRPC brings certificates of its own and ignores the system's, which fails behind a firewall that inspects
TLS; so it is handed the system's as PEM.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import ssl
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization

from dca.errors import ConfigError, ConfigProblem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["client_context", "load_key", "read_ca_file", "trust_pem"]

_LARGEST = 16 * 1024 * 1024
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine, Arch
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # Fedora, RHEL
    "/etc/pki/tls/certs/ca-bundle.crt",  # older RHEL
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # Alpine, BSD
)
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----\s+[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----", re.ASCII)
_HASHED_NAME = re.compile(r"[0-9a-f]{8}\.[0-9]+", re.ASCII)


def client_context(
    ca_file: Path | None = None, *, only: str | None = None, environ: Mapping[str, str] = os.environ
) -> ssl.SSLContext:
    """Return a context for everything but gRPC: TLS 1.2 or newer, certificate and name checked.

    `only` (PEM) is trusted alone where it is given: the hub's own CA. Raises ConfigError as `trust_pem` does.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    pem = only.encode("ascii") if only else trust_pem(ca_file, environ=environ)
    if pem:
        context.load_verify_locations(cadata=pem.decode("ascii"))
    return context


def load_key(context: ssl.SSLContext, key: bytes, chain: bytes) -> None:
    """Give a context its private key and certificate chain (PEM).

    OpenSSL takes them from files only: the key goes there closed with a password of this moment, and the file goes.
    Raises ValueError or OSError when they cannot be used.
    """
    password = secrets.token_hex(32)
    closed = serialization.load_pem_private_key(key, None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password.encode()),
    )
    descriptor, name = tempfile.mkstemp(prefix="dca-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(closed + chain)
        context.load_cert_chain(name, password=password)
    finally:
        with contextlib.suppress(OSError):
            Path(name).unlink()


def trust_pem(ca_file: Path | None = None, *, environ: Mapping[str, str] = os.environ) -> bytes:
    """Return every trusted certificate as PEM, each once: the system's, then those of `ca_file`.

    ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` stand for the system's where they are set, as with OpenSSL.
    Raises ConfigError when `ca_file` or a named ``SSL_CERT_FILE`` cannot be used.
    """
    try:
        own = _blocks(read_ca_file(ca_file)) if ca_file else []
    except ValueError as error:
        raise ConfigError("the hub's CA file", [ConfigProblem("hub.ca_file", str(error))]) from error
    system = list(_from_store()) if sys.platform == "win32" else _usable(_blocks(b"\n".join(_from_files(environ))))
    return b"".join(dict.fromkeys([*system, *own]))


def read_ca_file(path: Path) -> bytes:
    """Return the PEM of a CA file that holds at least one certificate, all of them readable. Raises ValueError."""
    data = _read(path)
    blocks = _blocks(data)
    if not blocks:
        raise ValueError(
            f"{path} holds no PEM certificate (-----BEGIN CERTIFICATE-----); "
            f"a DER file is converted by: openssl x509 -inform der -in {path} -out hub-ca.pem"
        )
    if len(_usable(blocks)) < len(blocks):
        raise ValueError(f"{path} holds a certificate that cannot be read; write it out again")
    return b"".join(blocks)


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise ValueError(f"{path} is no file")
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror or type(error).__name__}") from error
    if len(data) > _LARGEST:
        raise ValueError(f"{path} is larger than {_LARGEST // 1024 // 1024} MiB, which no bundle of certificates is")
    return data


def _blocks(data: bytes) -> list[bytes]:
    return [block.replace(b"\r\n", b"\n") + b"\n" for block in _CERTIFICATE.findall(data)]


def _usable(blocks: list[bytes]) -> list[bytes]:
    """Leave out what OpenSSL cannot read: one such block would make it refuse the whole text."""
    if blocks and not _loads(b"".join(blocks)):
        return [block for block in blocks if _loads(block)]
    return blocks


def _loads(pem: bytes) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem.decode("ascii"))
    except ssl.SSLError:
        return False
    return True


def _from_store() -> Iterator[bytes]:
    """Yield the certificates of the system's own store (Windows: ROOT and CA, for server authentication)."""
    for der in ssl.create_default_context().get_ca_certs(binary_form=True):
        yield ssl.DER_cert_to_PEM_cert(der).encode("ascii")


def _from_files(environ: Mapping[str, str]) -> Iterator[bytes]:
    named_file, named_folder = environ.get("SSL_CERT_FILE"), environ.get("SSL_CERT_DIR")
    if named_file:
        try:
            yield _read(Path(named_file))
        except ValueError as error:
            raise ConfigError("the environment", [ConfigProblem("SSL_CERT_FILE", str(error))]) from error
    paths = ssl.get_default_verify_paths()
    if not named_file and not named_folder:
        yield from _readable(Path(file) for file in (*_BUNDLES, paths.openssl_cafile))
    for folder in (named_folder or ("" if named_file else paths.openssl_capath)).split(os.pathsep):
        yield from _readable(_hashed(Path(folder)) if folder else ())


def _hashed(folder: Path) -> list[Path]:
    """List a capath: OpenSSL finds certificates there by their hashed names alone."""
    try:
        return sorted(path for path in folder.iterdir() if _HASHED_NAME.fullmatch(path.name))
    except OSError:
        return []


def _readable(paths: Iterable[Path]) -> Iterator[bytes]:
    for path in paths:
        try:
            yield _read(path)
        except ValueError:
            continue  # the usual places differ from system to system

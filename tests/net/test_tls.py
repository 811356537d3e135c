from __future__ import annotations

import asyncio
import datetime as dt
import ssl

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from dca.errors import ConfigError
from dca.net.tls import client_context, read_ca_file, trust_pem

NOTHING = {"SSL_CERT_FILE": "", "SSL_CERT_DIR": "/nonexistent"}
"""An environment in which the system trusts nobody."""


def make_certificate(name):
    """Return (certificate PEM, key PEM) of a certificate that signs itself, for localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM), pem


@pytest.fixture(scope="module")
def one():
    return make_certificate("one")


@pytest.fixture(scope="module")
def other():
    return make_certificate("other")


def names(pem):
    return [
        certificate.subject.rfc4514_string().removeprefix("CN=") for certificate in x509.load_pem_x509_certificates(pem)
    ]


def test_the_own_ca_stands_beside_the_systems(tmp_path, one, other):
    (tmp_path / "system.pem").write_bytes(b"# comment\n" + one[0])
    (tmp_path / "own.pem").write_bytes(other[0])
    environ = {"SSL_CERT_FILE": str(tmp_path / "system.pem")}
    assert names(trust_pem(environ=environ)) == ["one"]
    assert names(trust_pem(tmp_path / "own.pem", environ=environ)) == ["one", "other"]


def test_certificates_stand_once_and_line_ends_do_not_matter(tmp_path, one, other):
    (tmp_path / "system.pem").write_bytes(one[0] + other[0] + one[0])
    (tmp_path / "own.pem").write_bytes(one[0].replace(b"\n", b"\r\n"))
    assert names(trust_pem(tmp_path / "own.pem", environ={"SSL_CERT_FILE": str(tmp_path / "system.pem")})) == [
        "one",
        "other",
    ]


def test_a_capath_is_read_by_its_hashed_names(tmp_path, one, other):
    (tmp_path / "5ed36f99.0").write_bytes(one[0])
    (tmp_path / "readme.pem").write_bytes(other[0])
    assert names(trust_pem(environ={"SSL_CERT_DIR": str(tmp_path)})) == ["one"]


def test_the_systems_own_store_is_found():
    """Debian's ca-certificates, and what other systems have in its place."""
    if not ssl.create_default_context().get_ca_certs():
        pytest.skip("this system has no bundle of trusted certificates")
    assert set(ssl.create_default_context().get_ca_certs(binary_form=True)) <= {
        ssl.PEM_cert_to_DER_cert(part.strip() + "\n" + ssl.PEM_FOOTER)
        for part in trust_pem(environ={}).decode().split(ssl.PEM_FOOTER)
        if part.strip()
    }


def test_a_broken_certificate_of_the_system_does_not_take_the_others_away(tmp_path, one, other):
    broken = one[0].replace(one[0].splitlines()[1], b"A" * 64)
    (tmp_path / "system.pem").write_bytes(broken + other[0])
    environ = {"SSL_CERT_FILE": str(tmp_path / "system.pem")}
    assert names(trust_pem(environ=environ)) == ["other"]
    assert client_context(environ=environ).get_ca_certs()


def test_an_own_ca_file_that_cannot_be_used_says_why(tmp_path, one):
    broken = one[0].replace(one[0].splitlines()[1], b"A" * 64)
    cases = {
        "broken.pem": (one[0] + broken, "cannot be read; write it out again"),
        "der.cer": (ssl.PEM_cert_to_DER_cert(one[0].decode()), "openssl x509 -inform der"),
        "key.pem": (one[1], "holds no PEM certificate"),
        "empty.pem": (b"", "holds no PEM certificate"),
    }
    for name, (data, words) in cases.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ValueError, match=words):
            read_ca_file(tmp_path / name)
    for path in (tmp_path / "missing.pem", tmp_path):
        with pytest.raises(ValueError, match="is no file"):
            read_ca_file(path)


def test_a_named_bundle_that_is_missing_is_told(tmp_path):
    with pytest.raises(ConfigError, match="SSL_CERT_FILE"):
        trust_pem(environ={"SSL_CERT_FILE": str(tmp_path / "missing.pem")})


def test_an_own_ca_file_that_went_away_is_told(tmp_path):
    with pytest.raises(ConfigError, match=r"hub\.ca_file: .*missing\.pem is no file"):
        client_context(tmp_path / "missing.pem", environ=NOTHING)


def test_a_private_key_beside_the_certificate_is_not_handed_on(tmp_path, one):
    (tmp_path / "both.pem").write_bytes(one[1] + one[0])
    assert b"PRIVATE" not in trust_pem(tmp_path / "both.pem", environ=NOTHING)


async def handshake(context, certificate, tmp_path, maximum=None):
    (tmp_path / "server.pem").write_bytes(certificate[0] + certificate[1])
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(tmp_path / "server.pem")
    if maximum:
        server_context.maximum_version = maximum

    async def serve(_reader, writer):
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
        version = writer.get_extra_info("ssl_object").version()
        writer.close()
        return version


async def test_a_hub_with_its_own_ca_is_trusted_and_a_stranger_is_not(tmp_path, one, other):
    (tmp_path / "own.pem").write_bytes(one[0])
    context = client_context(tmp_path / "own.pem", environ=NOTHING)
    assert await handshake(context, one, tmp_path) == "TLSv1.3"
    assert await handshake(context, one, tmp_path, ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
    with pytest.raises(ssl.SSLCertVerificationError):
        await handshake(context, other, tmp_path)


def test_old_tls_and_unchecked_names_are_out():
    context = client_context(environ=NOTHING)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED


async def test_grpc_takes_the_certificates_as_they_are(tmp_path, one):
    """The peer is grpcio on both ends: its own roots know nothing of this hub."""
    (tmp_path / "own.pem").write_bytes(one[0])
    server = grpc.aio.server()
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(one[1], one[0])]))
    await server.start()
    credentials = grpc.ssl_channel_credentials(root_certificates=trust_pem(tmp_path / "own.pem", environ={}))
    options = [("grpc.ssl_target_name_override", "localhost"), ("grpc.enable_http_proxy", 0)]
    async with grpc.aio.secure_channel(f"127.0.0.1:{port}", credentials, options=options) as channel:
        await asyncio.wait_for(channel.channel_ready(), 20)
    await server.stop(None)

"""Real brokers and proxies on loopback: mosquitto with WebSockets and TLS, tinyproxy with a password."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import subprocess
import time
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from peers import need

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["PASSWORD", "USER", "Mosquitto", "Pki", "free_port", "make_pki", "mosquitto", "tinyproxy"]

USER, PASSWORD = "agent", "a broker's password"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass(frozen=True)
class Pki:
    """A CA, and a server's certificate and key for 127.0.0.1 and localhost."""

    ca: Path
    certificate: Path
    key: Path


@dataclass(frozen=True)
class Mosquitto:
    wss: int
    mqtts: int
    plain: int
    """For the other side: a publisher without TLS."""
    log: Path


def make_pki(folder: Path) -> Pki:
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test CA")])
    ca = _certificate(name, name, ca_key.public_key(), True).sign(ca_key, hashes.SHA256())
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("localhost")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
    leaf = (
        _certificate(subject, name, key.public_key(), False).add_extension(names, False).sign(ca_key, hashes.SHA256())
    )
    pki = Pki(folder / "ca.pem", folder / "broker.pem", folder / "broker.key")
    pki.ca.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    pki.certificate.write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
    pki.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return pki


def _certificate(subject, issuer, public_key, is_ca):
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
    )


@contextlib.contextmanager
def mosquitto(folder: Path, pki: Pki) -> Iterator[Mosquitto]:
    """Run mosquitto; its two TLS ports want `USER` and `PASSWORD`, its plain one is for the other side."""
    broker = Mosquitto(free_port(), free_port(), free_port(), folder / "mosquitto.log")
    users = folder / "users"
    users.touch(0o600)
    subprocess.run([need("mosquitto_passwd", "mosquitto"), "-b", users, USER, PASSWORD], check=True)
    tls = f"certfile {pki.certificate}\nkeyfile {pki.key}\n"
    login = f"allow_anonymous false\npassword_file {users}\n"
    config = folder / "mosquitto.conf"
    config.write_text(
        "per_listener_settings true\nuser root\nset_tcp_nodelay true\nlog_dest stderr\nlog_type all\n"
        f"listener {broker.wss} 127.0.0.1\nprotocol websockets\n{tls}{login}"
        f"listener {broker.mqtts} 127.0.0.1\n{tls}{login}"
        f"listener {broker.plain} 127.0.0.1\nallow_anonymous true\n"
    )
    command = [need("mosquitto", "mosquitto"), "-c", config]
    with broker.log.open("wb") as log, subprocess.Popen(command, stderr=log, stdout=log) as process:
        try:
            for port in (broker.wss, broker.mqtts, broker.plain):
                wait_for(port, process)
            yield broker
        finally:
            process.terminate()


@contextlib.contextmanager
def tinyproxy(folder: Path, connect_ports: list[int], *, user: str, password: str) -> Iterator[int]:
    """Run tinyproxy with a password, for CONNECT to these ports; give its port."""
    port = free_port()
    config = folder / "tinyproxy.conf"
    allowed = "".join(f"ConnectPort {allow}\n" for allow in connect_ports)
    config.write_text(
        f"Port {port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 20\nBasicAuth {user} {password}\n"
        f'{allowed}LogFile "{folder / "tinyproxy.log"}"\nLogLevel Connect\n'
    )
    with subprocess.Popen([need("tinyproxy", "tinyproxy"), "-d", "-c", config], stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(port, process)
            yield port
        finally:
            process.terminate()


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise AssertionError(f"nothing listens on {port}")

"""A real net-snmp agent on loopback, with a user for every cipher it has: `with running(folder) as snmpd`."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dca.model import AuthProtocol, PrivProtocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SNMPD = shutil.which("snmpd") or "/usr/sbin/snmpd"
AUTH_NAMES = {
    AuthProtocol.MD5: "MD5",
    AuthProtocol.SHA1: "SHA",
    AuthProtocol.SHA224: "SHA-224",
    AuthProtocol.SHA256: "SHA-256",
    AuthProtocol.SHA384: "SHA-384",
    AuthProtocol.SHA512: "SHA-512",
}
PRIV_NAMES = {
    PrivProtocol.DES: "DES",
    PrivProtocol.AES128: "AES",
    PrivProtocol.AES192: "AES-192",
    PrivProtocol.AES256: "AES-256",
    PrivProtocol.AES192C: "AES-192-C",
    PrivProtocol.AES256C: "AES-256-C",
}
WRITER = (AuthProtocol.SHA512, PrivProtocol.AES256)
"""The user that may write; the others read."""
AUTH_PASSWORD, PRIV_PASSWORD = "authpass12345", "privpass12345"


def user_name(auth: AuthProtocol | None, priv: PrivProtocol | None) -> str:
    return f"u-{auth or 'none'}-{priv or 'none'}"


@dataclass
class Snmpd:
    """Where it answers, and who may ask."""

    address: str
    port: int
    process: subprocess.Popen[bytes]


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Snmpd]:
    """Start snmpd on a free loopback port and stop it by its process id."""
    port = free_port()
    users, views = [], []
    for auth in (None, *AuthProtocol):
        for priv in (None, *PrivProtocol) if auth else (None,):
            name = user_name(auth, priv)
            secret = f" {AUTH_NAMES[auth]} {AUTH_PASSWORD}" if auth else ""
            secret += f" {PRIV_NAMES[priv]} {PRIV_PASSWORD}" if priv else ""
            users.append(f"createUser {name}{secret}")
            may = "rwuser" if (auth, priv) == WRITER else "rouser"
            views.append(f"{may} {name} {'priv' if priv else 'auth' if auth else 'noauth'}")
    users.append(f"createUser blind SHA {AUTH_PASSWORD}")  # known, but with no view
    config = folder / "snmpd.conf"
    config.write_text(
        "rocommunity public\nrwcommunity private\nagentgroup 0\ndontLogTCPWrappersConnects yes\nsysName made-printer\n"
        "override .1.3.6.1.2.1.1.2.0 object_id .1.3.6.1.4.1.11.2.3.9.1\n"
        'override .1.3.6.1.2.1.43.5.1.1.17.1 octet_str "SN-0001"\n' + "\n".join(users + views) + "\n"
    )
    environment = {"SNMP_PERSISTENT_DIR": str(folder), "SNMPCONFPATH": str(folder), "PATH": "/usr/sbin:/usr/bin:/bin"}
    process = subprocess.Popen(
        [
            SNMPD,
            "-f",
            "-Lf",
            str(folder / "snmpd.log"),
            "-C",
            "-c",
            str(config),
            "-I",
            "-ifTable",
            f"udp:127.0.0.1:{port}",
        ],
        env=environment,
    )
    try:
        _wait_until_it_answers(port, process, folder)
        yield Snmpd("127.0.0.1", port, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def _wait_until_it_answers(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    hello = bytes.fromhex("302902010104067075626c6963a01c020401020304020100020100300e300c06082b060102010101000500")
    deadline = time.monotonic() + 20
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0.2)
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(TimeoutError, ConnectionError):
                probe.sendto(hello, ("127.0.0.1", port))
                probe.recv(4096)
                return
    raise RuntimeError(f"snmpd did not start: {(folder / 'snmpd.log').read_text()[-2000:]}")

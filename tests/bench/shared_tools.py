"""The lab, the recordings and the C programs, which lie in `../shared` beside the checkout, or in $DCA_SHARED."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.processes import ROOT, background
from tests.bench.sheet import FailedError, SkippedError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SnmpBench", "free_port", "need", "shared"]

_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def shared(*parts: str) -> Path:
    """Return a file or folder of the shared folder. Raises SkippedError when it is not there."""
    folder = Path(os.environ.get("DCA_SHARED") or ROOT.parent / "shared")
    found = folder.joinpath(*parts)
    if not found.exists():
        raise SkippedError(f"{'/'.join(parts)} is neither in ../shared beside the checkout nor in $DCA_SHARED")
    return found


def need(command: str, package: str) -> str:
    """Return a program's path. Raises SkippedError naming the Debian package when it is not installed."""
    found = shutil.which(command, path=_PATH)
    if not found:
        raise SkippedError(f"{command} is not installed (Debian package {package})")
    return found


def free_port() -> int:
    """Return a UDP port that is free on every address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


class SnmpBench:
    """The C responder and the client on net-snmp's C library, compiled into `scratch` when first asked for."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch

    def _compiled(self, name: str, libraries: str) -> Path:
        target = self._scratch / name
        if not target.exists():
            source = shared("tools", "snmpbench", f"{name}.c")
            compiler = need("gcc", "gcc")
            built = subprocess.run(
                [compiler, "-O2", "-w", "-o", str(target), str(source), *libraries.split()],
                capture_output=True,
                text=True,
                check=False,
            )
            if built.returncode:
                raise SkippedError(f"{name}.c does not compile here: {built.stderr.strip()[:200]}")
        return target

    @property
    def client(self) -> Path:
        """The client on net-snmp's C library."""
        if not Path("/usr/include/net-snmp/net-snmp-config.h").exists():
            raise SkippedError("net-snmp's headers are not installed (Debian package libsnmp-dev)")
        config = need("net-snmp-config", "libsnmp-dev")
        libraries = subprocess.run([config, "--libs"], capture_output=True, text=True, check=True).stdout
        return self._compiled("cli", libraries)

    @contextmanager
    def responder(self, *options: str) -> Iterator[int]:
        """Run the responder and give its port; it answers on every address of 127.0.0.0/8."""
        program = self._compiled("resp", "-lcrypto")
        port = free_port()
        data = shared("tools", "snmpbench", "public.snmprec")
        with background([program, "-p", str(port), "-f", data, *options]):
            _await_socket(port)
            yield port


def _await_socket(port: int) -> None:
    """Wait until somebody is bound to the UDP port; the kernel's table tells without a packet."""
    wanted = re.compile(rf"^\s*\d+: 00000000:{port:04X} ", re.MULTILINE)
    for _ in range(500):
        if wanted.search(Path("/proc/net/udp").read_text()):
            return
        time.sleep(0.01)
    raise FailedError(f"the responder does not listen on UDP port {port}")

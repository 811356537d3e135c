"""What a user would use instead of dca, run in the lab: CPU milliseconds per device, or why it cannot be measured."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from tests.bench.lab import PRINTERS, Lab
from tests.bench.processes import background, cpu_seconds
from tests.bench.shared_tools import need, shared
from tests.bench.sheet import FailedError, SkippedError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Peer", "exporter", "fusioninventory_scan", "inventory", "walk"]

Peer = Callable[[], float]
"""Reads the 254 printers once and returns CPU milliseconds per device."""


@contextmanager
def exporter(place: Lab) -> Iterator[Peer]:
    """Give Debian's prometheus-snmp-exporter, running and warm; 64 scrapes at once as a server makes them."""
    program = need("prometheus-snmp-exporter", "prometheus-snmp-exporter")
    config = shared("tools", "peerlab", "snmp.yml")
    drive = shared("tools", "peerlab", "exporter_drive.py")
    command = [*place.prefix, program, f"--config.file={config}", "--web.listen-address=127.0.0.1:9116"]

    def scrape() -> float:
        before = cpu_seconds(pid)
        ran = place.run([sys.executable, drive, "64", "1"])
        if f"ok={len(PRINTERS)}" not in ran.out:
            raise FailedError(f"the exporter did not read all: {ran.out.strip()} {ran.err[-200:]}")
        return (cpu_seconds(pid) - before) / len(PRINTERS) * 1000

    with background(command) as pid:
        _first_scrape(place, drive)
        yield scrape


def _first_scrape(place: Lab, drive: Path) -> None:
    for _ in range(50):
        if "ok=" in place.run([sys.executable, drive, "8", "1"]).out:
            return
        place.run(["sleep", "0.1"])
    raise FailedError("the exporter does not answer")


def walk(place: Lab) -> float:
    """Walk the Printer-MIB of every printer with snmpbulkwalk, a process each, 32 at once; no record is made."""
    need("snmpbulkwalk", "snmp")
    script = 'printf "%s\\n" "$@" | xargs -P32 -I{} snmpbulkwalk -Oqn -Cr25 -v2c -c public -t1 -r0 {} .1.3.6.1.2.1.43'
    ran = place.run(["sh", "-c", script, "sh", *PRINTERS])
    return ran.cpu / len(PRINTERS) * 1000


def inventory(place: Lab, devices: int) -> float:
    """Read some printers with fusioninventory-netinventory, less what it takes to start and read one."""
    program = need("fusioninventory-netinventory", "fusioninventory-agent-task-network")

    def read(count: int) -> float:
        hosts = [word for host in PRINTERS[:count] for word in ("--host", host)]
        how = ["--credentials", "version:2c,community:public", "--timeout", "1", "--threads", "1"]
        ran = place.run([program, *hosts, *how])
        if ran.out.count("<MODEL>") < count and ran.out.count("<SERIAL>") < count:
            raise FailedError(f"fusioninventory did not read {count} printers: {ran.err[-200:]}")
        return ran.cpu

    return (read(1 + devices) - read(1)) / devices * 1000


def fusioninventory_scan(place: Lab, first: str, last: str) -> float:
    """Find and read the printers between two addresses with fusioninventory-netdiscovery; wall seconds."""
    program = need("fusioninventory-netdiscovery", "fusioninventory-agent-task-network")
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        how = ["--credentials", "version:2c,community:public", "--timeout", "1", "--threads", "32", "-i", "-s", folder]
        ran = place.run([program, "--first", first, "--last", last, *how], limit=180)
        if ran.code:
            raise SkippedError(f"fusioninventory-netdiscovery ended with {ran.code}: {ran.err[-200:]}")
        return ran.wall

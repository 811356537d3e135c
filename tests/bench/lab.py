"""The lab of `../shared/tools/peerlab`: 254 printers (net-snmp's snmpd) in a network namespace of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.processes import Ran, background, run
from tests.bench.shared_tools import need, shared
from tests.bench.sheet import SkippedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["PRINTERS", "Lab", "complete", "dca", "lab"]

PRINTERS = [f"127.0.1.{number}" for number in range(1, 255)]
_SUPPLIES, _TRAYS, _ALERTS = 8, 4, 3


class Lab:
    """A running lab: `prefix` before a command runs it inside."""

    def __init__(self, pid: int) -> None:
        self.prefix = ["nsenter", f"--net=/proc/{pid}/ns/net"]

    def run(self, command: Sequence[str | Path], *, limit: float = 120) -> Ran:
        """Run and measure a command inside the lab."""
        return run([*self.prefix, *command], limit=limit)


@contextmanager
def lab(*, lose: int = 0) -> Iterator[Lab]:
    """Start the lab; `lose` of a hundred answers are lost."""
    script = shared("tools", "peerlab", "lab.sh")
    for program, package in (("snmpd", "snmpd"), ("nft", "nftables"), ("ip", "iproute2"), ("nsenter", "util-linux")):
        need(program, package)
    if os.geteuid() or subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode:
        raise SkippedError("network namespaces need root and a kernel that allows them")
    command: list[str | Path] = ["env", f"LOSE={lose}", script, "sh", "-c", "echo ready; exec sleep 600"]
    with background(command, ready="ready", limit=620) as pid:
        yield Lab(pid)


def dca() -> Path:
    """Return the `dca` command of the environment that runs the benchmark."""
    return Path(sys.executable).with_name("dca")


def complete(snapshot: dict[str, object]) -> bool:
    """Tell whether a record of a printer of the lab has everything that the printer says."""
    device = snapshot.get("device")
    serial = isinstance(device, dict) and device.get("serial") == "VNB3R12345"
    model = isinstance(device, dict) and "M480f" in str(device.get("model"))
    total = [meter["value"] for meter in _rows(snapshot, "meters") if meter["name"] == "total"]
    trays = [tray for tray in _rows(snapshot, "trays") if tray["direction"] == "input"]
    return (
        bool(serial and model)
        and [str(value) for value in total] == ["123456"]
        and len(_rows(snapshot, "supplies")) == _SUPPLIES
        and len(trays) == _TRAYS
        and len(_rows(snapshot, "alerts")) == _ALERTS
    )


def _rows(snapshot: dict[str, object], name: str) -> list[dict[str, object]]:
    rows = snapshot.get(name)
    return rows if isinstance(rows, list) else []

"""Snapshots, faked visits, and a runner for the commands."""

from __future__ import annotations

import io
import sys

import pytest

from dca.cli import main
from dca.discovery.sweep import Progress
from dca.discovery.visit import Visit
from dca.wire.snapshot_pb2 import (
    OUTCOME_AUTH_FAILED,
    OUTCOME_NO_ANSWER,
    OUTCOME_OK,
    READ_KIND_FULL,
    Snapshot,
)


def made(host: str = "10.0.0.1", outcome: int = OUTCOME_OK, **fields) -> Snapshot:
    """Make a snapshot of a colour printer, or of what let nobody in."""
    snapshot = Snapshot(host=host, outcome=outcome, kind=READ_KIND_FULL, duration_ms=12, requests=6, **fields)
    snapshot.read_at.FromSeconds(1_800_000_000)
    if outcome in {OUTCOME_AUTH_FAILED, OUTCOME_NO_ANSWER}:
        snapshot.reason = "it did not want to"
        return snapshot
    snapshot.status = "idle"
    device = snapshot.device
    device.manufacturer, device.model, device.serial = "Acme", "Acme Color 3", "SN0012345"
    snapshot.meters.add(name="total", value=123_456, unit="impressions", source="1.3.6.1.2.1.43.10.2.1.4.1.1")
    for index, (color, percent) in enumerate([("black", 80), ("cyan", 3), ("magenta", 9), ("yellow", 100)], 1):
        snapshot.supplies.add(
            index=index, type="toner", color=color, percent=percent, level=percent, capacity=100,
            unit="percent", state="measured", source=f"1.3.6.1.2.1.43.11.1.1.9.1.{index}", description=f"{color} toner",
        )  # fmt: skip
    return snapshot


@pytest.fixture(name="made")
def made_fixture():
    return made


class Ran:
    """What a command said and how it ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def dca(monkeypatch):
    """Run `dca ARGS...` in this process and return its exit code and what it wrote."""

    def run(*args: str, columns: int = 160) -> Ran:
        out, err = io.StringIO(), io.StringIO()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            patch.setenv("COLUMNS", str(columns))
            patch.setenv("TERMINAL_WIDTH", str(columns))  # typer's
            with pytest.raises(SystemExit) as ended:
                main(list(args))
        code = ended.value.code
        return Ran(code if isinstance(code, int) else 0 if code is None else 1, out.getvalue(), err.getvalue())

    return run


class Printers:
    """Stands for the network: answers visits and discoveries by what it was told, and records what was asked."""

    def __init__(self) -> None:
        self.there: dict[str, Snapshot] = {}
        self.others = 0
        self.asked: list[tuple] = []
        self.clients: list = []

    def put(self, *snapshots: Snapshot) -> None:
        self.there.update({snapshot.host: snapshot for snapshot in snapshots})

    async def visit(self, client, address, port, credentials, **_):
        self.asked.append((address, port, credentials))
        self.clients.append(client)
        found = self.there.get(address) or made(address, OUTCOME_NO_ANSWER)
        return Visit(found, None)

    async def discover(self, client, ranges, _profiles, *, progress=None, **_):
        progress = progress or Progress()
        self.clients.append(client)
        for target in ranges.addresses():
            progress.done += 1
            self.asked.append((target.address, target.port, target.range.credentials))
            if target.address in self.there:
                progress.printers += 1
                yield Visit(self.there[target.address], None)
        progress.others = self.others


@pytest.fixture
def printers(monkeypatch):
    there = Printers()
    monkeypatch.setattr("dca.discovery.visit.visit", there.visit)
    monkeypatch.setattr("dca.discovery.discover.discover", there.discover)
    return there

"""A state directory, the parts that stand on it, and made visits."""

from __future__ import annotations

import dataclasses

import pytest

from dca.agent.intake import Intake
from dca.agent.parts import Parts
from dca.agent.worth import Worth
from dca.config import AgentConfig, Config, Endpoint, HubConfig
from dca.discovery.registry import Registry
from dca.discovery.visit import Visit
from dca.errors import DeliveryError
from dca.model import Credential, Known, Range, Secret
from dca.net.dns import Answer
from dca.printers.profiles import load_profiles
from dca.service.masks import Masks
from dca.store import Store
from dca.telemetry import Outbox
from dca.wire.report_pb2 import ReportResponse, RowKind
from dca.wire.snapshot_pb2 import OUTCOME_NO_ANSWER, OUTCOME_OK, READ_KIND_FULL, READ_KIND_STATUS, Snapshot

NOON = 1_800_000_000.0


class Now:
    """Wall and monotonic seconds that a test sets."""

    def __init__(self) -> None:
        self.wall = NOON
        self.monotonic = 1000.0

    def pass_by(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds


@pytest.fixture
def now() -> Now:
    return Now()


def known(number: int = 1, **fields) -> Known:
    device = Known(
        device_id=f"{number:016x}", address=f"10.0.0.{number}", port=161, range="Office", credential="office",
        version="2c", manufacturer="Acme", model="Color 3", serial=f"SN-{number:08}", first_seen=NOON, last_read=NOON,
        last_tried=NOON, outcome=OUTCOME_OK,
    )  # fmt: skip
    return dataclasses.replace(device, **fields)


def visit(number: int = 1, kind: int = READ_KIND_FULL, outcome: int = OUTCOME_OK, at: float = NOON, **fields) -> Visit:
    """Make what a visit to device `number` brings."""
    device = known(number, outcome=outcome)
    snapshot = Snapshot(host=device.address, outcome=outcome, kind=kind, device_id=device.device_id)
    snapshot.read_at.FromMicroseconds(int(at * 1e6))
    if outcome == OUTCOME_NO_ANSWER:
        snapshot.reason = device.reason = "nothing came back"
        device.silent_since = at
        return Visit(snapshot, device)
    snapshot.status = fields.get("status", "idle")
    snapshot.meters.add(name="total", value=fields.get("pages", 100), source="1.3.6.1.2.1.43.10.2.1.4.1.1")
    snapshot.supplies.add(index=1, type="toner", color="black", percent=fields.get("black", 50), source="1.3.6.1.4.1")
    if kind == READ_KIND_FULL:
        snapshot.device.serial = device.serial
        snapshot.trays.add(index=1, direction="input")
    if kind in {READ_KIND_FULL, READ_KIND_STATUS}:
        snapshot.console.append(fields.get("console", "Ready"))
    return Visit(snapshot, device)


@pytest.fixture(name="visit")
def visit_fixture():
    return visit


@pytest.fixture(name="known")
def known_fixture():
    return known


@pytest.fixture
async def parts(tmp_path, now):
    store = await Store.open(tmp_path / "state", clock=lambda: now.wall)
    outbox = await Outbox.open(store, clock=lambda: now.wall)
    registry = Registry()
    intake = Intake(outbox, registry, wall=lambda: now.wall, worth=Worth(lambda: now.monotonic), masks=Masks())
    yield Parts(store, outbox, registry, intake, load_profiles(), resolver=no_names)
    await outbox.close()
    await store.close()


async def no_names(name: str) -> Answer:
    return Answer(failure=f"{name}: no such name", unknown=True)


@pytest.fixture
def rows():
    """Return what waits in an outbox as (weight, message)."""

    async def read(parts: Parts):
        found = await parts.store.run(
            lambda c: c.execute("SELECT weight, kind, payload FROM outbox ORDER BY id").fetchall()
        )
        return [
            (weight, Snapshot.FromString(payload) if kind == RowKind.ROW_KIND_SNAPSHOT else payload)
            for weight, kind, payload in found
        ]

    return read


class Hub:
    """A reporter that stores everything, until it is told to be away."""

    def __init__(self) -> None:
        self.rows = []
        self.calls = []
        self.away = False
        self.closed = False

    async def report(self, request):
        if self.away:
            raise DeliveryError("the hub is away", "UNAVAILABLE")
        self.calls.append(request)
        self.rows.extend(request.rows)
        response = ReportResponse()
        for row in request.rows:
            response.stored.add(epoch=row.epoch, number=row.number)
        return response

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
def config(tmp_path) -> Config:
    credential = Credential("office", community=Secret("very-secret-community"))
    endpoint = Endpoint("127.0.0.1", 4443)
    return Config(
        agent=AgentConfig(tmp_path / "state", "reception"),
        hub=HubConfig(endpoint, endpoint, endpoint, endpoint, endpoint, plaintext_on_loopback=True),
        credentials={"office": credential},
        ranges=(Range("Office", ("10.0.0.0/24",), credentials=(credential,)),),
        path=str(tmp_path / "dca.toml"),
    )

"""Invented snapshots: makes as they are met, serial numbers that are nobody's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zlib import crc32

from dca.wire import report_pb2, snapshot_pb2
from dca.wire.snapshot_pb2 import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
EPOCH = bytes(range(16))
MARKER = "1.3.6.1.2.1.43"
COLORS = ("black", "cyan", "magenta", "yellow")


def snapshot(
    device_id: str = "a1b2c3d4e5f60718",
    *,
    at: datetime = NOON,
    kind: int = snapshot_pb2.READ_KIND_FULL,
    outcome: int = snapshot_pb2.OUTCOME_OK,
    host: str = "10.20.0.11",
    reason: str | None = None,
) -> Snapshot:
    """An empty reading of one device."""
    made = Snapshot(host=host, kind=kind, outcome=outcome, range="office")
    made.read_at.FromDatetime(at)
    if device_id:
        made.device_id = device_id
    if reason:
        made.reason = reason
    return made


def laser(
    device_id: str = "a1b2c3d4e5f60718",
    *,
    maker: str = "HP",
    model: str = "HP Color LaserJet MFP M578",
    serial: str = "XXB0000001",
    levels: Iterable[float | None] = (64, 41, 8, 77),
    total: int = 48_211,
    status: str = "idle",
    errors: Iterable[str] = (),
    console: Iterable[str] = ("Ready",),
    alerts: Iterable[tuple[str, str, str]] = (),
    waste: float | None = 62,
    location: str = "2nd floor, by the kitchen",
    **plain: object,
) -> Snapshot:
    """A full reading of a colour laser: four toners, a drum, a waste box, two trays, six meters."""
    made = snapshot(device_id, **plain)  # type: ignore[arg-type]
    made.duration_ms, made.requests, made.protocol, made.credential = 84, 9, "snmpv2c", "office"
    device = made.device
    device.manufacturer, device.model, device.serial = maker, model, serial
    device.firmware, device.mac, device.location = "2509116_000512", "02:00:5e:10:00:01", location
    device.name = f"prn-{serial[-3:].lower()}"
    device.description = f"{maker} ETHERNET MULTI-ENVIRONMENT"
    for name, tail in (("manufacturer", "25.3.2.1.3.1"), ("model", "25.3.2.1.3.1"), ("serial", "43.5.1.1.17.1")):
        device.sources[name] = f"1.3.6.1.2.1.{tail}"
    made.status = status
    made.errors.extend(errors)
    made.console.extend(console)
    for index, (color, level) in enumerate(zip(COLORS, levels, strict=False), 1):
        add_supply(made, index, "toner", color, level, part=f"W21{index}0X")
    add_supply(made, 5, "opc", "black", 88, part="")
    add_supply(made, 6, "waste_toner", "", waste, receptacle=True, part="W9000MC")
    for name, share in (
        ("total", 1.0),
        ("total_mono", 0.62),
        ("total_color", 0.38),
        ("print", 0.7),
        ("copy", 0.3),
        ("scan", 0.2),
    ):
        made.meters.add(name=name, value=int(total * share), unit="impressions", source=f"{MARKER}.10.2.1.4.1.1")
    for index, sheets, capacity in ((1, 0, 100), (2, 310, 550)):
        made.trays.add(
            index=index,
            direction="input",
            name=f"Tray {index}",
            level=sheets,
            capacity=capacity,
            unit="sheets",
            media="iso_a4_210x297mm",
            state="measured",
            source=f"{MARKER}.8.2.1.10.1.{index}",
        )
    made.trays.add(index=1, direction="output", name="Standard bin", state="unknown", source=f"{MARKER}.9.2.1.5.1.1")
    for index, (severity, group, text) in enumerate(alerts, 1):
        made.alerts.add(
            index=index, severity=severity, group=group, group_index=1, text=text, source=f"{MARKER}.18.1.1.8.1.{index}"
        )
    return made


def add_supply(
    made: Snapshot,
    index: int,
    kind: str,
    color: str,
    percent: float | None,
    *,
    state: str = "measured",
    receptacle: bool = False,
    part: str = "",
) -> None:
    """Add a supply; without a percentage its `state` says why (some_remaining unless given)."""
    added = made.supplies.add(index=index, type=kind, source=f"{MARKER}.11.1.1.9.1.{index}")
    if color:
        added.color = color
    added.description = f"{color} {kind} cartridge".replace("_", " ").strip().capitalize()
    added.part_number = part
    added.receptacle = receptacle
    if percent is None:
        added.state = "some_remaining" if state == "measured" else state
    else:
        added.state, added.percent, added.unit = "measured", percent, "impressions"
        added.level, added.capacity = int(percent * 120), 12_000


def office(at: datetime = NOON) -> list[Snapshot]:
    """Devices of several makes in several states, for looking at the page."""
    made = [
        laser("0a00000000000001", at=at, host="10.20.0.11"),
        laser(
            "0a00000000000002",
            at=at,
            host="10.20.0.12",
            maker="KYOCERA",
            model="ECOSYS M6635cidn",
            serial="VXX0000002",
            levels=(3, 55, 60, 47),
            total=173_904,
            status="other",
            errors=("low_toner", "jammed"),
            console=("Paper jam", "Open cover 3 and remove the paper"),
            alerts=(
                ("critical", "media_path", "Paper jam in the fuser unit"),
                ("warning", "marker_supplies", "Toner low [K]"),
            ),
            location="Reception",
        ),
        laser(
            "0a00000000000003",
            at=at,
            host="10.20.0.13",
            model="HP LaserJet M404dn",
            serial="XXB0000003",
            levels=(91,),
            waste=None,
            total=9_402,
            status="printing",
            console=("Printing document", "Tray 2"),
            location="Accounting",
        ),
        laser(
            "0a00000000000005",
            at=at,
            host="10.20.0.15",
            maker="Brother",
            model="MFC-L8690CDW",
            serial="E00000X00000005",
            levels=(None, None, 9, None),
            total=22_019,
            console=("Sleep",),
            location="Warehouse",
        ),
    ]
    ink = laser(
        "0a00000000000004",
        at=at,
        host="10.20.0.14",
        maker="EPSON",
        model="WF-C5790 Series",
        serial="X5XX000004",
        levels=(),
        waste=78,
        total=5_117,
        console=(),
        location="",
    )
    del ink.supplies[:]
    for index, (color, level) in enumerate(zip(COLORS, (100, 22, 35, 0.4), strict=True), 1):
        add_supply(ink, index, "ink_cartridge", color, level, part=f"T9{index}5")
    add_supply(ink, 5, "waste_ink", "", 78, receptacle=True, part="T6716")
    return [*made, ink]


def row(payload: Snapshot | report_pb2.Event | bytes, number: int, *, epoch: bytes = EPOCH) -> report_pb2.Row:
    """A row as an agent makes it."""
    content = payload if isinstance(payload, bytes) else payload.SerializeToString()
    kind = report_pb2.ROW_KIND_EVENT if isinstance(payload, report_pb2.Event) else report_pb2.ROW_KIND_SNAPSHOT
    return report_pb2.Row(epoch=epoch, number=number, kind=kind, payload=content, crc32=crc32(content))


def report(
    rows: Iterable[report_pb2.Row],
    agent_id: str = "7a1e5c1e-0000-4000-8000-000000000001",
    *,
    sent_at: datetime | None = None,
    backlog: int = 0,
    hostname: str = "reception-pc",
) -> report_pb2.ReportRequest:
    """A report as an agent sends it."""
    made = report_pb2.ReportRequest(agent_id=agent_id, rows=rows, backlog=backlog)
    made.agent.version, made.agent.hostname, made.agent.platform = "0.1.0", hostname, "linux-x86_64"
    made.agent.devices, made.agent.devices_answering = 5, 4
    made.agent.started_at.FromDatetime(NOON)
    made.sent_at.FromDatetime(sent_at or datetime.now(UTC))
    return made

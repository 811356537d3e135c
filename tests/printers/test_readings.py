"""What a full reading makes of each make's recording."""

from __future__ import annotations

import pytest

from dca.wire.snapshot_pb2 import OUTCOME_OK, READ_KIND_FULL


def meters(snapshot):
    return {meter.name: meter.value for meter in snapshot.meters}


def supplies(snapshot):
    return {
        supply.index: (
            supply.type,
            supply.color,
            supply.percent if supply.HasField("percent") else None,
            supply.state,
        )
        for supply in snapshot.supplies
    }


def identity(snapshot):
    device = snapshot.device
    return device.manufacturer, device.model, device.serial, device.firmware


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("hp", ("HP", "Color LaserJet MFP X100", "ZZ1PML0001", "20990101")),
        ("kyocera", ("Kyocera", "TASKalfa 100ci", "KYO0000001", "2ZZ_2000.001.001")),
        ("epson", ("Epson", "WF-C100", "EPS0000001", "AB01C2")),
        ("brother", ("Brother", "MFC-L100CDW", "BRO000001", "Z9901010001")),
        ("ricoh", ("Ricoh", "IM C100", "RIC0000001", "1.35")),
        ("konica", ("Develop", "ineo+ 100", "KON0000001", "9.99")),
        ("sharp", ("Sharp", "MX-100N", "SHA0000001", "1.04")),
        ("canon", ("Canon", "iR-ADV C100", "CAN00001", "V1.0")),
        ("xerox", ("Xerox", "WorkCentre 100", "XER0000001", "72.1.1")),
        ("lexmark", ("Lexmark", "XC100", "LEX0000001", "NH1.ZZ.N001")),
        ("dell", ("Dell", "S100dn", "ABC1D23-100-00", "NZ1.AA.N001")),
        ("oki", ("OKI", "MC100", "OKI0000001", "07.87")),
        ("samsung", ("Samsung", "SCX-100x", "SAM0000000001", "3.00.01.04")),
        ("toshiba", ("Toshiba", "e-STUDIO100AC", "TOS0000001", "")),
        ("zebra", ("Zebra", "TLP 100", "ZEB0000001", "V61.00Z")),
        ("pantum", ("Pantum", "P100", "PAN0000001", "1.2.3")),
        ("panasonic", ("Panasonic", "KX-MB100", "PNS0000001", "")),
        ("tsc", ("TSC", "TTP100CE", "", "7.02")),
        ("oce", ("Oce", "DS100 R1.2.0, Smart Imager R8.5", "", "")),
        ("label", ("Intermec", "Thermal Label Printer Intermec PM100", "", "")),
        ("print_server", ("Axis", "5470e Network Print Server V6.21", "", "")),
    ],
)
def test_who_it_is(lab, name, wanted):
    snapshot = lab.snapshot(lab.recorded(name))
    assert identity(snapshot) == wanted
    assert snapshot.outcome == OUTCOME_OK
    assert snapshot.kind == READ_KIND_FULL
    for field, _ in snapshot.device.ListFields():
        if field.name not in ("sources", "engine_id"):
            assert snapshot.device.sources[field.name]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("hp", {"total": 4200, "total_mono": 3000, "total_color": 1200, "duplex": 900, "scan": 100}),
        (
            "kyocera",
            {"total": 1000, "life": 1010, "print": 600, "copy": 380, "fax": 20, "print_mono": 400, "print_color": 200}
            | {"copy_mono": 300, "copy_color": 80, "fax_mono": 20, "total_mono": 720, "total_color": 280, "scan": 466}
            | {"scan_copy": 111, "scan_fax": 22, "scan_other": 333, "simplex": 700, "duplex": 300},
        ),
        (
            "epson",
            {"total": 900, "life": 950, "total_mono": 600, "total_color": 300, "print": 700, "copy": 190, "list": 10}
            | {"print_color": 250, "copy_color": 50, "list_color": 0, "print_mono": 450, "copy_mono": 140}
            | {"list_mono": 10},
        ),
        ("brother", {"total": 1611, "total_mono": 700, "total_color": 911, "duplex": 500, "life": 1600}),
        ("ricoh", {"total": 5000, "life": 5000, "copy_mono": 1000, "copy_color": 100, "print_mono": 3000, "scan": 222}),
        (
            "konica",
            {"total": 5550, "life": 5555, "duplex": 2000, "copy_mono": 100, "copy_color": 200, "print_mono": 300}
            | {"print_color": 400},
        ),
        ("sharp", {"total": 300, "total_mono": 200, "total_color": 100, "print": 250, "copy": 50, "scan": 9}),
        (
            "canon",
            {"total": 2926, "life": 2913, "total_mono": 1026, "total_color": 1900, "total_mono_large": 26}
            | {"total_color_large": 100, "print": 2000, "scan": 77},
        ),
        ("xerox", {"total": 12004, "total_color": 4000, "total_mono": 8000}),
        ("pantum", {"total": 33, "print": 31}),
        ("panasonic", {"total": 22, "print": 20, "scan": 11}),
        ("toshiba", {"total": 44, "print": 30, "copy": 14}),
    ],
)
def test_the_meters(lab, name, wanted):
    assert meters(lab.snapshot(lab.recorded(name))) == wanted


def test_a_meter_names_what_it_was_made_of(lab):
    found = {meter.name: meter for meter in lab.snapshot(lab.recorded("epson")).meters}
    assert found["total"].source == "1.3.6.1.4.1.1248.1.2.2.27.1.1.30.1.1"
    table = "1.3.6.1.4.1.1248.1.2.2.27.6.1"
    assert found["copy_mono"].source == f"{table}.4.1.1.2 - {table}.5.1.1.2"
    assert found["life"].source == "1.3.6.1.2.1.43.10.2.1.4.1.1"
    assert found["life"].unit == "impressions"


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        (
            "hp",
            {1: ("toner", "black", 61, "measured"), 2: ("toner", "cyan", 40, "measured")}
            | {3: ("toner", "magenta", 0, "measured"), 4: ("toner", "yellow", 99, "measured")},
        ),
        (
            "kyocera",
            {1: ("toner", "black", 80, "measured"), 2: ("toner", "cyan", 50, "measured")}
            | {3: ("toner", "magenta", 1, "measured"), 4: ("toner", "yellow", 100, "measured")}
            | {5: ("waste_toner", "", None, "some_remaining")},
        ),
        (
            "epson",
            {1: ("ink_cartridge", "black", 30, "measured"), 2: ("ink_cartridge", "black", 80, "measured")}
            | {3: ("ink_cartridge", "cyan", 55, "measured"), 4: ("ink", "magenta", None, "unknown")}
            | {5: ("waste_ink", "", 69, "measured")},
        ),
        (
            "brother",
            {1: ("toner", "black", 26, "measured"), 2: ("toner", "cyan", 10, "measured")}
            | {3: ("toner", "magenta", None, "empty"), 4: ("toner", "yellow", None, "ok")}
            | {5: ("waste_toner", "", None, "some_remaining"), 6: ("opc", "", 50, "measured")}
            | {0x69: ("transfer_unit", "", 97, "measured")},
        ),
        (
            "ricoh",
            {1: ("toner", "black", 40, "measured"), 2: ("toner", "cyan", None, "some_remaining")}
            | {3: ("waste_toner", "", None, "some_remaining")},
        ),
        ("pantum", {1: ("toner", "black", 20, "measured")}),
    ],
)
def test_the_supplies(lab, name, wanted):
    assert supplies(lab.snapshot(lab.recorded(name))) == wanted


def test_part_and_serial_numbers_of_supplies(lab):
    def numbers(name):
        found = lab.snapshot(lab.recorded(name)).supplies
        return [(supply.description, supply.part_number, supply.serial) for supply in found]

    assert numbers("hp")[0] == ("Black Cartridge HP ZZ410A", "ZZ410A", "")
    assert numbers("kyocera")[0] == ("TK-0001K", "TK-0001K", "")
    assert numbers("kyocera")[4] == ("Waste Toner Box", "", "")
    assert numbers("epson")[1:3] == [
        ("Black Ink Cartridge Z0001", "Z0001", "INK0000002"),
        ("Cyan Ink Cartridge Z0002", "Z0002", ""),
    ]
    assert numbers("xerox") == [
        ("Black Toner Cartridge", "006Z00001", "9A8B7C6D"),
        ("Yellow Toner Cartridge, Phaser 7500", "106Z01433", ""),
    ]
    assert numbers("lexmark") == [("Black Cartridge", "24Z0001", "CART000001")]
    assert numbers("samsung") == [("Black Toner", "", "CRUM-00000000001")]


def test_the_rest_of_a_record(lab):
    snapshot = lab.snapshot(lab.recorded("hp"))
    assert snapshot.status == "idle"
    assert list(snapshot.console) == ["Ready"]
    assert snapshot.uptime == 123456
    assert snapshot.read_at.seconds == 1_700_000_000
    assert (snapshot.device.mac, snapshot.device.asset) == ("02:00:00:00:00:01", "Büro 7")
    assert (snapshot.device.name, snapshot.device.location) == ("PRN01", "Room 12")
    feed, bin_ = snapshot.trays
    assert (feed.direction, feed.name, feed.level, feed.capacity, feed.media) == (
        "input",
        "Tray 1",
        120,
        250,
        "A4 plain",
    )
    assert (bin_.direction, bin_.name, bin_.level, bin_.capacity) == ("output", "Top bin", 50, 150)
    (cover,) = snapshot.covers
    assert (cover.description, cover.status) == ("Front cover", "cover_closed")
    (alert,) = snapshot.alerts
    assert (alert.severity, alert.group, alert.group_index, alert.code) == ("warning", "marker_supplies", 3, 1104)
    assert (alert.text, alert.raised_at, alert.source) == ("Magenta very low", 4711, "1.3.6.1.2.1.43.18.1.1.8.1.2")


@pytest.mark.parametrize("name", ["hp", "kyocera", "epson", "brother", "konica", "sharp", "canon", "xerox", "pantum"])
def test_a_full_record_takes_at_most_a_dozen_requests(lab, name):
    device = lab.recorded(name)
    lab.snapshot(device)
    assert len(device.asked) <= 12


@pytest.mark.parametrize("name", ["hp", "kyocera", "epson", "brother", "ricoh", "zebra", "pantum", "samsung"])
def test_v1_brings_the_same_record(lab, name):
    first, second = (lab.snapshot(lab.recorded(name, version=version)) for version in ("2c", "1"))
    assert first == second

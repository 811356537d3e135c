"""One test for each way in which real printers depart from the standard, named after it."""

from __future__ import annotations

import pytest

from dca.wire.snapshot_pb2 import OUTCOME_NOT_A_PRINTER, OUTCOME_OK

SUPPLY = "43.11.1.1"
HP = ("1.2.0|6|1.3.6.1.4.1.11.2.3.9.1", "1.1.0|4|HP ETHERNET MULTI-ENVIRONMENT")
BROTHER = ("1.2.0|6|1.3.6.1.4.1.2435.2.3.9.1",)


def supply_rows(index, **columns):
    """Rows of the supplies table; `index` is all of it, e.g. "1.5"."""
    numbers = {"colorant": 3, "class_": 4, "type_": 5, "description": 6, "unit": 7, "capacity": 8, "level": 9}
    return [
        f"{SUPPLY}.{numbers[name]}.{index}|{'4' if name == 'description' else '2'}|{value}"
        for name, value in columns.items()
    ]


def only_supply(lab, *rows):
    (supply,) = lab.snapshot(lab.device(*rows)).supplies
    return supply


def percent_of(supply):
    return supply.percent if supply.HasField("percent") else None


@pytest.mark.parametrize(
    ("level", "state"), [(-1, "unrestricted"), (-2, "unknown"), (-3, "some_remaining"), (-7, "unknown")]
)
def test_a_negative_level_is_a_state_and_no_number(lab, level, state):
    supply = only_supply(lab, *supply_rows("1.1", description="Toner", capacity=100, level=level))
    assert supply.state == state
    assert percent_of(supply) is None
    assert not supply.HasField("level")
    assert supply.capacity == 100


def test_capacity_unknown_and_level_a_percentage(lab):
    supply = only_supply(lab, *supply_rows("1.1", description="Waste Toner", unit=19, capacity=-2, level=100))
    assert (percent_of(supply), supply.level, supply.state) == (100, 100, "measured")
    assert not supply.HasField("capacity")
    assert percent_of(only_supply(lab, *supply_rows("1.1", description="Drum", capacity=-2, level=9))) == 9


def test_capacity_unknown_and_level_in_grams_is_no_percentage(lab):
    supply = only_supply(lab, *supply_rows("1.1", description="Toner", unit=13, capacity=-2, level=80))
    assert (supply.level, percent_of(supply), supply.state) == (80, None, "measured")


@pytest.mark.parametrize(("code", "state"), [(0, "ok"), (1, "low"), (2, "empty"), (3, "low")])
def test_brother_level_is_a_step_where_the_capacity_is_unknown(lab, code, state):
    rows = supply_rows("1.1", description="Black Toner Cartridge", unit=13, capacity=-2, level=code)
    supply = only_supply(lab, *BROTHER, *rows)
    assert (supply.state, percent_of(supply), supply.HasField("level")) == (state, None, False)


def test_ricoh_minus_100_is_low(lab):
    rows = supply_rows("1.1", description="Black Toner", unit=19, capacity=100, level=-100)
    supply = only_supply(lab, "1.2.0|6|1.3.6.1.4.1.367.1.1", *rows)
    assert (supply.state, percent_of(supply)) == ("low", None)


def test_capacity_0_is_not_divided_by(lab):
    supply = only_supply(lab, *supply_rows("1.1", description="Toner", unit=7, capacity=0, level=0))
    assert (supply.level, supply.capacity, percent_of(supply)) == (0, 0, None)


def test_level_above_capacity_is_100_percent(lab):
    supply = only_supply(lab, *supply_rows("1.1", description="Toner", unit=19, capacity=100, level=150))
    assert (supply.level, percent_of(supply)) == (150, 100)


def test_unit_other_with_capacity_100(lab):
    supply = only_supply(lab, *supply_rows("1.1", description="Ink", unit=1, capacity=100, level=24))
    assert (percent_of(supply), supply.unit) == (24, "other")


def test_a_receptacle_tells_the_room_that_is_left(lab):
    rows = supply_rows("1.1", class_=4, type_=8, description="Maintenance Box", unit=1, capacity=100, level=80)
    supply = only_supply(lab, *rows)
    assert (supply.receptacle, percent_of(supply), supply.inverted) == (True, 80, False)


def test_a_make_that_counts_receptacles_up_is_turned_round(lab, tmp_path):
    from dca.printers.profiles import load_profiles  # noqa: PLC0415 - a profile of its own

    content = (
        'name = "up"\nmanufacturer = "Up"\n[match]\ndescriptions = ["up "]\n'
        '[supplies]\nreceptacle_counts_up = true\nstated_by = "a test"\n'
    )
    (tmp_path / "up.toml").write_text(content, "utf-8")
    own = type(lab)(load_profiles(tmp_path))
    rows = supply_rows("1.1", class_=4, description="Waste Toner", unit=19, capacity=100, level=30)
    supply = only_supply(own, "1.1.0|4|Up 1", *rows)
    assert (percent_of(supply), supply.level, supply.inverted) == (70, 30, True)
    (toner,) = own.snapshot(
        own.device("1.1.0|4|Up 1", *supply_rows("1.1", class_=3, description="Toner", capacity=100, level=30))
    ).supplies
    assert percent_of(toner) == 30


def test_index_gaps_do_not_shift_rows(lab):
    rows = [
        *supply_rows("1.1", description="Black Cartridge", capacity=100, level=28),
        *supply_rows("1.5", description="Imaging Drum", capacity=100, level=71),
        *supply_rows("1.30", description="Black Toner 1", capacity=200, level=100),
    ]
    found = lab.snapshot(lab.device(*rows)).supplies
    assert [(supply.index, percent_of(supply)) for supply in found] == [(1, 28), (5, 71), (30, 50)]
    assert found[1].source == "1.3.6.1.2.1.43.11.1.1.9.1.5"


def test_a_column_with_fewer_rows_does_not_shift_rows(lab):
    rows = [
        *supply_rows("1.1", description="Black Toner", capacity=100),
        *supply_rows("1.2", description="Cyan Toner", capacity=100, level=7),
    ]
    black, cyan = lab.snapshot(lab.device(*rows)).supplies
    assert (black.color, black.state, percent_of(black)) == ("black", "unknown", None)
    assert (cyan.color, percent_of(cyan)) == ("cyan", 7)


@pytest.mark.parametrize("index", ["0.3", "1.3", "7.3", "3"])
def test_any_device_index_and_none(lab, index):
    supply = only_supply(lab, *supply_rows(index, description="Toner", capacity=100, level=50))
    assert (supply.index, percent_of(supply)) == (3, 50)
    assert supply.source == f"1.3.6.1.2.1.43.11.1.1.9.{index}"


def test_colorants_join_by_their_index_and_the_word_wins(lab):
    rows = [
        "43.12.1.1.4.1.1|4|cyan",
        "43.12.1.1.4.1.4|4|black",
        *supply_rows("1.1", colorant=4, description="TK-1", capacity=100, level=1),
        *supply_rows("1.2", colorant=1, description="TK-2", capacity=100, level=1),
        *supply_rows("1.3", colorant=1, description="Magenta Toner", capacity=100, level=1),
        *supply_rows("1.4", colorant=0, description="Belt Unit", capacity=100, level=1),
    ]
    assert [supply.color for supply in lab.snapshot(lab.device(*rows)).supplies] == ["black", "cyan", "magenta", ""]


def test_two_supplies_of_one_colour_and_name_stay_two(lab):
    rows = [row for n in (1, 2) for row in supply_rows(f"1.{n}", description="Black Ink T8871", capacity=100, level=n)]
    assert [percent_of(supply) for supply in lab.snapshot(lab.device(*rows)).supplies] == [1, 2]


def test_an_empty_description_is_absent(lab):
    supply = only_supply(lab, *supply_rows("1.1", type_=3, description="", capacity=100, level=5))
    assert not supply.HasField("description")
    assert supply.type == "toner"


def test_a_supply_without_type_and_class_is_told_by_its_words(lab):
    supply = only_supply(lab, *supply_rows("1.1", description="Waste Toner Box", capacity=-2, level=-3))
    assert (supply.type, supply.receptacle) == ("waste_toner", True)


def test_several_markers_are_told_apart(lab):
    rows = [f"43.10.2.1.4.1.{n}|65|{100 * n}" for n in (1, 2, 3)]
    meters = lab.snapshot(lab.device(*rows)).meters
    assert [(meter.name, meter.value) for meter in meters] == [("total", 100), ("life_2", 200), ("life_3", 300)]


@pytest.mark.parametrize("tag", ["2", "65", "66", "70"])
def test_a_life_count_may_be_an_integer(lab, tag):
    (meter,) = lab.snapshot(lab.device(f"43.10.2.1.4.1.1|{tag}|1234")).meters
    assert meter.value == 1234
    assert not meter.HasField("unit")


def test_hp_texts_with_a_character_set_before_them(lab):
    rows = (*HP, "1.3.6.1.4.1.11.2.3.9.4.2.1.1.3.3.0|4x|0115" + b"VNZZ000001".hex())
    assert lab.snapshot(lab.device(*rows)).device.serial == "VNZZ000001"


def test_a_placeholder_is_no_serial_number(lab):
    rows = (*HP, "43.5.1.1.17.1|4|XXXXXXXXXX", "1.3.6.1.4.1.11.2.3.9.1.1.7.0|4|MFG:HP;MDL:X1;SN:DEV0000001;")
    assert lab.snapshot(lab.device(*rows)).device.serial == "DEV0000001"


def test_a_model_with_serial_number_and_firmware_behind_it(lab):
    rows = ("43.5.1.1.17.1|4|7AB1C92-132-13", "25.3.2.1.3.1|4|Laser S5830dn 7AB1C92 LW62.DN4")
    assert lab.snapshot(lab.device(*rows)).device.model == "Laser S5830dn"
    assert lab.snapshot(lab.device(*BROTHER, "25.3.2.1.3.1|4|Brother HL-1 series [00aa]")).device.model == "HL-1"


def test_the_generic_description_of_a_print_server_is_no_model(lab):
    rows = ("1.1.0|4|EPSON Built-in 11b/g/n Print Server", "25.3.2.1.3.1|4|EPSON Built-in 11b/g/n Print Server")
    device = lab.snapshot(lab.device(*rows)).device
    assert device.manufacturer == "Epson"
    assert not device.HasField("model")


def test_answering_an_hp_object_does_not_make_it_an_hp(lab):
    rows = (*BROTHER, "1.3.6.1.4.1.11.2.3.9.1.1.7.0|4|MFG:Brother;MDL:MFC-1;CLS:PRINTER;")
    snapshot = lab.snapshot(lab.device(*rows))
    assert (snapshot.device.manufacturer, list(snapshot.profiles)) == ("Brother", ["brother"])


def test_a_device_id_whose_first_letter_is_nul(lab):
    text = (b"\0FG:Brother;MDL:DCP-1;CLS:PRINTER;" + bytes(20)).hex()
    device = lab.snapshot(lab.device(f"1.3.6.1.4.1.2435.2.3.9.1.1.7.0|4x|{text}")).device
    assert (device.manufacturer, device.model) == ("Brother", "DCP-1")


@pytest.mark.parametrize(
    ("octets", "errors"),
    [("", []), ("20", ["low_toner"]), ("8000", ["low_paper"]), ("3000", ["low_toner", "no_toner"])],
)
def test_the_error_state_has_one_octet_two_or_none(lab, octets, errors):
    snapshot = lab.snapshot(lab.device(f"25.3.5.1.2.1|4x|{octets}"))
    assert list(snapshot.errors) == errors


def test_idle_ready_and_rows_of_zeros_are_no_alerts(lab):
    def row(index, severity, code, text):
        return [
            f"43.18.1.1.2.1.{index}|2|{severity}",
            f"43.18.1.1.4.1.{index}|2|11",
            f"43.18.1.1.5.1.{index}|2|-1",
            f"43.18.1.1.7.1.{index}|2|{code}",
            f"43.18.1.1.8.1.{index}|4|{text}",
        ]

    rows = [*row(1, 0, 0, "Sleep"), *row(316, 1, 1, "Idle"), *row(317, 0, 0, ""), *row(1835, 5, 1105, "Ink is low.")]
    (alert,) = lab.snapshot(lab.device(*rows, *row(1836, 3, 0, ""))).alerts
    assert (alert.index, alert.text, alert.severity) == (1835, "Ink is low.", "warning_binary_change_event")
    assert not alert.HasField("group_index")


def test_alerts_are_capped(lab):
    rows = [f"43.18.1.1.{column}.1.{n}|2|{value}" for n in range(1, 60) for column, value in ((2, 3), (7, 8))]
    assert len(lab.snapshot(lab.device(*rows)).alerts) == 32


def test_a_console_padded_with_blanks_and_with_a_line_break_in_it(lab):
    text = b"ENERGIESPAREN   \rTROMMEL ERSETZ. ".hex()
    rows = (f"43.16.5.1.2.1.1|4x|{text}", "43.16.5.1.2.1.2|4x|20202020")
    assert list(lab.snapshot(lab.device(*rows)).console) == ["ENERGIESPAREN", "TROMMEL ERSETZ."]


def test_the_character_set_in_use_is_not_always_the_first(lab):
    text = "Mało toneru".encode("iso8859_2").hex()
    rows = ("43.5.1.1.2.1|2|3", "43.7.1.1.4.1.1|2|8", "43.7.1.1.4.1.3|2|5", f"43.16.5.1.2.1.1|4x|{text}")
    assert list(lab.snapshot(lab.device(*rows)).console) == ["Mało toneru"]


def test_the_printer_is_not_the_first_device(lab):
    rows = (
        "25.3.2.1.2.1|6|1.3.6.1.2.1.25.3.1.3",
        "25.3.2.1.3.1|4|A processor",
        "25.3.2.1.2.5|6|1.3.6.1.2.1.25.3.1.5",
        "25.3.2.1.3.5|4|A printer",
        "25.3.5.1.1.5|2|4",
        "25.3.5.1.2.5|4x|08",
        "43.5.1.1.17.5|4|SER0000005",
    )
    device = lab.device(*rows)
    del device.values[(1, 3, 6, 1, 2, 1, 25, 3, 5, 1, 1, 1)]
    snapshot = lab.snapshot(device)
    assert (snapshot.status, list(snapshot.errors)) == ("printing", ["door_open"])
    assert (snapshot.device.model, snapshot.device.serial) == ("A printer", "SER0000005")


@pytest.mark.parametrize(
    ("interfaces", "mac"),
    [
        ([(24, ""), (6, "000000000000"), (6, "00074d000001")], "00:07:4d:00:00:01"),
        ([(7, "001ba9000001"), (7, "021ba9000001")], "00:1b:a9:00:00:01"),
        ([(6, "021ba9000001"), (71, "001ba9000002")], "00:1b:a9:00:00:02"),
        ([(6, "ffffffffffff")], ""),
        ([(1, "001ba9000001")], ""),
        ([(6, "001ba9")], ""),
    ],
)
def test_the_first_real_interface_has_the_mac(lab, interfaces, mac):
    rows = []
    for number, (kind, address) in enumerate(interfaces, 1):
        rows += [f"2.2.1.3.{number}|2|{kind}", f"2.2.1.6.{number}|4x|{address}"]
    assert lab.snapshot(lab.device(*rows)).device.mac == mac


def test_null_with_no_error_still_shows_a_printer(lab):
    device = lab.device("1.4.0|4|Administrator", "43.5.1.1.15.1|5|")
    for name in [name for name in device.values if name[:7] == (1, 3, 6, 1, 2, 1, 25)]:
        del device.values[name]
    reading = lab.read(device)
    assert reading.is_printer
    assert reading.snapshot.outcome == OUTCOME_OK
    assert not reading.snapshot.supplies


@pytest.mark.parametrize("description", ["Samsung C", "Dell Color Laser", "Canon MF", "SHARP MX-2614N"])
def test_a_known_printer_that_answers_nothing_else_is_read(lab, description):
    device = lab.device(f"1.1.0|4|{description}")
    for name in [name for name in device.values if name[6] != 1 or name[7] == 3]:
        del device.values[name]
    reading = lab.read(device)
    assert reading.is_printer
    assert reading.snapshot.outcome == OUTCOME_OK
    assert reading.snapshot.device.description == description


@pytest.mark.parametrize(
    "rows",
    [
        ("1.1.0|4|Linux host", "1.2.0|6|1.3.6.1.4.1.8072.3.2.10", "1.5.0|4|secret-name", "1.6.0|4|secret place"),
        (
            "1.2.0|6|1.3.6.1.4.1.311.1.1.3.1.2",
            "25.3.2.1.2.1|6|1.3.6.1.2.1.25.3.1.5",
            "25.3.5.1.1.1|2|3",
            "1.5.0|4|a Windows host that shows the printers it serves",
        ),
    ],
)
def test_what_is_no_printer_is_left_alone(lab, rows):
    device = lab.device(*rows)
    if "8072" in rows[1]:
        for name in [name for name in device.values if name[6] == 25]:
            del device.values[name]
    reading = lab.read(device)
    snapshot = reading.snapshot
    assert not reading.is_printer
    assert snapshot.outcome == OUTCOME_NOT_A_PRINTER
    assert {field.name for field, _ in snapshot.ListFields()} == {"outcome", "reason", "read_at", "kind"}
    assert reading.cells.to_bytes() == type(reading.cells)().to_bytes()
    assert len(device.asked) <= 3


def test_a_receptacle_has_no_colour_of_its_own(lab):
    rows = (
        "43.12.1.1.4.1.1|4|black",
        *supply_rows("1.1", colorant=1, class_=4, description="WT-1", capacity=-2, level=-3),
    )
    assert not only_supply(lab, *rows).HasField("color")


@pytest.mark.parametrize("value", [-1, -2, -3])
def test_a_counter_below_zero_is_missing_and_not_zero(lab, value):
    rows = (*HP, f"1.3.6.1.4.1.11.2.3.9.4.2.1.4.1.2.6.0|2|{value}", "1.3.6.1.4.1.11.2.3.9.4.2.1.4.1.2.7.0|2|5")
    assert [meter.name for meter in lab.snapshot(lab.device(*rows)).meters] == ["total_color"]


def test_a_sum_with_a_part_missing_is_no_sum(lab):
    tree = "1.3.6.1.4.1.11.2.3.9.4.2.1.2.2.1"
    (meter,) = lab.snapshot(lab.device(*HP, f"{tree}.74.0|2|70", f"{tree}.44.0|2|-1")).meters
    assert (meter.name, meter.value, meter.source) == ("scan", 70, f"{tree}.74.0")


def test_brother_inkjets_use_the_ids_of_toner_for_ink(lab):
    rows = ("1.3.6.1.4.1.2435.2.3.9.4.2.1.5.5.8.0|4x|6f010400001bbc700104000003e8ff", *BROTHER)
    found = lab.snapshot(lab.device(*rows, "25.3.2.1.3.1|4|Brother MFC-J100")).supplies
    assert [(supply.type, supply.color, percent_of(supply)) for supply in found] == [
        ("ink", "black", 71),
        ("ink", "cyan", 10),
    ]
    found = lab.snapshot(lab.device(*rows, "25.3.2.1.3.1|4|Brother MFC-L100")).supplies
    assert [supply.type for supply in found] == ["toner", "toner"]


def test_older_brother_inkjets_give_steps_now_and_when_full(lab):
    rows = ("1.3.6.1.4.1.2435.2.3.9.4.2.1.5.5.8.0|4x|a101020414a201020c14ff", *BROTHER)
    found = lab.snapshot(lab.device(*rows)).supplies
    assert [(supply.description, percent_of(supply)) for supply in found] == [("Black Ink", 20), ("Cyan Ink", 60)]

"""``dca scan`` over a faked network: exit codes, JSON lines, the table, and what is never swept."""

from __future__ import annotations

import json
import time

import pytest

from dca.cli.jsonlines import json_line
from dca.wire.snapshot_pb2 import OUTCOME_AUTH_FAILED, OUTCOME_PARTIAL

CONFIG = """
[[credential]]
name = "office"
community = "public"
[[range]]
label = "Office"
include = ["10.0.0.0/29"]
credentials = ["office"]
port = 1161
[limits]
timeout = "300ms"
packets_per_second = 77
"""


def test_all_read(dca, printers, made) -> None:
    printers.put(made("10.0.0.1"), made("10.0.0.2", OUTCOME_PARTIAL, missing=["supplies"]))
    ran = dca("scan", "10.0.0.0/29")
    assert ran.code == 0
    assert "Acme Color 3" in ran.out
    assert "SN0012345" in ran.out
    assert "123 456" in ran.out
    assert "partial" in ran.out
    assert "2 devices among 6 addresses" in ran.out
    assert ran.err == ""


def test_some_failed(dca, printers, made) -> None:
    printers.put(made("10.0.0.1"), made("10.0.0.2", OUTCOME_AUTH_FAILED))
    ran = dca("scan", "10.0.0.0/29")
    assert ran.code == 1
    assert "not accepted" in ran.out
    assert "it did not want to" in ran.out


def test_nothing_found(dca, printers) -> None:
    printers.others = 2
    ran = dca("scan", "10.0.0.0/29")
    assert ran.code == 3
    assert "0 devices among 6 addresses" in ran.out
    assert "2 other hosts answered and were left alone" in ran.out


def test_nothing_found_says_what_to_check(dca, printers) -> None:
    printers.others = 1
    said = dca("scan", "10.0.0.1").out
    assert "0 devices among 1 address in" in said
    assert "1 other host answered and was left alone" in said
    for word in ("community", "--snmp-version", "--port", "range", "firewall", "sleeps"):
        assert word in said


@pytest.mark.parametrize(
    ("typed", "instead"),
    [
        ("127.0.0.1:161", "127.0.0.1 --port 161"),
        ("[::1]", "write ::1"),
        ("[::1]:1161", "::1 --port 1161"),
        ("printer.example:161", "printer.example --port 161"),
    ],
)
@pytest.mark.parametrize("command", ["scan", "read"])
def test_a_port_with_the_address_is_told_where_it_goes(dca, printers, command, typed, instead) -> None:
    ran = dca(command, typed)
    assert ran.code == 2
    assert instead in " ".join(ran.err.replace("│", " ").split())
    assert printers.asked == []


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["10.0.0.0/29", "--community", ""],
        ["10.0.0.0/33"],
        ["nonsense/here"],
        ["10.0.0.0/29", "--port", "0"],
        ["10.0.0.0/29", "--snmp-version", "4"],
        ["10.0.0.0/29", "--snmp-version", "3"],
        ["10.0.0.0/29", "--nonsense"],
        ["--config", "/nowhere/dca.toml"],
        ["10.0.0.0/8"],
    ],
)
def test_wrong_use_sweeps_nothing(dca, printers, args) -> None:
    ran = dca("scan", *args)
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err
    assert printers.asked == []


def test_json_is_one_object_a_line_with_the_fields_that_were_promised(dca, printers, made) -> None:
    printers.put(made("10.0.0.1"), made("10.0.0.2", OUTCOME_AUTH_FAILED))
    ran = dca("scan", "10.0.0.0/29", "--json")
    assert ran.code == 1
    first, second = (json.loads(line) for line in ran.out.splitlines())
    assert first["host"] == "10.0.0.1"
    assert first["outcome"] == "OUTCOME_OK"
    assert first["read_at"] == "2027-01-15T08:00:00Z"
    assert first["duration_ms"] == 12
    assert first["device"]["model"] == "Acme Color 3"
    assert first["status"] == "idle"
    assert first["meters"] == [
        {"name": "total", "value": "123456", "unit": "impressions", "source": "1.3.6.1.2.1.43.10.2.1.4.1.1"}
    ]
    assert first["supplies"][1] == {
        "index": 2, "type": "toner", "color": "cyan", "description": "cyan toner", "level": "3", "capacity": "100",
        "unit": "percent", "percent": 3.0, "state": "measured", "source": "1.3.6.1.2.1.43.11.1.1.9.1.2",
    }  # fmt: skip
    for name in ("trays", "alerts", "console", "errors"):
        assert first[name] == []
    assert second["outcome"] == "OUTCOME_AUTH_FAILED"
    assert second["reason"] == "it did not want to"
    assert second["supplies"] == []
    assert "device" not in second
    assert "status" not in second


def test_a_value_of_zero_is_a_value(made) -> None:
    snapshot = made()
    snapshot.meters.add(name="fax", value=0)
    assert {"name": "fax", "value": "0", "source": ""} in json.loads(json_line(snapshot))["meters"]


def test_json_cannot_drive_a_terminal(made) -> None:
    snapshot = made()
    snapshot.device.name = "a\x1b[2J\x7f\x9b\u202eb"
    line = json_line(snapshot)
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["device"]["name"] == snapshot.device.name


def test_json_costs_less_than_a_millisecond(made) -> None:
    snapshot = made()
    json_line(snapshot)
    best = min(_timed(lambda: [json_line(snapshot) for _ in range(20)]) / 20 for _ in range(10))
    assert best < 0.001


def _timed(work) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def test_the_options_reach_the_credentials_and_the_client(dca, printers, made) -> None:
    printers.put(made("10.0.0.1"))
    ran = dca(
        "scan", "10.0.0.1", "--community", "one", "--community", "two", "--snmp-version", "1", "--port", "1161",
        "--timeout", "0.5", "--retries", "0",
    )  # fmt: skip
    assert ran.code == 0
    ((address, port, credentials),) = printers.asked
    assert (address, port) == ("10.0.0.1", 1161)
    assert [(one.community.reveal(), one.version) for one in credentials] == [("one", "1"), ("two", "1")]
    assert (printers.clients[0].timeout, printers.clients[0].retries) == (0.5, 0)


def test_without_a_range_the_config_says_them(dca, printers, made, tmp_path) -> None:
    (tmp_path / "dca.toml").write_text(CONFIG)
    printers.put(made("10.0.0.1"))
    ran = dca("scan", "--config", str(tmp_path / "dca.toml"))
    assert ran.code == 0
    assert {(address, port) for address, port, _ in printers.asked} == {(f"10.0.0.{n}", 1161) for n in range(1, 7)}
    assert printers.clients[0].timeout == 0.3


@pytest.mark.parametrize("more", [["10.0.0.1"], ["--community", "x"], ["--user", "joe"], ["--snmp-version", "1"]])
def test_a_config_and_its_own_words_do_not_go_together(dca, printers, tmp_path, more) -> None:
    (tmp_path / "dca.toml").write_text(CONFIG)
    assert dca("scan", "--config", str(tmp_path / "dca.toml"), *more).code == 2
    assert printers.asked == []


@pytest.mark.parametrize("columns", [80, 100, 200])
def test_the_table_fits_the_terminal(dca, printers, made, columns) -> None:
    for number in range(1, 6):
        snapshot = made(f"10.0.0.{number}")
        snapshot.device.model = "A Printer With A Very Long Name Indeed MFP M480f"
        snapshot.device.manufacturer = "The Manufacturer"
        printers.put(snapshot)
    ran = dca("scan", "10.0.0.0/29", columns=columns)
    assert max(len(line) for line in ran.out.splitlines()) <= columns
    assert "123 456" in ran.out
    assert "C▁3" in ran.out or "C ▌" in ran.out


def test_devices_cannot_drive_the_terminal(dca, printers, made) -> None:
    snapshot = made("10.0.0.1")
    snapshot.device.manufacturer = ""
    snapshot.device.model = "\x1b[31mEvil\x1b]0;title\x07\u202e[bold]x[/bold]"
    snapshot.status = "\x9b1mfine"
    printers.put(snapshot)
    ran = dca("scan", "10.0.0.1")
    assert not set(ran.out) & {"\x1b", "\x07", "\x9b", "\u202e"}
    assert "[bold]" in ran.out

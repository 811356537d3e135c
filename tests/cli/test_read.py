"""``dca read`` over a faked network."""

from __future__ import annotations

import json

import pytest

from dca.net.dns import Answer
from dca.wire.snapshot_pb2 import OUTCOME_NO_ANSWER


@pytest.fixture(autouse=True)
def names(monkeypatch):
    """Resolve names here instead of asking the system."""
    known = {"printer.example": Answer(("10.0.0.1",))}

    class Resolver:
        async def __call__(self, name):
            return known.get(name, Answer(failure=f"{name}: no such name", unknown=True))

    monkeypatch.setattr("dca.net.dns.SystemResolver", Resolver)
    return known


def test_one_device_is_shown_in_full(dca, printers, made) -> None:
    snapshot = made("10.0.0.1", console=["Ready"])
    snapshot.trays.add(
        index=1, direction="input", name="Tray 1", level=5, capacity=250, unit="sheets", state="measured"
    )
    snapshot.alerts.add(index=1, severity="warning", text="Cyan low")
    snapshot.covers.add(index=1, description="Front", status="cover_open")
    snapshot.supplies.add(index=9, type="waste_toner", description="Waste", state="some_remaining", receptacle=True)
    printers.put(snapshot)
    ran = dca("read", "10.0.0.1", columns=80)
    assert ran.code == 0
    for words in (
        "Acme Color 3", "serial SN0012345", "black toner", "80 %", "some left", "room left", "total", "123 456",
        "Tray 1", "5 of 250 sheets", "warning", "Cyan low", "Front: cover open", "Ready", "ok in 12 ms with 6 requests",
    ):  # fmt: skip
        assert words in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80


def test_many_devices_become_a_table(dca, printers, made) -> None:
    hosts = [f"10.0.0.{number}" for number in range(1, 8)]
    printers.put(*map(made, hosts))
    ran = dca("read", *hosts)
    assert ran.code == 0
    assert "Address" in ran.out
    assert "7 devices in" in ran.out


def test_silence_is_a_failure_that_says_so(dca, printers) -> None:
    ran = dca("read", "10.0.0.1", "--json")
    assert ran.code == 1
    (line,) = ran.out.splitlines()
    assert json.loads(line)["outcome"] == "OUTCOME_NO_ANSWER"


def test_names_are_resolved_and_a_wrong_one_is_a_line_too(dca, printers, made) -> None:
    printers.put(made("10.0.0.1"))
    ran = dca("read", "printer.example", "nowhere.example", "--json")
    assert ran.code == 1
    found = {line["host"]: line for line in map(json.loads, ran.out.splitlines())}
    assert found["10.0.0.1"]["outcome"] == "OUTCOME_OK"
    assert found["nowhere.example"]["outcome"] == "OUTCOME_NO_ANSWER"
    assert "no such name" in found["nowhere.example"]["reason"]


@pytest.mark.parametrize(
    "args",
    [[], ["10.0.0.0/24"], ["10.0.0.1-9"], ["255.255.255.255"], ["224.0.0.1"], ["not a host"], ["10.0.0.1", "-x"]],
)
def test_wrong_use_asks_nobody(dca, printers, args) -> None:
    ran = dca("read", *args)
    assert ran.code == 2
    assert ran.out == ""
    assert printers.asked == []


def test_with_a_config_the_range_says_port_and_credentials(dca, printers, made, tmp_path) -> None:
    (tmp_path / "dca.toml").write_text(
        '[[credential]]\nname = "c"\ncommunity = "public"\n'
        '[[range]]\nlabel = "Office"\ninclude = ["10.0.0.0/24"]\nport = 1161\ncredentials = ["c"]\n'
    )
    printers.put(made("10.0.0.9"))
    assert dca("read", "10.0.0.9", "--config", str(tmp_path / "dca.toml")).code == 0
    ((address, port, credentials),) = printers.asked  # not again one by one
    assert (address, port, credentials[0].name) == ("10.0.0.9", 1161, "c")


def test_with_a_config_nothing_outside_its_ranges_is_asked(dca, printers, tmp_path) -> None:
    (tmp_path / "dca.toml").write_text(
        '[[credential]]\nname = "c"\ncommunity = "public"\n'
        '[[range]]\nlabel = "Office"\ninclude = ["10.0.0.0/24"]\ncredentials = ["c"]\n'
    )
    ran = dca("read", "10.0.1.9", "--config", str(tmp_path / "dca.toml"))
    assert ran.code == 2
    assert "in no range" in ran.err
    assert printers.asked == []


def test_a_failed_device_shows_no_values(dca, printers, made) -> None:
    printers.put(made("10.0.0.1", OUTCOME_NO_ANSWER))
    ran = dca("read", "10.0.0.1")
    assert ran.code == 1
    assert "it did not want to" in ran.out
    assert "toner" not in ran.out

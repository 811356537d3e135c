"""The shared look: clean texts, bars, words."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from dca.cli.render import (
    ago,
    bar,
    bar_cells,
    console_for,
    counted,
    device_name,
    number,
    plain,
    status_text,
    supplies_text,
)
from dca.cli.tables import by_address, card, fleet_table, summary
from dca.wire.snapshot_pb2 import OUTCOME_NO_ANSWER, OUTCOME_OK, Device, Snapshot, Supply


@given(st.text())
def test_plain_text_is_printable_and_one_line(text) -> None:
    assert plain(text).isprintable()
    assert "\n" not in plain(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("HP LaserJet", "HP LaserJet"),
        ("  two\twords \n", "two words"),
        ("日本語 ü é", "日本語 ü é"),
        ("\x1b[31mred", "\N{REPLACEMENT CHARACTER}[31mred"),
        ("a\u202eb\u200bc", "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c"),
        ("x" * 1000, "x" * 300),
    ],
)
def test_plain(text, shown) -> None:
    assert plain(text) == shown


@given(st.floats(min_value=-50, max_value=150, allow_nan=False), st.integers(1, 40))
def test_a_bar_has_its_width_and_shows_what_is_left(percent, width) -> None:
    drawn = bar(percent, width)
    assert len(drawn) == width
    assert ("█" in drawn or "▌" in drawn) == (percent > 0)
    assert (drawn == "█" * width) or percent < 100


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "just now"), (44, "just now"), (300, "5 min ago"), (7200, "2 h ago"), (400_000, "5 days ago")],
)
def test_ago(seconds, words) -> None:
    assert ago(seconds) == words


@pytest.mark.parametrize(
    ("maker", "model", "shown"),
    [
        ("HP", "LaserJet", "HP LaserJet"),
        ("HP", "HP LaserJet", "HP LaserJet"),
        ("", "X", "X"),
        ("Acme", "", "Acme"),
        ("", "", ""),
    ],
)
def test_the_maker_is_named_once(maker, model, shown) -> None:
    assert device_name(Device(manufacturer=maker, model=model)) == shown


def supply(**fields) -> Supply:
    return Supply(**{"type": "toner", "state": "measured", "index": 1} | fields)


def test_supplies_in_their_order_and_what_runs_low() -> None:
    supplies = [
        supply(color="yellow", percent=50, index=4),
        supply(color="black", percent=7, index=1),
        supply(type="opc", color="black", percent=90, index=5),
        supply(type="fuser", percent=4, index=6),
        supply(type="waste_toner", receptacle=True, state="some_remaining", index=7),
        supply(color="cyan", state="low", index=2),
    ]
    text = supplies_text(supplies, 4)
    assert text.plain == "K ▌░░░   7 C low Y ██░░  50 fuser 4"
    assert {str(span.style) for span in text.spans} >= {"yellow", "bold yellow", "bold red", "dim"}
    assert supplies_text(supplies, 0).plain == "K▁7 C low Y▅50 fuser 4"


def test_a_supply_without_a_percent_has_no_number() -> None:
    for state, words in (("unknown", "unknown"), ("some_remaining", "some left"), ("unrestricted", "unlimited")):
        assert supplies_text([supply(color="black", state=state)], 8).plain == f"K {words}"


def test_bars_only_where_they_fit() -> None:
    four = [supply(color=color, percent=1) for color in ("black", "cyan", "magenta", "yellow")]
    assert bar_cells([four], 200) == 8
    assert bar_cells([four], 44) == 4
    assert bar_cells([four], 36) == 0
    assert bar_cells([], 100) == 0


def test_status_in_words() -> None:
    snapshot = Snapshot(outcome=OUTCOME_OK, status="printing", errors=["low_toner", "no_paper"])
    assert status_text(snapshot).plain == "printing, low toner, no paper"


def test_addresses_in_their_order(made) -> None:
    hosts = ["10.0.0.10", "printer.example", "10.0.0.9", "fe80::1", "9.255.0.0"]
    ordered = [snapshot.host for snapshot in sorted(map(made, hosts), key=by_address)]
    assert ordered == ["9.255.0.0", "10.0.0.9", "10.0.0.10", "fe80::1", "printer.example"]


def test_no_color_is_respected(monkeypatch, made, capsys) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    console_for().print(supplies_text(made().supplies, 8))
    assert "\x1b[3" not in capsys.readouterr().out


@given(st.binary(max_size=200))
def test_whatever_a_snapshot_holds_can_be_shown(payload) -> None:
    snapshot = Snapshot(host="10.0.0.1", outcome=OUTCOME_OK)
    text = payload.decode("utf-8", "replace")
    snapshot.device.model = snapshot.device.serial = snapshot.status = text
    snapshot.meters.add(name=text, value=2**63, unit=text)
    snapshot.supplies.add(color=text, type=text, state=text, description=text, level=-5, capacity=-1, unit=text)
    snapshot.supplies.add(color="black", percent=float("inf"), state="measured")
    snapshot.trays.add(name=text, media=text, state=text)
    snapshot.console.append(text)
    console = console_for()
    with console.capture() as captured:
        for width in (40, 80, 160):
            console.print(fleet_table([snapshot], width))
            console.print(card(snapshot, width))
    assert all(c.isprintable() or c == "\n" for c in captured.get())


def test_numbers_in_groups() -> None:
    assert number(1_234_567) == "1 234 567"


def test_the_summary_counts(made) -> None:
    assert summary([made()], 1.26, 254) == "1 device among 254 addresses in 1.3 s: 1 read"


def drawn(what, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(what)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("width", [20, 24, 32, 40, 50, 60, 72, 80, 99, 100, 120])
@pytest.mark.parametrize("hosts", [["127.44.0.1", "127.44.0.2"], ["192.168.100.101", "192.168.100.102"]])
def test_addresses_are_whole_on_any_terminal(made, width, hosts) -> None:
    silent = f"{hosts[0][:-1]}9"
    fleet = [*(made(host) for host in hosts), made(silent, OUTCOME_NO_ANSWER)]
    lines = drawn(fleet_table(fleet, width), width)
    for host in (*hosts, silent):
        assert sum(host in line.split() for line in lines) == 1
    assert all(len(line) <= width for line in lines)


def test_forty_columns_still_say_what_it_is(made) -> None:
    text = "\n".join(drawn(fleet_table([made("127.44.0.1")], 40), 40))
    assert "Acme Color 3" in text
    assert "idle" in text


@pytest.mark.parametrize(("count", "shown"), [(0, "0 devices"), (1, "1 device"), (1234, "1 234 devices")])
def test_nouns_are_in_the_plural_where_they_need_it(count, shown) -> None:
    assert counted(count, "device") == shown


def test_one_address_is_one_address(made) -> None:
    assert summary([made()], 1, 1).startswith("1 device among 1 address in")

from __future__ import annotations

import io

import pytest
from rich.console import Console

from dca.cli.demo.scene import Row, Scene
from dca.cli.demo.screens import Lines, Picture, screen_for
from dca.cli.demo.view import draw
from dca.wire.snapshot_pb2 import OUTCOME_OK, Snapshot

SIZES = [(80, 24), (100, 30), (119, 40), (120, 40), (140, 50), (200, 60), (60, 12)]


def row(number: int, *, why: str = "", alert: str = "", severity: str = "warning", name: str = "") -> Row:
    picture = Snapshot(host=f"127.20.0.{number}", outcome=OUTCOME_OK, status="idle", console=["Ready"])
    for index, color in enumerate(("black", "cyan", "magenta", "yellow"), 1):
        picture.supplies.add(index=index, type="toner", color=color, percent=7 + number, state="measured")
    picture.meters.add(name="total", value=1000 * number)
    if alert:
        picture.alerts.add(index=1, severity=severity, text=alert)
    return Row(picture.host, name or f"Maker Model {number}", picture, why, 1000 * number, number)


def scene(count: int = 24, **changes) -> Scene:
    rows = tuple(row(number) for number in range(1, count + 1))
    return Scene(
        **{"rows": rows, "others": 1, "read": 412, "waiting": 2, "acknowledged": 410, "delivered_ago": 1.0, **changes}
    )


def shown(
    what: Scene, width: int = 140, height: int = 50, elapsed: float = 0.0, page: str = "http://127.0.0.1:4480/"
) -> list[str]:
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True, color_system=None)
    console.print(draw(what, width=width, height=height, elapsed=elapsed, page=page, stage="starting the hub"), end="")
    return console.file.getvalue().rstrip("\n").split("\n")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("count", [0, 1, 24])
def test_the_picture_fills_the_terminal_exactly(size, count):
    lines = shown(scene(count), *size)
    assert len(lines) == size[1]
    assert all(len(line.rstrip()) <= size[0] for line in lines)


def test_it_says_where_the_page_is_and_what_became_of_the_rows():
    text = "\n".join(shown(scene(), elapsed=95))
    assert "http://127.0.0.1:4480/" in text
    assert "1:35" in text
    assert "24 printers found, 24 answering; 1 other host left alone" in text
    assert "412 rows read  →  2 waiting  →  410 acknowledged by the hub, just now" in text


def test_before_there_is_anything_it_says_what_it_does():
    assert any("starting the hub" in line for line in shown(Scene(), page=""))


def test_a_small_terminal_shows_all_devices_in_turn():
    seen: set[str] = set()
    for elapsed in (0, 5, 10, 15):
        seen |= {part for line in shown(scene(), 80, 20, elapsed) for part in line.split() if part.startswith("127.")}
    assert seen == {f"127.20.0.{number}" for number in range(1, 25)}


def test_a_wide_one_shows_what_was_printed_and_the_console():
    (line,) = (line for line in shown(scene()) if "127.20.0.9 " in line)
    assert "9 000" in line
    assert "+9" in line
    assert line.rstrip().endswith("Ready")
    assert "K ▌░░░  16" in line


def test_a_silent_device_says_why():
    rows = (row(1), row(2, why="asleep"))
    text = "\n".join(shown(scene(rows=rows)))
    assert "2 printers found, 1 answering; silent: 127.20.0.2 asleep" in text


def test_what_is_wrong_stands_below_the_critical_first():
    rows = (
        row(1, alert="Toner low"),
        row(2, alert="Cover open", severity="critical"),
        row(3, alert="Ready", severity="other"),
    )
    lines = shown(scene(rows=rows))
    at = next(number for number, line in enumerate(lines) if "2 alerts" in line)
    assert "Cover open" in lines[at + 1]
    assert "Toner low" in lines[at + 2]
    assert not any("127.20.0.3 " in line for line in lines[at:])


def test_a_delivery_that_failed_is_told():
    assert any("the hub is away" in line for line in shown(scene(delivery_error="the hub is away")))


def test_a_device_cannot_drive_the_terminal():
    hostile = "[red]\x1b[2J\x9b2J\u202ex\nnext"
    bad = row(1, alert=hostile)
    bad.picture.console[:] = [hostile]
    bad.picture.errors[:] = [hostile]
    text = "\n".join(shown(scene(rows=(bad,))))
    assert "\x1b[2J" not in text
    assert "\x9b" not in text
    assert "\u202e" not in text
    assert "[red]" in text


def test_plain_lines_tell_each_device_once_and_then_only_changes():
    out = io.StringIO()
    lines = Lines(Console(file=out, width=200))
    lines.show(scene(2), 0)
    lines.show(scene(2), 1)
    assert out.getvalue().count("127.20.0.1 ") == 1
    assert "127.20.0.1   Maker Model 1: idle, 1 000 pages  K ▌░░░   8" in out.getvalue()
    out.seek(0)
    out.truncate()
    lines.show(scene(rows=(row(1, why="asleep"), row(2))), 2)
    assert out.getvalue() == "127.20.0.1   Maker Model 1: asleep\n"


def test_plain_lines_sum_up_now_and_then():
    out = io.StringIO()
    lines = Lines(Console(file=out, width=200))
    for elapsed in range(25):
        lines.show(scene(1), elapsed)
    assert out.getvalue().count("410 acknowledged") == 3


def test_the_screen_fits_the_output(monkeypatch):
    assert isinstance(screen_for(color=True), Lines)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert isinstance(screen_for(color=True), Picture)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(screen_for(color=True), Lines)


@pytest.mark.parametrize("silent", range(6))
def test_eighty_columns_hold_every_fact(silent):
    rows = tuple(row(number, why="no answer" if number <= silent else "") for number in range(1, 25))
    last = shown(scene(rows=rows), 80, 24)[-2:]
    assert all("…" not in line for line in last)
    assert "1 other host" in last[0]
    assert f"{24 - silent} answering" in last[0]
    assert ("127.20.0.1 no answer" in last[0]) == (silent > 0)

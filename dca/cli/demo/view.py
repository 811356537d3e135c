"""The demo's picture for a terminal of any size: header, devices, what is wrong, and what became of the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Group
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from dca.cli.render import ago, number, plain, status_text, supplies_text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from dca.cli.demo.scene import Row, Scene

__all__ = ["draw", "summary_lines"]

_WIDE = 120
"""Columns from which bars, the console and the pages printed are shown."""
_PAGE_SECONDS = 5.0
"""How long a part of the table is shown where all of it does not fit."""
_FRAME = 7
"""Lines that are not the table's rows: header, column titles, rules, summary."""


def draw(scene: Scene, *, width: int, height: int, elapsed: float, page: str, stage: str) -> RenderableType:
    """Return the picture; `page` is the hub's address once it is known, `stage` what is being started."""
    parts: list[RenderableType] = [*_header(width, elapsed, page), Rule(style="dim")]
    room = max(height - _FRAME, 3)
    if not scene.rows:
        parts += [Text(f"\n  {stage}", style="yellow"), *([""] * (room - 1))]
    else:
        rows = _visible(scene.rows, room, elapsed)
        parts.append(_table(rows, len(scene.rows), scene.rows.index(rows[0]), width))
        left = room - len(rows)
        alerts = _alerts(scene, left - 2, width) if left > 3 else []  # noqa: PLR2004 - a title and two lines at least
        parts += [*alerts, *([""] * (left - len(alerts)))]
    return Group(*parts, Rule(style="dim"), *summary_lines(scene, width))


def _header(width: int, elapsed: float, page: str) -> list[Text]:
    title, words = " dca demo ", "a hub, 25 simulated devices and an agent, on this machine only"
    clock = f"{int(elapsed) // 60}:{int(elapsed) % 60:02}"
    first = Text(no_wrap=True, overflow="ellipsis").append(title, style="bold white on blue").append(f"  {words}")
    gap = width - cell_len(title) - 2 - cell_len(words) - cell_len(clock)
    if gap > 1:
        first.append(" " * gap).append(clock, style="bold")
    second = Text(no_wrap=True, overflow="ellipsis").append(" The same fleet in a browser: ", style="dim")
    second.append(page or "...", style="bold cyan underline" if page else "dim")
    return [first, second]


def _visible(rows: tuple[Row, ...], room: int, elapsed: float) -> tuple[Row, ...]:
    """Return the rows that fit; where there are more, one part after the other."""
    if len(rows) <= room:
        return rows
    pages = -(-len(rows) // room)
    size = -(-len(rows) // pages)
    start = int(elapsed / _PAGE_SECONDS) % pages * size
    return rows[start : start + size]


def _table(rows: tuple[Row, ...], total: int, first: int, width: int) -> Table:
    wide = width >= _WIDE
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", expand=True, pad_edge=False)
    count = f"{total} devices" if len(rows) == total else f"{first + 1}-{first + len(rows)} of {total} devices"
    table.add_column(f" {count}", ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column("Address", width=11, no_wrap=True)
    table.add_column("Status", width=13 if wide else 10, no_wrap=True, overflow="ellipsis")
    table.add_column("Supplies", width=43 if wide else 21, no_wrap=True, overflow="ellipsis")
    table.add_column("Pages", width=9 if wide else 8, justify="right", no_wrap=True)
    if wide:
        table.add_column("New", width=5, justify="right", no_wrap=True, style="green")
        table.add_column("Console", width=21, no_wrap=True, overflow="ellipsis", style="dim")
    for row in rows:
        cells = [Text(f" {row.name}"), Text(row.host, style="dim"), _status(row)]
        cells += [supplies_text(row.picture.supplies, 4 if wide else 0), Text(number(row.pages) if row.pages else "")]
        if wide:
            cells += [Text(f"+{row.printed}" if row.printed else ""), Text(_console(row))]
        table.add_row(*cells, style="dim" if row.why_silent else "")
    return table


def _status(row: Row) -> Text:
    if row.why_silent:
        return Text(row.why_silent, style="bold blue" if row.why_silent == "asleep" else "bold red")
    text = status_text(row.picture)
    errors = [plain(error).replace("_", " ") for error in row.picture.errors]
    if errors:  # what is wrong matters more than that it is idle
        text = Text(", ".join(errors), style="yellow")
    return text


def _console(row: Row) -> str:
    return " / ".join(filter(None, (plain(line) for line in row.picture.console)))


def _alerts(scene: Scene, lines: int, width: int) -> list[RenderableType]:
    """Return what is wrong on the devices, in at most so many lines under a title."""
    found = scene.alerts
    if not found:
        return []
    shown = found[:lines]
    parts: list[RenderableType] = ["", Text(f" {len(found)} alerts", style="bold")]
    for row, alert in shown:
        critical = alert.severity == "critical"
        text = Text(" ● ", style="red" if critical else "yellow", no_wrap=True, overflow="ellipsis")
        text.append(f"{row.host:12}", style="dim").append(f"{row.name:28.28}  ").append(plain(alert.text))
        text.truncate(width)
        parts.append(text)
    return parts


def summary_lines(scene: Scene, width: int = 0) -> list[Text]:
    """Return two lines: the devices, and the rows' way to the hub; fewer words where `width` is too small for all."""
    devices = _devices(scene, shown=3)
    for shown in (3, 2, 1, 0):
        if not width or devices.cell_len <= width:
            break
        devices = _devices(scene, shown=shown, short=True)
    rows = Text(" ", no_wrap=True, overflow="ellipsis")
    rows.append(number(scene.read), style="bold").append(" rows read  →  ")
    rows.append(number(scene.waiting), style="bold yellow" if scene.waiting else "bold").append(" waiting  →  ")
    rows.append(number(scene.acknowledged), style="bold green").append(" acknowledged by the hub")
    if scene.delivery_error:
        rows.append(f"   {scene.delivery_error}", style="red")
    elif scene.delivered_ago is not None:
        rows.append(f", {ago(scene.delivered_ago)}", style="dim")
    return [devices, rows]


def _devices(scene: Scene, *, shown: int, short: bool = False) -> Text:
    text = Text(" ", no_wrap=True, overflow="ellipsis")
    text.append(f"{len(scene.rows)} printers", style="bold")
    text.append(f"{'' if short else ' found'}, {len(scene.rows) - len(scene.silent)} answering")
    if scene.silent:
        named = ", ".join(f"{row.host} {row.why_silent}" for row in scene.silent[:shown])
        left = len(scene.silent) - shown
        more = "" if left <= 0 else f", +{left}" if named else str(left)
        text.append(f"; silent: {named}{more}", style="yellow")
    if scene.others:
        text.append(
            f"; {scene.others} other host{'s' if scene.others > 1 else ''}{'' if short else ' left alone'}", style="dim"
        )
    return text

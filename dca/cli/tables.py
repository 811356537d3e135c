"""What people read of snapshots: the table of a fleet and the card of a device."""

from __future__ import annotations

import ipaddress
from collections import Counter
from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dca.cli.render import (
    LEAST_BAR,
    bar_cells,
    counted,
    device_name,
    level_text,
    number,
    outcome_text,
    outcome_word,
    plain,
    status_text,
    supplies_text,
)
from dca.wire.snapshot_pb2 import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import RenderableType

    from dca.wire.snapshot_pb2 import Snapshot, Supply, Tray

__all__ = ["READ", "by_address", "card", "fleet_table", "read_table", "summary"]

READ = (Outcome.OUTCOME_OK, Outcome.OUTCOME_PARTIAL)
WIDE = 100
"""Columns from which a table shows everything."""
GAP = 2
"""Cells after each column."""


def by_address(snapshot: Snapshot) -> tuple[int, int, str]:
    """Return a sort key that puts addresses in their numeric order, names last."""
    try:
        address = ipaddress.ip_address(snapshot.host)
    except ValueError:
        return (9, 0, snapshot.host)
    return (address.version, int(address), "")


def fleet_table(snapshots: Iterable[Snapshot], width: int) -> RenderableType:
    """Return one line a device for a terminal of `width` columns; what was not read follows with its reasons."""
    rows = sorted(snapshots, key=by_address)
    read = [snapshot for snapshot in rows if snapshot.outcome in READ]
    rest = [snapshot for snapshot in rows if snapshot.outcome not in READ]
    parts: list[RenderableType] = [read_table(read, width)] if read else []
    if rest:
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
        for title in ("Address", "Not read", "Why"):
            least = max(len(plain(snapshot.host)) for snapshot in rest) if title == "Address" else None
            table.add_column(title, no_wrap=title == "Address", min_width=least, overflow="fold")
        for snapshot in rest:
            why = plain(snapshot.reason) or device_name(snapshot.device)
            table.add_row(Text(plain(snapshot.host)), outcome_text(snapshot.outcome), Text(why))
        parts += ["", table] if read else [table]
    return Group(*parts)


def read_table(snapshots: Sequence[Snapshot], width: int) -> Table:
    """Return one line for each of these, at least one, which were read.

    The address is always whole, for it tells the rows apart; on a narrow terminal other columns are left out.
    """
    wide = width >= WIDE
    texts = _texts(snapshots, wide=wide)
    widths = {name: min(_widest(name, texts[name]), most) for name, most in _most(wide=wide).items()}
    # The device's name gives way to the supplies, down to what still tells models apart.
    least = widths | {"Device": min(widths["Device"], 26 if wide else 14), "Status": min(widths["Status"], 8)}
    least["Supplies"] = 8
    order = ["Address", "Device", *(["Serial"] if wide else []), "Status", "Supplies", "Pages"]
    for name in ("Serial", "Pages", "Supplies", "Status", "Device"):
        if sum(least[column] for column in order) + GAP * len(order) <= width:
            break
        if name in order:
            order.remove(name)
    if "Supplies" in order:
        room = width - GAP * len(order) - sum(widths[name] for name in order if name != "Supplies")
        texts["Supplies"] = _supplies_column(snapshots, room + widths["Device"] - least["Device"])
        widths["Supplies"] = max(_widest("Supplies", texts["Supplies"]), least["Supplies"])
    over = sum(widths[name] for name in order) + GAP * len(order) - width
    for name in ("Device", "Supplies", "Status"):
        given = max(min(over, widths[name] - least[name]), 0) if name in order else 0
        widths[name] = widths.get(name, 0) - given
        over -= given
    return _drawn(order, widths, texts)


def _texts(snapshots: Sequence[Snapshot], *, wide: bool) -> dict[str, list[Text]]:
    texts = {
        "Address": [Text(plain(snapshot.host)) for snapshot in snapshots],
        "Status": [status_text(snapshot) for snapshot in snapshots],
        "Pages": [Text(_pages(snapshot)) for snapshot in snapshots],
        "Device": [Text(device_name(snapshot.device)) for snapshot in snapshots],
    }
    return texts | ({"Serial": [Text(plain(snapshot.device.serial)) for snapshot in snapshots]} if wide else {})


def _most(*, wide: bool) -> dict[str, int]:
    """Return how wide each column may become, in cells."""
    most = {"Address": 64, "Status": 24 if wide else 12, "Pages": 14, "Device": 34 if wide else 22}
    return most | ({"Serial": 16} if wide else {})


def _supplies_column(snapshots: Sequence[Snapshot], room: int) -> list[Text]:
    """Return the supplies with the longest bars that fit into so many cells."""
    cells = bar_cells((snapshot.supplies for snapshot in snapshots), room)
    while True:
        texts = [supplies_text(snapshot.supplies, cells) for snapshot in snapshots]
        if not cells or _widest("Supplies", texts) <= room:
            return texts
        cells = cells - 1 if cells > LEAST_BAR else 0


def _drawn(order: Sequence[str], widths: Mapping[str, int], texts: Mapping[str, list[Text]]) -> Table:
    table = Table(box=None, padding=(0, GAP, 0, 0), header_style="bold")
    for name in order:
        table.add_column(
            name,
            width=widths[name],
            no_wrap=name not in {"Status", "Address"},
            overflow="fold" if name in {"Status", "Address"} else "ellipsis",
            justify="right" if name == "Pages" else "left",
        )
    for row in zip(*(texts[name] for name in order), strict=True):
        table.add_row(*row)
    return table


def _widest(title: str, cells: Iterable[Text]) -> int:
    return max(len(title), *(cell.cell_len for cell in cells))


def _pages(snapshot: Snapshot) -> str:
    return next((number(meter.value) for meter in snapshot.meters if meter.name == "total"), "")


def summary(snapshots: Sequence[Snapshot], seconds: float, addresses: int | None = None) -> str:
    """Say in one line what came of it."""
    counts = Counter(snapshot.outcome for snapshot in snapshots)
    read = sum(counts.pop(outcome, 0) for outcome in (Outcome.OUTCOME_OK,))
    parts = [f"{read} read"] + [f"{count} {outcome_word(outcome)}" for outcome, count in sorted(counts.items())]
    where = f" among {counted(addresses, 'address')}" if addresses is not None else ""
    return f"{counted(len(snapshots), 'device')}{where} in {seconds:.1f} s: {', '.join(parts)}"


def card(snapshot: Snapshot, width: int) -> RenderableType:
    """Return everything that was read of one device."""
    parts: list[RenderableType] = [_title(snapshot)]
    if snapshot.HasField("reason"):
        parts.append(Text(plain(snapshot.reason), style="yellow"))
    if snapshot.HasField("device"):
        parts.append(_identity(snapshot))
    sections: list[tuple[str, RenderableType | None]] = [
        ("Supplies", _supplies(snapshot.supplies, width)),
        ("Meters", _meters(snapshot, width)),
        ("Trays", _trays(snapshot.trays)),
        ("Covers", _covers(snapshot)),
        ("Alerts", _alerts(snapshot)),
        ("Display", _lines(plain(line) for line in snapshot.console)),
    ]
    for name, body in sections:
        if body is not None:
            parts += [Text(name, style="bold"), Padding(body, (0, 0, 0, 2))]
    parts.append(_footer(snapshot))
    return Padding(Group(*parts), (0, 0, 1, 0))


def _title(snapshot: Snapshot) -> Text:
    title = Text(no_wrap=True, overflow="ellipsis")
    title.append(plain(snapshot.host), style="bold")
    name = device_name(snapshot.device)
    if name:
        title.append("  ").append(name, style="bold")
    title.append("  ").append_text(status_text(snapshot))
    return title


def _identity(snapshot: Snapshot) -> Text:
    device = snapshot.device
    text = Text()
    for field in ("serial", "firmware", "mac", "name", "location", "asset"):
        if device.HasField(field):
            value = plain(getattr(device, field))
            if value:
                text.append(" · " if text else "", style="dim").append(f"{field} ", style="dim").append(value)
    return text


def _supplies(supplies: Sequence[Supply], width: int) -> Table | None:
    if not supplies:
        return None
    table = Table.grid(padding=(0, 2, 0, 0))
    for supply in supplies:
        name = plain(supply.description) or " ".join(filter(None, (plain(supply.color), plain(supply.type)))) or "?"
        amount = ""
        if supply.HasField("level") and supply.HasField("capacity") and supply.unit != "percent":
            amount = f"{number(supply.level)} of {number(supply.capacity)} {_words(supply.unit)}".strip()
        kind = "room left" if supply.receptacle else ""
        table.add_row(
            Text(name, overflow="ellipsis", no_wrap=True),
            level_text(supply, 20 if width >= WIDE else 10),
            Text(" ".join(filter(None, (amount, kind)))),
            Text(plain(supply.part_number), style="dim"),
        )
    return table


def _meters(snapshot: Snapshot, width: int) -> Table | None:
    if not snapshot.meters:
        return None
    columns = 3 if width >= WIDE else 2
    table = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(columns):
        table.add_column(no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(no_wrap=True, style="dim")
    cells = [
        (Text(_words(meter.name)), Text(number(meter.value)), Text(_words(meter.unit))) for meter in snapshot.meters
    ]
    for start in range(0, len(cells), columns):
        table.add_row(*(cell for row in cells[start : start + columns] for cell in row))
    return table


def _trays(trays: Sequence[Tray]) -> Table | None:
    if not trays:
        return None
    table = Table.grid(padding=(0, 2, 0, 0))
    for tray in trays:
        if tray.HasField("level"):
            amount = number(tray.level) + (f" of {number(tray.capacity)}" if tray.HasField("capacity") else "")
            amount = f"{amount} {_words(tray.unit)}".strip()
        else:
            amount = _words(tray.state)
        name = plain(tray.name) or f"{plain(tray.direction)} {tray.index}"
        table.add_row(Text(name), Text(amount), Text(plain(tray.media), style="dim"))
    return table


def _alerts(snapshot: Snapshot) -> Text | None:
    styles = {"critical": "red", "warning": "yellow"}
    text = Text()
    for alert in snapshot.alerts:
        words = plain(alert.text) or f"{_words(alert.group)} {alert.code}".strip()
        text.append("\n" if text else "").append(
            plain(alert.severity) or "alert", style=styles.get(alert.severity, "dim")
        )
        text.append(f"  {words}")
    return text or None


def _covers(snapshot: Snapshot) -> Text | None:
    opened = (cover for cover in snapshot.covers if cover.status in {"cover_open", "interlock_open"})
    return _lines(f"{plain(cover.description) or cover.index}: {_words(cover.status)}" for cover in opened)


def _lines(lines: Iterable[str]) -> Text | None:
    text = "\n".join(line for line in lines if line)
    return Text(text) if text else None


def _words(text: str) -> str:
    return plain(text).replace("_", " ")


def _footer(snapshot: Snapshot) -> Text:
    text = Text(style="dim")
    text.append_text(outcome_text(snapshot.outcome))
    if snapshot.HasField("duration_ms"):
        text.append(f" in {number(snapshot.duration_ms)} ms")
    if snapshot.HasField("requests"):
        text.append(f" with {snapshot.requests} requests")
    if snapshot.HasField("protocol"):
        text.append(f" over {plain(snapshot.protocol)}")
    if snapshot.HasField("credential"):
        text.append(f' as "{plain(snapshot.credential)}"')
    return text

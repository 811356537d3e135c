from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from dca.hub.web.views import DeviceView, device_view
from dca.wire import snapshot_pb2 as wire
from tests.hub.office import MARKER, NOON, add_supply, laser, snapshot

if TYPE_CHECKING:
    from dca.wire.snapshot_pb2 import Snapshot

HOUR = timedelta(hours=1)
AGENT = UUID("7a1e5c1e-0000-4000-8000-000000000001")
IDENTITY = ("manufacturer", "model", "serial", "mac", "firmware", "name", "location", "asset", "range")


def record(
    outcome: int = wire.OUTCOME_OK, silent_since: datetime | None = None, **slots: Snapshot
) -> dict[str, object]:
    made: dict[str, object] = dict.fromkeys(IDENTITY)
    for slot in ("full", "supplies", "status", "partial"):
        found = slots.get(slot)
        made[slot] = found.SerializeToString() if found else None
        made[f"{slot}_at"] = found.read_at.ToDatetime(NOON.tzinfo) if found else None
    return made | {
        "agent_id": AGENT,
        "device_id": "0a01",
        "site": 1,
        "site_name": "Office",
        "host": "10.0.0.1",
        "outcome": outcome,
        "reason": None,
        "silent_since": silent_since,
        "tried_at": NOON,
        "first_at": NOON,
    }


def view(**named: object) -> DeviceView:
    return device_view(record(**named))  # type: ignore[arg-type]


def poll(at: datetime, total: int | None = None, black: float | None = None) -> Snapshot:
    made = snapshot(at=at, kind=wire.READ_KIND_STATUS)
    made.status = "printing"
    if total is not None:
        made.meters.add(name="total", value=total, source=f"{MARKER}.10.2.1.4.1.1")
    if black is not None:
        add_supply(made, 1, "toner", "black", black)
    return made


def test_a_status_poll_brings_its_few_figures_and_leaves_the_rest_with_their_date() -> None:
    found = view(full=laser(at=NOON), status=poll(NOON + HOUR, total=60_000, black=50))
    meters = {meter.data.name: meter for meter in found.meters}
    assert (meters["total"].data.value, meters["total"].at) == (60_000, NOON + HOUR)
    assert meters["copy"].at == NOON
    assert [supply.level.percent for supply in found.supplies[:2]] == [50, 41]
    assert [supply.at for supply in found.supplies[:2]] == [NOON + HOUR, NOON]
    assert len(found.supplies) == 6
    assert found.status == "printing"


def test_a_supply_that_is_gone_is_not_shown_from_an_older_reading() -> None:
    newer = laser(at=NOON + HOUR)
    del newer.supplies[1:]
    found = view(full=laser(at=NOON), supplies=_as_supplies(newer))
    assert [supply.label for supply in found.supplies] == ["Black"]


def test_colours_come_in_the_same_order_whatever_the_device_lists_first() -> None:
    mixed = laser(levels=())
    del mixed.supplies[:]
    listed = [("waste_toner", ""), ("toner", "yellow"), ("opc", "black"), ("toner", "cyan"), ("toner", "black")]
    for index, (kind, color) in enumerate([*listed, ("toner", "violet"), ("toner", "magenta")], 1):
        add_supply(mixed, index, kind, color, 50)
    labels = [supply.label for supply in view(full=mixed).supplies]
    assert labels == ["Black", "Cyan", "Magenta", "Yellow", "Violet", "Waste", "Black drum"]


def _as_supplies(full: Snapshot) -> Snapshot:
    full.kind = wire.READ_KIND_SUPPLIES
    return full


def test_a_cut_reading_brings_what_it_has_and_hides_nothing() -> None:
    cut = snapshot(at=NOON + HOUR, outcome=wire.OUTCOME_PARTIAL)
    cut.missing.extend(["supplies", "meters"])
    cut.console.append("Warming up")
    found = view(outcome=wire.OUTCOME_PARTIAL, full=laser(at=NOON), partial=cut)
    assert len(found.supplies) == 6
    assert found.meters[0].at == NOON
    assert found.console == ["Warming up"]
    assert found.troubles[0].text == "Not read: supplies, meters"


def test_one_that_cannot_be_read_says_so_and_keeps_its_figures() -> None:
    found = view(outcome=wire.OUTCOME_AUTH_FAILED, silent_since=NOON + HOUR, full=laser(at=NOON, errors=["jammed"]))
    assert found.failure == "Credentials not accepted"
    assert found.grade == "silent"
    assert found.meters[0].at == NOON
    assert found.troubles == []


def test_a_sleeper_is_no_trouble() -> None:
    found = view(outcome=wire.OUTCOME_ASLEEP, silent_since=NOON, full=laser(at=NOON, levels=(50, 50, 50, 50)))
    assert found.asleep
    assert found.grade == "ok"


@pytest.mark.parametrize(
    ("levels", "waste", "grade", "said"),
    [
        ((50, 50, 50, 50), 60, "ok", []),
        ((50, 9, 50, 50), 60, "warn", ["Cyan low"]),
        ((2, 9, 50, 50), 60, "bad", ["Black nearly empty", "Cyan low"]),
        ((0, 50, 50, 50), 60, "bad", ["Black empty"]),
        ((50, 50, 50, 50), 6, "warn", ["Waste nearly full"]),
        ((50, 50, 50, 50), 0, "bad", ["Waste full"]),
        ((None, None, None, None), None, "ok", []),
    ],
)
def test_what_runs_out_is_said(levels, waste, grade: str, said: list[str]) -> None:
    found = view(full=laser(levels=levels, waste=waste))
    assert [trouble.text for trouble in found.troubles] == said
    assert found.grade == grade


def test_the_toner_alarm_is_not_said_twice() -> None:
    found = view(full=laser(levels=(2, 50, 50, 50), errors=["low_toner", "jammed"]))
    assert [trouble.text for trouble in found.troubles] == ["Paper jam", "Black nearly empty"]


def test_a_model_that_names_its_maker_names_it_once() -> None:
    row = record(full=laser())
    assert device_view(row | {"manufacturer": "HP", "model": "HP LaserJet"}).title == "HP LaserJet"
    assert device_view(row | {"manufacturer": "KYOCERA", "model": "FS-1"}).title == "KYOCERA FS-1"
    assert device_view(row | {"manufacturer": None, "model": None}).title == "Unknown model"


def test_a_damaged_reading_does_not_take_the_page_down() -> None:
    assert device_view(record(full=laser()) | {"full": b"\xff\xff"}).supplies == []


def test_what_needs_a_person_comes_first() -> None:
    fine, low, bad, silent = (
        view(full=laser(levels=(50,))),
        view(full=laser(levels=(9,))),
        view(full=laser(levels=(1,))),
        view(outcome=wire.OUTCOME_NO_ANSWER, full=laser(levels=(50,))),
    )
    assert sorted([fine, low, bad, silent], key=lambda found: found.order) == [bad, silent, low, fine]

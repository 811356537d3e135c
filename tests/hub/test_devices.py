from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from dca.hub.ingest.devices import DeviceChange, fold
from dca.hub.ingest.rows import check_rows
from dca.wire import snapshot_pb2 as wire
from tests.hub.office import NOON, laser, row, snapshot

if TYPE_CHECKING:
    from dca.wire.snapshot_pb2 import Snapshot

HOUR = timedelta(hours=1)


def one(*snapshots: Snapshot, offset: timedelta | None = None, now=NOON + 10 * HOUR) -> DeviceChange:
    checked = check_rows(row(found, number) for number, found in enumerate(snapshots, 1))
    assert not checked.refused
    (change,) = fold(checked.good.values(), offset, now)
    return change


def failed(at, outcome: int = wire.OUTCOME_NO_ANSWER) -> Snapshot:
    return snapshot(at=at, kind=wire.READ_KIND_STATUS, outcome=outcome, reason="no reply")


def status(at) -> Snapshot:
    return snapshot(at=at, kind=wire.READ_KIND_STATUS)


def test_each_kind_has_its_slot() -> None:
    full, poll = laser(at=NOON), status(NOON + HOUR)
    supplies = snapshot(at=NOON + 2 * HOUR, kind=wire.READ_KIND_SUPPLIES)
    change = one(full, poll, supplies)
    assert change.full == (NOON, full.SerializeToString())
    assert change.status == (NOON + HOUR, poll.SerializeToString())
    assert change.supplies == (NOON + 2 * HOUR, supplies.SerializeToString())
    assert change.partial is None
    assert change.tried_at == NOON + 2 * HOUR
    assert change.failed_since is None


def test_the_newest_wins_in_whatever_order_they_come() -> None:
    older, newer = laser(at=NOON, total=1), laser(at=NOON + HOUR, total=2)
    assert one(older, newer).full == one(newer, older).full == (NOON + HOUR, newer.SerializeToString())


def test_a_failure_takes_no_slot_and_says_since_when() -> None:
    change = one(laser(at=NOON), failed(NOON + HOUR), failed(NOON + 2 * HOUR))
    assert change.full is not None
    assert change.full[0] == NOON
    assert change.failed_since == NOON + HOUR
    assert (change.outcome, change.reason) == (wire.OUTCOME_NO_ANSWER, "no reply")


def test_an_answer_ends_the_silence() -> None:
    assert one(failed(NOON), status(NOON + HOUR)).failed_since is None


def test_a_partial_reading_never_replaces_a_whole_one() -> None:
    cut = laser(at=NOON + HOUR, outcome=wire.OUTCOME_PARTIAL)
    change = one(laser(at=NOON), cut)
    assert change.full is not None
    assert change.full[0] == NOON
    assert change.partial == (NOON + HOUR, cut.SerializeToString())


def test_a_clock_that_is_wrong_is_put_right() -> None:
    ahead = timedelta(days=3)
    assert one(laser(at=NOON + ahead), offset=ahead).tried_at == NOON


def test_a_small_offset_is_left_alone() -> None:
    assert one(laser(at=NOON), offset=timedelta(seconds=40)).tried_at == NOON


def test_a_reading_from_the_future_counts_as_now_and_cannot_freeze_the_device() -> None:
    now = NOON + HOUR
    assert one(laser(at=NOON.replace(year=2099)), now=now).tried_at == now


def test_identity_is_what_was_said_last() -> None:
    first = laser(at=NOON, location="cellar")
    second = snapshot(at=NOON + HOUR)
    second.device.location = "attic"
    change = one(first, second)
    assert change.identity["location"] == "attic"
    assert change.identity["serial"] == first.device.serial


def test_what_has_no_device_is_not_folded() -> None:
    checked = check_rows([row(snapshot("", outcome=wire.OUTCOME_NOT_A_PRINTER), 1)])
    assert len(checked.good) == 1
    assert fold(checked.good.values(), None, NOON) == []


def test_texts_fit_the_database() -> None:
    hostile = laser(location="a\0b", model="x" * 4000)
    change = one(hostile)
    assert change.identity["location"] == "ab"
    assert len(change.identity["model"]) == 255

"""What of a reading is worth a row."""

from __future__ import annotations

import pytest

from dca.agent.worth import Worth
from dca.telemetry import Weight
from dca.wire.snapshot_pb2 import (
    OUTCOME_AUTH_FAILED,
    OUTCOME_NO_ANSWER,
    OUTCOME_OK,
    READ_KIND_FULL,
    READ_KIND_STATUS,
    READ_KIND_SUPPLIES,
)


@pytest.fixture
def worth(now):
    return Worth(lambda: now.monotonic)


def test_larger_readings_carry_meters(worth, visit) -> None:
    assert worth.of(visit(kind=READ_KIND_FULL).snapshot, None) == Weight.FULL
    assert worth.of(visit(kind=READ_KIND_SUPPLIES).snapshot, None) == Weight.FULL
    bare = visit(kind=READ_KIND_SUPPLIES).snapshot
    del bare.meters[:]
    assert worth.of(bare, None) == Weight.SUPPLIES


def test_a_status_that_did_not_change_is_worth_least(worth, visit, now) -> None:
    weights = []
    for console in ("Ready", "Ready", "Ready", "Jam", "Jam", "Ready"):
        now.pass_by(300)
        snapshot = visit(kind=READ_KIND_STATUS, console=console, at=now.wall).snapshot
        snapshot.duration_ms, snapshot.requests, snapshot.uptime = int(now.monotonic), 2, int(now.monotonic) * 100
        snapshot.alerts.add(index=1, text="x", raised_at=int(now.monotonic))
        weights.append(worth.of(snapshot, None))
    same, new = Weight.STATUS_UNCHANGED, Weight.STATUS
    assert weights == [new, same, same, new, same, new]


@pytest.mark.parametrize("change", [{"status": "printing"}, {"pages": 101}, {"black": 49}])
def test_every_part_of_a_status_counts(worth, visit, change) -> None:
    worth.of(visit(kind=READ_KIND_STATUS).snapshot, None)
    assert worth.of(visit(kind=READ_KIND_STATUS).snapshot, None) == Weight.STATUS_UNCHANGED
    assert worth.of(visit(kind=READ_KIND_STATUS, **change).snapshot, None) == Weight.STATUS


def test_what_happened_in_between_is_not_forgotten(worth, visit) -> None:
    worth.of(visit(kind=READ_KIND_STATUS).snapshot, None)
    worth.of(visit(kind=READ_KIND_FULL, status="printing").snapshot, None)
    assert worth.of(visit(kind=READ_KIND_STATUS).snapshot, None) == Weight.STATUS
    worth.of(visit(outcome=OUTCOME_NO_ANSWER).snapshot, None)
    assert worth.of(visit(kind=READ_KIND_STATUS).snapshot, None) == Weight.STATUS


def test_a_failure_is_told_at_once_and_then_once_an_hour(worth, visit, known, now) -> None:
    told = []
    for minute in range(0, 24 * 60, 5):
        weight = worth.of(visit(outcome=OUTCOME_NO_ANSWER).snapshot, known())
        if weight is not None:
            told.append((minute, weight))
        now.pass_by(300)
    assert told[0] == (0, Weight.STATUS)
    assert told[1:] == [(60 * hour, Weight.STATUS_UNCHANGED) for hour in range(1, 24)]


def test_another_failure_is_told_at_once(worth, visit, known, now) -> None:
    assert worth.of(visit(outcome=OUTCOME_NO_ANSWER).snapshot, known()) == Weight.STATUS
    now.pass_by(300)
    assert worth.of(visit(outcome=OUTCOME_AUTH_FAILED).snapshot, known()) == Weight.STATUS
    now.pass_by(300)
    assert worth.of(visit(outcome=OUTCOME_OK).snapshot, known()) == Weight.FULL
    now.pass_by(300)
    assert worth.of(visit(outcome=OUTCOME_AUTH_FAILED).snapshot, known()) == Weight.STATUS


def test_after_a_restart_an_old_failure_is_no_news(worth, visit, known) -> None:
    before = known(outcome=OUTCOME_NO_ANSWER)
    assert worth.of(visit(outcome=OUTCOME_NO_ANSWER).snapshot, before) == Weight.STATUS_UNCHANGED
    assert worth.of(visit(outcome=OUTCOME_NO_ANSWER).snapshot, before) is None


def test_a_host_that_is_no_device_has_its_own_memory(worth, visit) -> None:
    for host in ("10.0.0.8", "10.0.0.9"):
        snapshot = visit(outcome=OUTCOME_AUTH_FAILED).snapshot
        snapshot.ClearField("device_id")
        snapshot.host = host
        assert worth.of(snapshot, None) == Weight.STATUS
        assert worth.of(snapshot, None) is None

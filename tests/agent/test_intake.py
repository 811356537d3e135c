"""From visits to rows and devices: chunks, events, failures, and a state file that takes nothing."""

from __future__ import annotations

import asyncio
import logging

import pytest

from dca.agent.intake import CHUNK
from dca.discovery.visit import Visit
from dca.errors import StoreError, StoreFullError
from dca.store import load_devices, load_snapshots
from dca.telemetry import Weight
from dca.wire.report_pb2 import Event
from dca.wire.snapshot_pb2 import (
    OUTCOME_AUTH_FAILED,
    OUTCOME_NO_ANSWER,
    OUTCOME_UNSPECIFIED,
    READ_KIND_STATUS,
    READ_KIND_SUPPLIES,
    Snapshot,
)

NOON = 1_800_000_000.0


async def test_a_chunk_is_one_transaction_of_rows_and_devices(parts, visit, rows) -> None:
    for number in range(1, CHUNK):
        await parts.intake.take(visit(number))
    assert await rows(parts) == []
    await parts.intake.take(visit(CHUNK))
    found = await rows(parts)
    assert len(found) == 2 * CHUNK
    assert sum(weight == Weight.FULL for weight, _ in found) == CHUNK
    assert len(await parts.store.run(load_devices)) == CHUNK


async def test_flush_writes_the_rest(parts, visit, rows) -> None:
    await parts.intake.take(visit())
    await parts.intake.flush()
    (event_weight, payload), (weight, snapshot) = await rows(parts)
    assert (event_weight, weight) == (Weight.EVENT, Weight.FULL)
    assert Event.FromString(payload).name == "device_found"
    assert snapshot == visit().snapshot


async def test_readings_are_kept_when_their_devices_find_no_room(parts, visit, rows, monkeypatch) -> None:
    def broken(*_):
        raise StoreFullError("no room for the device")

    monkeypatch.setattr("dca.agent.intake.save_devices", broken)
    await parts.intake.take(visit())
    await parts.intake.flush()
    assert len(await rows(parts)) == 2
    assert await parts.store.run(load_devices) == []
    monkeypatch.undo()
    await parts.intake.take(visit())
    await parts.intake.flush()
    assert len(await parts.store.run(load_devices)) == 1


async def test_a_state_file_that_takes_nothing_stops_no_reading(parts, visit, monkeypatch, caplog) -> None:
    async def refuse(*_, **__):
        raise StoreError("the outbox is closed")

    monkeypatch.setattr(parts.outbox, "put", refuse)
    await parts.intake.take(visit())
    await parts.intake.flush()
    assert "1 rows" in caplog.text or "2 rows" in caplog.text
    assert len(parts.registry) == 1


async def test_a_device_that_fails_sends_no_old_number(parts, visit, rows) -> None:
    await parts.intake.take(visit())
    await parts.intake.take(visit(outcome=OUTCOME_NO_ANSWER))
    await parts.intake.flush()
    failed = (await rows(parts))[-1][1]
    assert failed.outcome == OUTCOME_NO_ANSWER
    assert failed.reason == "nothing came back"
    assert not failed.meters
    assert not failed.supplies
    assert not failed.HasField("status")
    assert not failed.HasField("device")


async def test_a_device_that_goes_on_failing_fills_nothing(parts, visit, rows, now) -> None:
    await parts.intake.take(visit())
    for _ in range(288):
        now.pass_by(300)
        await parts.intake.take(visit(outcome=OUTCOME_NO_ANSWER))
    await parts.intake.flush()
    failures = [weight for weight, row in await rows(parts) if isinstance(row, Snapshot) and not row.meters]
    assert len(failures) == 24
    assert failures.count(Weight.STATUS) == 1


async def test_status_lines_are_written_once(parts, visit, now, caplog) -> None:
    caplog.set_level(logging.INFO)
    await parts.intake.take(visit())
    for outcome in [OUTCOME_NO_ANSWER] * 20:
        now.pass_by(300)
        await parts.intake.take(visit(outcome=outcome))
    await parts.intake.take(visit())
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0] == "Acme Color 3 found at 10.0.0.1"
    assert lines[1] == "Acme Color 3 at 10.0.0.1 is silent: nothing came back"
    assert lines[2].startswith("Acme Color 3 at 10.0.0.1 answers again (after ")
    assert len(lines) == 3


async def test_serial_numbers_are_hidden_from_then_on(parts, visit) -> None:
    await parts.intake.take(visit(7))
    assert parts.intake._masks.clean("device SN-00000007 moved") == "device SN… moved"


async def test_a_host_that_let_nobody_in_is_told_and_not_remembered(parts, visit, rows) -> None:
    snapshot = visit(outcome=OUTCOME_AUTH_FAILED).snapshot
    snapshot.ClearField("device_id")
    await parts.intake.take(Visit(snapshot, None))
    await parts.intake.flush()
    assert [weight for weight, _ in await rows(parts)] == [Weight.STATUS]
    assert len(parts.registry) == 0


async def test_what_is_known_grows_with_each_kind_of_reading(parts, visit) -> None:
    await parts.intake.take(visit(pages=100, black=50))
    await parts.intake.flush()
    await parts.intake.take(visit(kind=READ_KIND_SUPPLIES, pages=110, black=40))
    await parts.intake.flush()
    await parts.intake.take(visit(kind=READ_KIND_STATUS, pages=111, console="Jam"))
    await parts.intake.flush()
    kept = (await parts.store.run(load_snapshots))[visit().known.device_id]
    whole, last = Snapshot.FromString(kept.full), Snapshot.FromString(kept.last)
    assert (whole.meters[0].value, whole.supplies[0].percent, whole.console) == (110, 40, ["Ready"])
    assert whole.device.serial == "SN-00000001"
    assert len(whole.trays) == 1
    assert (last.kind, last.console) == (READ_KIND_STATUS, ["Jam"])


async def test_a_status_reading_in_the_same_chunk_does_not_take_the_full_one_away(parts, visit) -> None:
    await parts.intake.take(visit(pages=100))
    await parts.intake.take(visit(kind=READ_KIND_STATUS, pages=101, console="Jam", at=NOON + 60))
    await parts.intake.flush()
    kept = (await parts.store.run(load_snapshots))[visit().known.device_id]
    whole, last = Snapshot.FromString(kept.full), Snapshot.FromString(kept.last)
    assert whole == visit(pages=100).snapshot
    assert (last.kind, last.console) == (READ_KIND_STATUS, ["Jam"])


@pytest.mark.parametrize("chunks", [1, 2, 3])
@pytest.mark.parametrize("silent", [False, True])
async def test_a_supplies_reading_brings_no_old_console_back(parts, visit, chunks, silent) -> None:
    taken = [
        visit(console="Ready"),
        visit(kind=READ_KIND_STATUS, console="Jam", at=NOON + 60),
        *([visit(outcome=OUTCOME_NO_ANSWER, at=NOON + 90)] if silent else []),
        visit(kind=READ_KIND_SUPPLIES, pages=120, at=NOON + 120),
    ]
    for number, each in enumerate(taken, 1):
        await parts.intake.take(each)
        if chunks == 3 or (chunks == 2 and number == len(taken) - 1):
            await parts.intake.flush()
    await parts.intake.flush()
    kept = (await parts.store.run(load_snapshots))[visit().known.device_id]
    whole, last = Snapshot.FromString(kept.full), Snapshot.FromString(kept.last)
    assert whole.console == ["Jam"]
    assert (whole.meters[0].value, whole.device.serial, len(whole.trays)) == (120, "SN-00000001", 1)
    assert last == taken[-1].snapshot, "the last reading is kept as it was"


async def test_a_device_that_another_took_the_place_of_is_left(parts, visit, known) -> None:
    await parts.intake.take(visit(1))
    other = visit(2)
    other.known.address = "10.0.0.1"
    await parts.intake.take(other)
    await parts.intake.flush()
    saved = {device.device_id: device for device in await parts.store.run(load_devices)}
    gone = saved[known(1).device_id]
    assert gone.silent_since
    assert gone.outcome == OUTCOME_UNSPECIFIED
    assert "another device answers at 10.0.0.1" in gone.reason
    assert not saved[known(2).device_id].silent_since


async def test_a_cancelled_flush_is_finished_by_close(parts, visit, rows) -> None:
    await parts.intake.take(visit(1))
    flushing = asyncio.create_task(parts.intake.flush())
    await asyncio.sleep(0)
    flushing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await flushing
    await parts.intake.take(visit(2))
    await parts.intake.close()
    assert len(await rows(parts)) == 4

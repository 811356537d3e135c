"""What is read of a state directory, by another process than the agent's."""

from __future__ import annotations

import json
import os

import pytest

from dca.errors import StoreError
from dca.model import Known
from dca.service.notes import Notes, Trouble, load_notes, save_notes
from dca.service.picture import is_read, merge, parse
from dca.service.status import read_status
from dca.store import Store, save_devices, save_snapshot, set_meta
from dca.telemetry import NewRow, Outbox, Weight
from dca.wire.report_pb2 import ROW_KIND_SNAPSHOT
from dca.wire.snapshot_pb2 import (
    OUTCOME_NO_ANSWER,
    OUTCOME_OK,
    READ_KIND_FULL,
    READ_KIND_STATUS,
    READ_KIND_SUPPLIES,
    Snapshot,
)

NOON = 1_800_000_000.0


def known(number: int, **fields) -> Known:
    return Known(
        device_id=f"{number:016x}", address=f"10.0.0.{number}", port=161, range="Office", credential="office",
        version="2c", manufacturer="Acme", model="Color 3", serial=f"SN{number}", **fields,
    )  # fmt: skip


def reading(number: int, kind: int = READ_KIND_FULL, at: int = 0, **fields) -> Snapshot:
    snapshot = Snapshot(host=f"10.0.0.{number}", outcome=OUTCOME_OK, kind=kind, **fields)
    snapshot.read_at.FromSeconds(int(NOON) + at)
    return snapshot


def full(number: int = 1) -> Snapshot:
    snapshot = reading(number, status="idle", console=["Ready"])
    snapshot.device.serial = f"SN{number}"
    snapshot.meters.add(name="total", value=100)
    snapshot.meters.add(name="copy", value=40)
    snapshot.supplies.add(index=1, color="black", percent=50, source="1.1")
    snapshot.supplies.add(index=2, color="cyan", percent=60, source="1.2")
    snapshot.trays.add(index=1)
    return snapshot


@pytest.fixture
async def state(tmp_path):
    """Return a state directory with an answering and a silent device, three rows and the agent's notes."""
    store = await Store.open(tmp_path / "state", clock=lambda: NOON)
    outbox = await Outbox.open(store, clock=lambda: NOON)
    await outbox.put([NewRow(ROW_KIND_SNAPSHOT, full().SerializeToString(), Weight.FULL)] * 3)
    batch = await outbox.take()
    await outbox.acknowledge([batch.rows[0].name])

    def fill(connection) -> None:
        silent = known(2, silent_since=NOON - 600, outcome=OUTCOME_NO_ANSWER, reason="nothing came back")
        save_devices(connection, [known(1, last_read=NOON, outcome=OUTCOME_OK), silent])
        save_snapshot(connection, known(1).device_id, full().SerializeToString(), full=True)
        later = reading(1, READ_KIND_STATUS, 60, status="printing")
        later.meters.add(name="total", value=101)
        save_snapshot(connection, known(1).device_id, later.SerializeToString(), full=False)
        save_notes(connection, Notes("0.1.0", NOON - 3600, NOON - 60, NOON - 30, "", 0.0, {"status": NOON + 300}))

    await store.run(fill)
    yield tmp_path / "state", outbox.agent_id
    await outbox.close()
    await store.close()


async def test_while_the_agent_runs(state) -> None:
    directory, agent_id = state
    found = read_status(directory, now=NOON + 10)
    assert found.pid == os.getpid()
    assert found.agent_id == agent_id
    assert (found.figures.depth, found.figures.rows_written, found.figures.rows_acknowledged) == (2, 3, 1)
    assert found.figures.oldest_age == 10
    assert found.notes.next_runs == {"status": NOON + 300}
    answering, silent = found.devices
    assert answering.answers
    assert answering.picture.status == "printing"
    assert [(meter.name, meter.value) for meter in answering.picture.meters] == [("total", 101), ("copy", 40)]
    assert len(answering.picture.supplies) == 2
    assert not silent.answers
    assert silent.known.silent_since == NOON - 600
    assert silent.known.reason == "nothing came back"
    assert silent.last is None
    assert silent.picture == Snapshot()


async def test_after_the_agent_has_ended(tmp_path) -> None:
    store = await Store.open(tmp_path / "state")
    await Outbox.open(store)
    await store.close()
    found = read_status(tmp_path / "state")
    assert found.pid is None
    assert found.devices == ()
    assert found.notes == Notes()


def test_where_no_agent_ever_ran(tmp_path) -> None:
    with pytest.raises(StoreError, match="no agent has run with this state directory"):
        read_status(tmp_path / "nowhere")


async def test_looking_takes_nothing_from_the_agent(state, tmp_path) -> None:
    directory, _ = state
    before = sorted(path.name for path in directory.iterdir())
    for _ in range(20):
        read_status(directory)
    assert sorted(path.name for path in directory.iterdir()) == before
    with pytest.raises(StoreError, match="in use"):
        await Store.open(directory)


async def test_a_pid_that_is_not_ours_any_more(tmp_path) -> None:
    store = await Store.open(tmp_path / "state")
    await Outbox.open(store)
    await store.close()
    for text in ("", "x", "0", "99999999999999999999", str(os.getpid())):
        (tmp_path / "state" / "state.lock").write_text(text)
        assert read_status(tmp_path / "state").pid is None


def test_another_user_is_told_whom_to_ask(tmp_path, monkeypatch) -> None:
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("dca.store.files.os.open", refuse)
    with pytest.raises(StoreError, match="Permission denied; ask as the user that the agent runs as"):
        read_status(tmp_path / "state")


async def test_a_snapshot_that_the_disk_has_spoilt_is_none(tmp_path) -> None:
    store = await Store.open(tmp_path / "state")
    await Outbox.open(store)

    def fill(connection) -> None:
        save_devices(connection, [known(1)])
        save_snapshot(connection, known(1).device_id, b"\xff\xff\xff", full=True)

    await store.run(fill)
    await store.close()
    (device,) = read_status(tmp_path / "state").devices
    assert device.last is None
    assert device.picture == Snapshot()


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "3", "{", '{"next_runs": []}', '{"next_runs": {"a": "b"}, "started_at": "x", "version": 3}',
        '{"started_at": null}', '{"names": [3, {}, {"since": "x"}], "closed": 3, "others": true}',
    ],
)  # fmt: skip
async def test_notes_of_another_version_are_no_trouble(tmp_path, text) -> None:
    store = await Store.open(tmp_path / "state")
    await store.run(lambda connection: set_meta(connection, "agent.notes", text))
    assert await store.run(load_notes) == Notes()
    await store.close()


async def test_notes_come_back_as_they_were(tmp_path) -> None:
    stranger, name = Trouble("10.0.0.9", "Office", "no", 6.0), Trouble("server.example", "", "unknown", 7.0)
    notes = Notes(
        "1.2.3", 1.0, 2, 3.5, "the hub is away", 4.0, {"status": 5.0},
        closed=True, others=3, refused=60, let_nobody_in=[stranger], names=[name],
    )  # fmt: skip
    store = await Store.open(tmp_path / "state")
    await store.run(lambda connection: save_notes(connection, notes))
    assert await store.run(load_notes) == notes
    await store.close()
    assert json.loads(json.dumps(notes.next_runs)) == {"status": 5.0}


async def test_what_no_reading_tells_comes_from_what_is_remembered(tmp_path) -> None:
    store = await Store.open(tmp_path / "state")
    await Outbox.open(store)

    def fill(connection) -> None:
        save_devices(connection, [known(1)])
        last = reading(1, READ_KIND_STATUS, status="idle")
        save_snapshot(connection, known(1).device_id, last.SerializeToString(), full=False)

    await store.run(fill)
    await store.close()
    (device,) = read_status(tmp_path / "state").devices
    told = device.picture.device
    assert (told.manufacturer, told.model, told.serial) == ("Acme", "Color 3", "SN1")
    assert not device.last.HasField("device")


def test_a_smaller_reading_replaces_what_it_read() -> None:
    now = reading(1, READ_KIND_SUPPLIES, 60, status="printing", errors=["low_toner"])
    now.supplies.add(index=2, color="cyan", percent=20, source="1.2")
    now.meters.add(name="total", value=120)
    merged = merge(full(), now)
    assert [(supply.color, supply.percent) for supply in merged.supplies] == [("black", 50), ("cyan", 20)]
    assert [(meter.name, meter.value) for meter in merged.meters] == [("total", 120), ("copy", 40)]
    assert (merged.status, list(merged.errors), list(merged.console)) == ("printing", ["low_toner"], ["Ready"])
    assert merged.device.serial == "SN1"
    assert merged.kind == READ_KIND_FULL
    assert merged.read_at == now.read_at


def test_a_status_reading_clears_what_is_over() -> None:
    before = full()
    before.alerts.add(index=1, text="Jam")
    merged = merge(before, reading(1, READ_KIND_STATUS, 60, status="idle"))
    assert not merged.alerts
    assert not merged.console
    assert len(merged.trays) == 1


def test_parse() -> None:
    assert parse(None) is None
    assert parse(b"\xff") is None
    assert parse(full().SerializeToString()) == full()
    assert is_read(full())
    assert not is_read(Snapshot(outcome=OUTCOME_NO_ANSWER))

from __future__ import annotations

from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dca.hub.ingest.rows import MAX_PAYLOAD, check_rows
from dca.wire.report_pb2 import Event, Row
from tests.hub.office import EPOCH, laser, row, snapshot


def refused(*rows: Row) -> str:
    checked = check_rows(rows)
    assert not checked.good
    return checked.refused[0][1]


def test_good_rows_are_kept_byte_by_byte() -> None:
    reading, event = laser(), Event(name="device_moved", text="it moved")
    checked = check_rows([row(reading, 1), row(event, 2)])
    assert not checked.refused
    assert [good.payload for good in checked.good.values()] == [
        reading.SerializeToString(),
        event.SerializeToString(),
    ]
    first = checked.good[EPOCH, 1]
    assert (first.device_id, first.read_at) == (reading.device_id, reading.read_at.ToDatetime(first.read_at.tzinfo))


def test_a_damaged_row_is_refused_and_the_others_stay() -> None:
    damaged = row(laser(), 1)
    damaged.payload = damaged.payload[:-1] + bytes([damaged.payload[-1] ^ 1])
    checked = check_rows([damaged, row(laser(), 2)])
    assert list(checked.good) == [(EPOCH, 2)]
    assert checked.refused[0][0] == (EPOCH, 1)
    assert "CRC-32" in checked.refused[0][1]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"epoch": b"short"}, "epoch has 5 bytes"),
        ({"number": 0}, "no row number"),
        ({"number": 2**63}, "no row number"),
        ({"kind": 0}, "no kind of row"),
        ({"kind": 77}, "upgrade the hub"),
        ({"payload": b"\xff", "crc32": crc32(b"\xff")}, "cannot be decoded"),
        ({"payload": bytes(MAX_PAYLOAD + 1)}, "a row may have"),
    ],
)
def test_what_cannot_be_stored_is_refused_with_its_reason(change: dict[str, object], reason: str) -> None:
    bad = row(laser(), 1)
    for name, value in change.items():
        setattr(bad, name, value)
    assert reason in refused(bad)


def test_a_snapshot_needs_a_date() -> None:
    undated, broken = snapshot(), snapshot()
    undated.ClearField("read_at")
    broken.read_at.seconds = 2**62
    assert "read_at" in refused(row(undated, 1))
    assert "read_at" in refused(row(broken, 1))


@pytest.mark.parametrize("device_id", ["../x", "a b", "x" * 65, "<b>", "é"])
def test_a_device_id_is_no_free_text(device_id: str) -> None:
    assert "device_id" in refused(row(snapshot(device_id), 1))


def test_a_row_that_came_twice_in_one_report_is_one() -> None:
    checked = check_rows([row(laser(), 1), row(laser(), 1)])
    assert len(checked.good) == 1
    assert not checked.refused


def test_one_name_for_two_contents_in_one_report_is_refused() -> None:
    assert "twice in one report" in refused(row(laser(total=1), 1), row(laser(total=2), 1))


@given(st.lists(st.tuples(st.binary(max_size=20), st.integers(0, 2**64 - 1), st.integers(0, 3), st.binary())))
def test_whatever_comes_each_row_is_either_good_or_refused(rows: list[tuple[bytes, int, int, bytes]]) -> None:
    made = [Row(epoch=epoch, number=number, kind=kind, payload=p, crc32=crc32(p)) for epoch, number, kind, p in rows]
    checked = check_rows(made)
    names = {(found.epoch, found.number) for found in made}
    assert {*checked.good, *(name for name, _ in checked.refused)} == names

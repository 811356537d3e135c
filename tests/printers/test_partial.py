"""A reading that fails half-way keeps what it has and names what is missing."""

from __future__ import annotations

import pytest

from dca.errors import AuthFailedError, NoAnswerError
from dca.snmp.oids import oid
from dca.snmp.types import ErrorStatus, Pdu, Reply
from dca.wire.snapshot_pb2 import OUTCOME_OK, OUTCOME_PARTIAL

ALERTS = oid("1.3.6.1.2.1.43.18")
SUPPLIES = oid("1.3.6.1.2.1.43.11")
TRAYS = oid("1.3.6.1.2.1.43.8")


def asks(prefix):
    return lambda request: any(name.startswith(prefix) for name in request.oids)


def test_silence_from_the_first_request_on_is_an_error(lab, silence):
    device = lab.recorded("hp")
    device.fault = lambda *_: silence
    with pytest.raises(NoAnswerError):
        lab.read(device)


@pytest.mark.parametrize("prefix", [ALERTS, SUPPLIES, TRAYS])
def test_a_table_that_stays_unanswered_is_named_and_the_rest_is_kept(lab, silence, prefix):
    whole = lab.snapshot(lab.recorded("hp"))
    device = lab.recorded("hp")
    device.fault = lambda _, request: silence if asks(prefix)(request) else None
    snapshot = lab.snapshot(device)
    assert snapshot.outcome == OUTCOME_PARTIAL
    part = {ALERTS: "alerts", SUPPLIES: "supplies", TRAYS: "trays"}[prefix]
    assert part in snapshot.missing
    assert part in snapshot.reason
    assert "no answer" in snapshot.reason
    assert snapshot.device == whole.device or prefix == TRAYS
    for name in {"alerts", "supplies", "trays"} - {part}:
        assert getattr(snapshot, name) == getattr(whole, name)


def test_rows_that_came_before_the_silence_are_kept(lab, silence):
    rows = [f"43.11.1.1.9.1.{n}|2|{n}" for n in range(1, 40)]
    device = lab.device(*rows)
    seen = []

    def fault(_, request):
        if asks(SUPPLIES)(request):
            seen.append(request)
        return silence if len(seen) > 1 and asks(SUPPLIES)(request) else None

    device.fault = fault
    snapshot = lab.snapshot(device)
    assert snapshot.outcome == OUTCOME_PARTIAL
    assert list(snapshot.missing) == ["supplies"]
    assert [supply.level for supply in snapshot.supplies] == list(range(1, len(snapshot.supplies) + 1))
    assert 0 < len(snapshot.supplies) < 39


def test_a_device_that_falls_silent_is_not_asked_on_and_on(lab, silence):
    device = lab.recorded("hp")
    device.fault = lambda number, _: silence if number > 2 else None
    snapshot = lab.snapshot(device)
    assert snapshot.outcome == OUTCOME_PARTIAL
    assert len(device.asked) <= 6
    assert {"supplies", "meters", "alerts", "covers", "console", "trays", "interfaces"} <= set(snapshot.missing)
    assert snapshot.device.model == "Color LaserJet MFP X100"


def test_a_walk_that_ends_with_gen_err_is_partial_or_goes_on_by_getnext(lab):
    device = lab.recorded("hp")

    def fault(_, request):
        return Reply([], ErrorStatus.GEN_ERR, 0) if request.pdu == Pdu.GETBULK else None

    device.fault = fault
    snapshot = lab.snapshot(device)
    assert snapshot.outcome == OUTCOME_OK
    assert len(snapshot.supplies) == 4


def test_an_error_for_one_table_only(lab):
    device = lab.recorded("hp")
    device.fault = lambda _, request: AuthFailedError("no view", "no_view") if asks(ALERTS)(request) else None
    snapshot = lab.snapshot(device)
    assert snapshot.outcome == OUTCOME_PARTIAL
    assert "alerts" in snapshot.missing
    assert len(snapshot.supplies) == 4
    assert snapshot.trays


def test_vendor_objects_that_stay_unanswered(lab, silence):
    device = lab.recorded("hp")
    device.fault = lambda number, _: silence if number == 2 else None
    snapshot = lab.snapshot(device)
    assert list(snapshot.missing) == ["vendor"]
    assert [(meter.name, meter.value) for meter in snapshot.meters] == [("total", 4200)]


def test_a_device_that_takes_no_bulk_is_read_by_getnext(lab, silence):
    device = lab.recorded("kyocera")
    device.fault = lambda _, request: silence if request.pdu == Pdu.GETBULK else None
    assert lab.snapshot(device) == lab.snapshot(lab.recorded("kyocera"))


def test_an_agent_that_cuts_bulk_answers_short(lab):
    device = lab.recorded("epson")
    answer = device._answer

    def fault(_, request):
        reply = answer(request)
        if request.pdu == Pdu.GETBULK:
            return Reply(reply.varbinds[: max(len(request.oids), len(reply.varbinds) // 2)])
        return None

    device.fault = fault
    assert lab.snapshot(device) == lab.snapshot(lab.recorded("epson"))

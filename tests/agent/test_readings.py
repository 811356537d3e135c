"""Discovery and rounds over faked visits: who is read, who is left alone, and what a cancelled round keeps."""

from __future__ import annotations

import asyncio
import logging

import pytest

from dca.agent.readings import Readings
from dca.discovery.ranges import Ranges
from dca.discovery.visit import Visit
from dca.model import Credential, Range, Secret
from dca.service.notes import MOST_TROUBLES
from dca.wire.snapshot_pb2 import (
    OUTCOME_AUTH_FAILED,
    OUTCOME_NO_ANSWER,
    OUTCOME_REFUSED,
    READ_KIND_FULL,
    READ_KIND_STATUS,
    READ_KIND_SUPPLIES,
)

OFFICE = Range("Office", ("10.0.0.0/24",), credentials=(Credential("office", community=Secret("x")),))


class Network:
    """Stands for visits; each waits for `gate`, and how many ran at once is counted."""

    def __init__(self, monkeypatch, made) -> None:
        self.made = made
        self.asked: list[tuple[str, int]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.reached = asyncio.Event()
        self.running = self.most = 0
        monkeypatch.setattr("dca.agent.readings.visit", self.visit)

    async def visit(self, _client, address, _port, _credentials, *, known, kind, **_) -> Visit:
        self.asked.append((address, kind))
        self.running += 1
        self.most = max(self.most, self.running)
        self.reached.set()
        try:
            await self.gate.wait()
        finally:
            self.running -= 1
        return self.made(int(known.device_id, 16), kind)


@pytest.fixture
def network(monkeypatch, visit):
    return Network(monkeypatch, visit)


@pytest.fixture
def readings(parts):
    return Readings(
        None, Ranges([OFFICE]), parts.profiles, parts.registry, parts.intake, resolver=parts.resolver, in_flight=4
    )


def know(parts, *devices) -> None:
    for device in devices:
        parts.registry.record(device)


async def test_a_round_reads_every_known_device_a_few_at_a_time(parts, readings, network, known, rows) -> None:
    know(parts, *(known(number) for number in range(1, 31)))
    await readings.round(READ_KIND_STATUS)
    assert sorted(network.asked) == sorted((f"10.0.0.{number}", READ_KIND_STATUS) for number in range(1, 31))
    assert network.most <= 4
    assert len(await rows(parts)) == 30


async def test_an_empty_registry_is_no_work(readings, network) -> None:
    await readings.round(READ_KIND_STATUS)
    assert network.asked == []


async def test_what_no_range_holds_is_not_contacted(parts, readings, network, known) -> None:
    know(parts, known(1), known(2, address="10.0.1.2"), known(3, port=1161))
    await readings.round(READ_KIND_FULL)
    assert network.asked == [("10.0.0.1", READ_KIND_FULL)]


async def test_a_wrong_credential_is_not_tried_every_five_minutes(parts, readings, network, known) -> None:
    know(parts, known(1, outcome=OUTCOME_AUTH_FAILED, silent_since=1.0))
    await readings.round(READ_KIND_STATUS)
    await readings.round(READ_KIND_SUPPLIES)
    assert network.asked == []
    await readings.round(READ_KIND_FULL)
    assert network.asked == [("10.0.0.1", READ_KIND_FULL)]


async def test_an_address_that_another_device_took_is_read_once(parts, readings, network, known) -> None:
    know(parts, known(1), known(2, address="10.0.0.1"))
    await readings.round(READ_KIND_STATUS)
    assert network.asked == [("10.0.0.1", READ_KIND_STATUS)]


async def test_two_rounds_do_not_read_a_device_at_the_same_time(parts, readings, network, known) -> None:
    know(parts, known(1))
    network.gate.clear()
    full = asyncio.create_task(readings.round(READ_KIND_FULL))
    await network.reached.wait()
    await readings.round(READ_KIND_STATUS)
    network.gate.set()
    await full
    assert network.asked == [("10.0.0.1", READ_KIND_FULL)]
    await readings.round(READ_KIND_STATUS)
    assert len(network.asked) == 2


@pytest.mark.parametrize(
    "kinds",
    [
        (READ_KIND_STATUS, READ_KIND_SUPPLIES),
        (READ_KIND_STATUS, READ_KIND_FULL),
        (READ_KIND_SUPPLIES, READ_KIND_FULL),
    ],
)
async def test_a_larger_round_waits_for_a_device_that_a_smaller_one_reads(
    parts, readings, network, known, kinds
) -> None:
    first, second = kinds
    know(parts, known(1), known(2))
    network.gate.clear()
    smaller = asyncio.create_task(readings.round(first))
    await network.reached.wait()
    larger = asyncio.create_task(readings.round(second))
    for _ in range(5):
        await asyncio.sleep(0)
    assert [kind for _, kind in network.asked] == [first, first], "one visit at a time"
    network.gate.set()
    await asyncio.gather(smaller, larger)
    assert sorted(network.asked[2:]) == [("10.0.0.1", second), ("10.0.0.2", second)]


async def test_a_round_goes_on_when_the_one_it_waits_for_is_cancelled(parts, readings, network, known) -> None:
    know(parts, known(1))
    network.gate.clear()
    smaller = asyncio.create_task(readings.round(READ_KIND_STATUS))
    await network.reached.wait()
    larger = asyncio.create_task(readings.round(READ_KIND_FULL))
    await asyncio.sleep(0)
    smaller.cancel()
    await asyncio.gather(smaller, return_exceptions=True)
    network.gate.set()
    await larger
    assert network.asked[-1] == ("10.0.0.1", READ_KIND_FULL)


async def test_a_cancelled_round_keeps_what_it_read(parts, readings, network, known, rows) -> None:
    know(parts, known(1), known(2))
    network.gate.clear()
    first = asyncio.create_task(readings.round(READ_KIND_FULL))
    await network.reached.wait()
    await parts.intake.take(network.made(3))
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert len(await rows(parts)) == 2
    assert readings.sign_of_life() is None
    network.gate.set()
    await readings.round(READ_KIND_FULL)
    assert len(network.asked) == 2 + 3


async def test_life_shows_while_something_is_read(parts, readings, network, known) -> None:
    assert readings.sign_of_life() is None
    know(parts, known(1))
    network.gate.clear()
    running = asyncio.create_task(readings.round(READ_KIND_FULL))
    await network.reached.wait()
    before = readings.sign_of_life()
    assert before is not None
    assert readings.sign_of_life() == before
    network.gate.set()
    await running
    assert readings.sign_of_life() is None


async def test_discovery_takes_all_that_is_found(parts, readings, visit, monkeypatch, caplog) -> None:
    caplog.set_level(logging.INFO)

    async def found(_client, ranges, _profiles, *, known_at, progress, **_):
        assert ranges.count == 254
        assert known_at == parts.registry.at
        for number in (1, 2):
            progress.done += 1
            progress.printers += 1
            yield visit(number)

    monkeypatch.setattr("dca.agent.readings.discover", found)
    await readings.discover()
    await readings.discover()
    assert len(parts.registry) == 2
    assert caplog.text.count("discovery of 254 addresses") == 1


async def test_hosts_that_let_nobody_in_are_listed_and_bounded(parts, readings, visit, monkeypatch) -> None:
    async def found(*_, **__):
        yield visit(1, outcome=OUTCOME_AUTH_FAILED)  # a known device is told of as such
        for number in range(2, 200):
            snapshot = visit(number, outcome=OUTCOME_REFUSED).snapshot
            snapshot.range, snapshot.reason = "Office", "accepts no credential"
            yield Visit(snapshot, None)

    monkeypatch.setattr("dca.agent.readings.discover", found)
    await readings.discover()
    assert readings.refused == 198
    assert len(readings.let_nobody_in) == MOST_TROUBLES
    first = readings.let_nobody_in[0]
    assert (first.what, first.range, first.reason) == ("10.0.0.2", "Office", "accepts no credential")


async def test_names_that_do_not_resolve_are_listed(parts) -> None:
    ranges = Ranges(
        [Range("Names", ("printer.example", "10.0.0.1"), ("server.example",), credentials=OFFICE.credentials)]
    )
    readings = Readings(
        None, ranges, parts.profiles, parts.registry, parts.intake, resolver=parts.resolver, in_flight=4
    )
    await readings.resolve()
    assert {(name.what, name.range) for name in readings.unresolved} == {
        ("printer.example", "Names"),
        ("server.example", ""),
    }
    assert all("no such name" in name.reason for name in readings.unresolved)


async def test_names_that_do_not_resolve_are_said_once(parts, caplog) -> None:
    ranges = Ranges([Range("Names", ("printer.example",), credentials=OFFICE.credentials)])
    readings = Readings(
        None, ranges, parts.profiles, parts.registry, parts.intake, resolver=parts.resolver, in_flight=4
    )
    for _ in range(5):
        await readings.resolve()
    assert caplog.text.count("printer.example") == 1


async def test_devices_outside_the_ranges_are_marked_with_the_reason(parts, readings, known) -> None:
    know(parts, known(1), known(2, address="10.0.1.2"), known(3, address="10.0.1.3", silent_since=5.0))
    await readings.leave_outsiders()
    assert [device.silent_since > 0 for device in parts.registry] == [False, True, True]
    assert "no enabled range" in parts.registry.get(known(2).device_id).reason
    assert parts.registry.get(known(3).device_id).reason == ""


async def test_a_range_that_is_gone_is_one_line(parts, readings, known, caplog) -> None:
    caplog.set_level(logging.INFO)
    know(parts, *(known(number, address=f"10.0.1.{number}") for number in range(1, 31)))
    await readings.leave_outsiders()
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("30 devices are left alone")
    assert "10.0.1.1," in line
    assert len(line) < 200


async def test_a_failed_visit_is_no_end_of_the_round(parts, readings, network, known, visit) -> None:
    know(parts, *(known(number) for number in range(1, 6)))
    network.made = lambda number, kind: visit(number, kind, OUTCOME_NO_ANSWER if number == 2 else 1)
    await readings.round(READ_KIND_STATUS)
    assert len(network.asked) == 5
    assert parts.registry.answering() == 4

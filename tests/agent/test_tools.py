"""What tasks may use of the agent: only devices within the ranges, only settings that the policy leaves to the hub."""

from __future__ import annotations

import dataclasses
import json
import logging

import pytest

from dca.agent.readings import Readings
from dca.agent.tools import AgentTools
from dca.config import load
from dca.config.remote import remote_file
from dca.discovery.ranges import Ranges
from dca.errors import TaskError
from dca.model import Credential, Range, Secret
from dca.service.logs import Recent
from dca.service.masks import Masks
from dca.tasks.policy import Policy
from dca.wire.snapshot_pb2 import READ_KIND_STATUS

OFFICE = Range("Office", ("10.0.0.0/24",), credentials=(Credential("office", community=Secret("x")),))
FILE = """
[agent]
state_dir = "state"
[policy]
allow = ["apply_config"]
config_keys = ["limits.retries", "schedule"]
"""


class Made:
    """The tools, and what is around them."""

    def __init__(self, parts, monkeypatch, visit) -> None:
        self.parts = parts
        self.visited: list[str] = []
        self.path = parts.store.directory.parent / "dca.toml"
        self.path.write_text(FILE)
        self.ranges = Ranges([OFFICE])
        self._visit = visit
        monkeypatch.setattr("dca.agent.readings.visit", self._read)

    async def _read(self, _client, address, *_, known, kind, **__):
        self.visited.append(address)
        return self._visit(int(known.device_id, 16), kind)

    async def search(self) -> None:
        """Find two devices, one of them new, and two hosts that are none."""
        for number in (1, 2):
            self.parts.registry.record(self._visit(number).known)
        progress = self.readings.progress
        progress.total, progress.printers, progress.refused, progress.others = 256, 2, 1, 1

    def tools(self, closed: str = "") -> AgentTools:
        parts, config = self.parts, load(self.path)
        self.readings = Readings(
            None, self.ranges, parts.profiles, parts.registry, parts.intake, resolver=parts.resolver, in_flight=4
        )
        policy = Policy(config, closed=closed, ranges=self.ranges)
        return AgentTools(
            None, self.ranges, parts.registry, parts.profiles, parts.clock.wall, self.readings, config, policy,
            self.search,
        )  # fmt: skip


@pytest.fixture
def made(parts, monkeypatch, visit):
    return Made(parts, monkeypatch, visit)


def test_a_known_device_is_spoken_to_as_it_was_read(made, known) -> None:
    device = known(1, quirks={"max_repetitions": 7, "no_bulk": True})
    peer, place = made.tools().peer(device)
    assert (peer.address, peer.port, peer.credential, peer.version) == ("10.0.0.1", 161, OFFICE.credentials[0], "2c")
    assert (peer.max_repetitions, peer.no_bulk) == (7, True)
    assert place.label == "Office"


@pytest.mark.parametrize("elsewhere", [{"address": "10.0.1.1"}, {"port": 162}])
async def test_a_device_outside_the_ranges_is_not_contacted(made, known, elsewhere) -> None:
    device = known(1, **elsewhere)
    made.parts.registry.record(device)
    with pytest.raises(TaskError, match="no enabled range holds") as caught:
        made.tools().peer(device)
    assert caught.value.code == "no_device"
    with pytest.raises(TaskError, match="no enabled range holds") as caught:
        await made.tools().read(device, READ_KIND_STATUS)
    assert caught.value.code == "no_device"
    assert made.visited == []


@pytest.mark.parametrize("lost", [{"credential": "warehouse"}, {"credential": "office", "version": "3"}])
def test_a_credential_that_the_range_has_no_more_is_not_used(made, known, lost) -> None:
    ranges = dataclasses.replace(OFFICE, credentials=(Credential("office", "2c", community=Secret("x")),))
    made.ranges = Ranges([ranges])
    with pytest.raises(TaskError, match="read the device first") as caught:
        made.tools().peer(known(1, **lost))
    assert caught.value.code == "no_device"


async def test_a_reading_of_one_device_is_delivered_like_every_other(made, known, rows) -> None:
    made.parts.registry.record(known(1))
    snapshot = await made.tools().read(known(1), READ_KIND_STATUS)
    assert made.visited == ["10.0.0.1"]
    (_, first), *_ = await rows(made.parts)
    assert first == snapshot


async def test_a_search_says_in_figures_what_it_found(made, known) -> None:
    made.parts.registry.record(known(1))
    found = await made.tools().discover()
    assert found == {"addresses": 256, "printers": 2, "new": 1, "refused": 1, "others": 1}


def test_the_last_lines_of_the_log_and_none_before_there_is_one(made) -> None:
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, Recent)]:
        root.removeHandler(handler)
    assert made.tools().log_lines(10) == []
    kept = Recent(Masks())
    root.addHandler(kept)
    try:
        logging.getLogger("dca.x").error("one")
        logging.getLogger("dca.x").error("two")
        (line,) = made.tools().log_lines(1)
        assert line.endswith("two")
    finally:
        root.removeHandler(kept)


async def test_a_setting_that_is_left_to_the_hub_is_kept(made) -> None:
    found = await made.tools().apply_config({"limits.retries": 3, "schedule.status": "2m"})
    assert found == {"limits.retries": 3, "schedule.status": "2m"}
    assert json.loads(remote_file(load(made.path)).read_text()) == found


@pytest.mark.parametrize("key", ["limits.timeout", "policy.allow", "hub.address", "schedule", "nonsense", "x" * 500])
async def test_a_setting_that_is_not_left_to_the_hub_is_denied_with_all_that_came_with_it(made, key) -> None:
    with pytest.raises(TaskError, match="policy does not leave") as caught:
        await made.tools().apply_config({"limits.retries": 3, key: 1})
    assert caught.value.code == "denied"
    assert len(str(caught.value)) < 200
    assert not remote_file(load(made.path)).exists()


async def test_a_closed_policy_leaves_nothing_to_the_hub(made) -> None:
    with pytest.raises(TaskError) as caught:
        await made.tools("the file cannot be read").apply_config({"limits.retries": 3})
    assert caught.value.code == "denied"


@pytest.mark.parametrize("value", [99, "three", [3], {"a": 1}, 1.5, True])
async def test_a_value_that_cannot_be_used_is_told_by_its_key(made, value) -> None:
    with pytest.raises(TaskError, match=r"limits\.retries") as caught:
        await made.tools().apply_config({"limits.retries": value})
    assert caught.value.code == "bad_parameters"
    assert not remote_file(load(made.path)).exists()


async def test_a_disk_that_takes_nothing_is_told(made, monkeypatch) -> None:
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dca.config.remote.write_whole", full)
    with pytest.raises(TaskError, match="cannot be written: No space left") as caught:
        await made.tools().apply_config({"limits.retries": 3})
    assert caught.value.code == "failed"

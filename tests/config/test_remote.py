"""What the hub has set: in force only as far as the customer's file says now, and never in that file."""

from __future__ import annotations

import contextlib
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from dca.config import change_remote, load, load_with_remote
from dca.config.remote import remote_file
from dca.errors import ConfigError

FILE = """
[agent]
state_dir = "state"
[schedule]
status = "10m"
[limits]
retries = 1
[policy]
allow = ["apply_config"]
config_keys = [{keys}]
"""


class Place:
    """A customer's file and what the hub has set beside the state."""

    def __init__(self, folder) -> None:
        self.path = folder / "dca.toml"
        (folder / "state").mkdir()
        self.leaves("schedule.status", "limits.retries")

    def leaves(self, *keys: str) -> None:
        """Write the file anew: these keys are left to the hub."""
        self.path.write_text(FILE.format(keys=", ".join(map(json.dumps, keys))))

    def change(self, **changes) -> dict:
        """Keep settings as the task does; a double underscore stands for the dot."""
        return change_remote(self.loaded(), {key.replace("__", "."): value for key, value in changes.items()})

    def loaded(self):
        return load_with_remote(self.path)

    @property
    def in_force(self) -> tuple[float, int]:
        config = self.loaded()
        return config.schedule.status, config.limits.retries

    @property
    def kept(self):
        return remote_file(load(self.path))


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_before_the_hub_has_set_anything_the_file_holds(place):
    assert place.in_force == (600.0, 1)
    assert place.loaded() == load(place.path)


def test_what_is_set_holds_and_the_customers_file_is_never_written(place):
    before = place.path.read_bytes()
    assert place.change(schedule__status="2m") == {"schedule.status": "2m"}
    assert place.change(limits__retries=3) == {"schedule.status": "2m", "limits.retries": 3}
    assert place.in_force == (120.0, 3)
    assert place.path.read_bytes() == before


def test_what_the_customer_takes_back_is_back_at_once_and_comes_again_when_it_is_left_again(place):
    place.change(schedule__status="2m", limits__retries=3)
    place.leaves("limits.retries")
    assert place.in_force == (600.0, 3)
    place.leaves()
    assert place.in_force == (600.0, 1)
    place.leaves("schedule")
    assert place.in_force == (120.0, 1), "a table stands for its keys"


def test_changes_at_the_same_time_lose_none(place, monkeypatch):
    config = place.loaded()
    both = threading.Barrier(2)  # who looks at the settings waits for the other one to look as well

    def load_together(*given, **more):
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(0.2)
        return load(*given, **more)

    with monkeypatch.context() as patch, ThreadPoolExecutor(2) as pool:
        patch.setattr("dca.config.remote.load", load_together)
        made = [pool.submit(change_remote, config, each) for each in ({"schedule.status": "2m"}, {"limits.retries": 3})]
        wait(made)
    assert place.in_force == (120.0, 3)


def test_null_takes_one_back(place):
    place.change(schedule__status="2m", limits__retries=3)
    assert place.change(schedule__status=None) == {"limits.retries": 3}
    assert place.in_force == (600.0, 3)
    assert place.change(limits__retries=None, limits__timeout=None) == {}
    assert place.in_force == (600.0, 1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"schedule__status": "1ms"}, "schedule.status"),
        ({"limits__retries": 99}, "limits.retries"),
        ({"limits__retries": "3"}, "limits.retries"),
        ({"limits__retries": [1]}, "limits.retries"),
    ],
)
def test_a_value_that_cannot_be_used_is_told_and_not_kept(place, changes, words):
    place.change(limits__retries=3)
    before = place.kept.read_bytes()
    with pytest.raises(ConfigError, match=words):
        place.change(**changes)
    assert place.kept.read_bytes() == before
    assert place.in_force == (600.0, 3)


def test_settings_that_cannot_be_used_any_more_are_left_out_and_told(place, caplog):
    place.kept.write_text(json.dumps({"limits.retries": 99, "schedule.status": "2m"}))
    with caplog.at_level(logging.WARNING):
        assert place.in_force == (600.0, 1)
    assert "what the hub has set is left out" in caplog.text
    assert "limits.retries" in caplog.text


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"7", b"\xff\xfe", b'{"limits.retries": 3}' + b" " * 70_000 + b"x", b"[" * 60_000]
)
def test_a_file_of_settings_that_is_none_changes_nothing(place, content):
    place.kept.write_bytes(content)
    assert place.in_force[0] == 600.0
    assert place.change(schedule__status="2m")["schedule.status"] == "2m"


@pytest.mark.parametrize(
    "kept",
    [
        {"policy.allow": ["device_restart"], "policy": {"allow": ["device_restart"]}},
        {"hub.address": "elsewhere.example", "agent.name": "other"},
        {"agent.state_dir": "/tmp/elsewhere", "limits": {"retries": 9}},
        {"schedule.full": "1h"},
    ],
)
def test_a_key_that_the_policy_does_not_leave_to_the_hub_is_never_laid_over(place, kept):
    place.kept.write_text(json.dumps(kept))
    assert place.loaded() == load(place.path)


def test_a_file_of_the_customers_that_cannot_be_read_is_no_ones_to_mend(place):
    place.change(limits__retries=3)
    place.path.write_text(place.path.read_text() + "oops = 1\n")
    with pytest.raises(ConfigError, match="oops"):
        place.loaded()

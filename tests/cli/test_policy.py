"""``dca policy``: what the customer's administrator is told of the policy."""

from __future__ import annotations

import asyncio
import dataclasses
import json

import pytest

from dca.model import Known
from dca.store import Store, save_devices
from dca.tasks.kind import Kind

CONFIG = """
[agent]
state_dir = "state"
[[credential]]
name = "office"
community = "credential:only-the-service-has-it"
[[range]]
label = "Head office"
include = ["10.0.0.0/24", "press.example.com"]
exclude = ["other.example.com"]
credentials = ["office"]
[[range]]
label = "Lab"
include = ["10.0.1.0/24"]
credentials = ["office"]
port = 1161
"""
RULES = """
[policy]
deny = ["logs"]
[[policy.rule]]
action = "allow"
kinds = ["device_restart"]
ranges = ["Head office"]
hours = ["08:00-18:00"]
roles = ["support"]
[[policy.rule]]
action = "ask"
kinds = ["device_restart"]
roles = ["support"]
"""


async def nothing(_order, _tools):
    return {}


@dataclasses.dataclass(frozen=True)
class Nothing:
    """No parameters."""


def kind(name, default, *, changes=False, on_device=True):
    return Kind(name, f"Does {name}.", Nothing, default, 60.0, nothing, on_device=on_device, changes=changes)


@pytest.fixture(autouse=True)
def _kinds(monkeypatch):
    made = (
        kind("read", "allow"),
        kind("logs", "allow", on_device=False),
        kind("device_restart", "deny", changes=True),
    )
    monkeypatch.setattr("dca.tasks.policy.every_kind", lambda: {item.name: item for item in made})
    monkeypatch.setattr("socket.getaddrinfo", None)


@pytest.fixture
def registry(tmp_path):
    """Put devices into the state file."""
    devices = [
        Known("00000000000000a1", "10.0.0.5", 161, "Head office", "office", "2c", manufacturer="Acme", model="Mono 1",
              serial="SN5", name="reception"),
        Known("00000000000000a2", "203.0.113.7", 161, "Head office", "office", "2c", serial="SN7",
              mac="00:11:22:33:44:55"),
        Known("00000000000000a3", "10.0.1.5", 1161, "Lab", "office", "2c", serial="SN5", manufacturer="Other"),
    ]  # fmt: skip

    async def fill():
        store = await Store.open(tmp_path / "state")
        await store.run(lambda connection: save_devices(connection, devices))
        await store.close()

    asyncio.run(fill())


@pytest.fixture
def policy(dca, tmp_path):
    """Run `dca policy ARGS...` with the config of the test and a policy behind it."""

    def run(*args, text=RULES, **more):
        (tmp_path / "dca.toml").write_text(CONFIG + text)
        return dca("policy", *args, "--config", str(tmp_path / "dca.toml"), **more)

    return run


def explained(policy, *args, **more):
    ran = policy("explain", *args, **more)
    return ran.code, [line.strip() for line in ran.out.splitlines()]


def test_what_would_happen_and_why_and_where_it_would_differ(policy, registry, tmp_path):
    at = ("--at", "2026-11-25T20:00")
    code, lines = explained(policy, "device_restart", "10.0.0.5", "--role", "support", *at)
    first, why, *but = lines
    assert code == 3
    assert first.startswith(
        "ask: device_restart on 10.0.0.5 (Acme Mono 1), asked by role support on Wed 2026-11-25 20:00"
    )
    assert first.endswith(" would wait for `dca approve`")
    assert why == f"why: [policy] rule 2 of {tmp_path}/dca.toml: ask"
    denied = "built-in: what changes a device or the agent is denied until the policy allows it"
    assert but == ["but: allow by rule 1, for hours 08:00-18:00", f"but: deny without role support ({denied})"]


@pytest.mark.parametrize(
    ("args", "code", "first"),
    [
        (("read", "10.0.0.5"), 0, "allow: read on 10.0.0.5 (Acme Mono 1) would be done"),
        (("logs",), 4, "deny: logs would be refused"),
        (("device_restart", "reception"), 4, "deny: device_restart on 10.0.0.5 (Acme Mono 1) would be refused"),
    ],
)
def test_the_exit_code_says_it_to_programs(policy, registry, args, code, first):
    assert explained(policy, *args)[0] == code
    assert explained(policy, *args)[1][0] == first


@pytest.mark.parametrize("name", ["10.0.0.5", "::ffff:10.0.0.5", "00000000000000A1", "Reception"])
def test_a_device_is_named_as_people_name_it(policy, registry, name):
    assert "on 10.0.0.5 (Acme Mono 1)" in explained(policy, "read", name)[1][0]


def test_a_device_behind_a_host_name_counts_to_the_range_it_was_found_in(policy, registry):
    for name in ("SN7", "00:11:22:33:44:55"):
        args = ("device_restart", name, "--role", "support", "--at", "2026-11-25T12:00")
        assert explained(policy, *args)[0] == 0
    assert explained(policy, "device_restart", "10.0.1.5", "--role", "support", "--at", "2026-11-25T12:00")[0] == 3


def test_a_name_of_several_devices_is_not_guessed_at(policy, registry):
    ran = policy("explain", "read", "sn5")
    assert ran.code == 1
    assert "sn5 names 2 devices" in ran.err
    assert "00000000000000a1: 10.0.0.5 (Acme Mono 1)" in ran.err
    assert "00000000000000a3: 10.0.1.5 (Other)" in ran.err


def test_a_name_that_no_device_has_is_one_clear_line(policy, registry):
    ran = policy("explain", "read", "nobody")
    assert (ran.code, ran.out) == (1, "")
    assert "knows no device with the id, serial number, MAC or name nobody" in ran.err


def test_an_address_can_be_asked_for_before_any_device_is_known(policy):
    code, lines = explained(policy, "device_restart", "10.0.0.8", "--role", "support", "--at", "2026-11-25T12:00")
    assert (code, lines[-1]) == (
        0, "note: the agent knows no device at 10.0.0.8 yet; a task needs one that it knows",
    )  # fmt: skip
    assert policy("explain", "read", "SN5").code == 1


def test_a_device_left_out_is_noted_and_one_too_many_is_wrong_use(policy, registry):
    assert explained(policy, "read")[1][-1] == "note: name a DEVICE to see what rules by range say"
    ran = policy("explain", "logs", "10.0.0.5")
    assert (ran.code, "logs concerns no device" in ran.err) == (2, True)


@pytest.mark.parametrize(
    ("args", "words"),
    [(("raed",), "meant read?"), (("xyzzy",), "known are read, logs"), (("read", "--at", "noon"), "is no time")],
)
def test_a_slip_of_the_pen_is_wrong_use(policy, args, words):
    ran = policy("explain", *args)
    assert ran.code == 2
    assert words in " ".join(ran.err.replace("│", " ").split())


def test_programs_get_one_object(policy, registry):
    ran = policy("explain", "device_restart", "SN7", "--role", "support", "--at", "2026-11-25T20:00", "--json")
    found = json.loads(ran.out)
    assert ran.code == 3
    assert (found["action"], found["rule"], found["device_id"]) == ("ask", 2, "00000000000000a2")
    assert found["elsewhere"][0] == "allow by rule 1, for hours 08:00-18:00"
    assert found["at"].startswith("2026-11-25T20:00:00")


def test_all_kinds_are_shown_with_their_reasons(policy, tmp_path):
    ran = policy("show")
    assert ran.code == 0
    words = " ".join(ran.out.split())
    assert "read allow Does read. built-in: read is allowed" in words
    assert f"logs deny Does logs. [policy] deny of {tmp_path}/dca.toml has logs" in words
    assert "device_restart rules Does device_restart. allow by rule 1, for range Head office and hours" in words
    assert "ask by rule 2, for role support else deny: built-in" in words
    found = json.loads(policy("show", "--json").out)
    assert {item["kind"]: item["verdict"] for item in found["kinds"]} == {
        "read": "allow", "logs": "deny", "device_restart": "rules",
    }  # fmt: skip
    assert found["closed"] is None


@pytest.mark.parametrize("text", ["[policy]\n", '[policy]\nallow = ["reed"]\n'])
def test_a_policy_that_denies_everything_says_so_above_all(policy, text):
    ran = policy("show", text=text)
    assert ran.code == 0
    assert ran.out.startswith("Everything is denied: ")
    assert " allow " not in ran.out.partition("Kind")[2]
    assert explained(policy, "read", "10.0.0.5", text=text)[0] == 4


def test_a_config_that_cannot_be_used_is_wrong_use(policy):
    ran = policy("show", text='[policy]\nallow = "read"\n')
    assert ran.code == 2
    assert "policy.allow" in ran.err


def test_config_check_looks_at_the_policy(dca, tmp_path, monkeypatch):
    monkeypatch.setenv("COMMUNITY", "public")
    path = tmp_path / "dca.toml"
    text = CONFIG.replace("credential:only-the-service-has-it", "env:COMMUNITY")
    for policy, line in (
        (RULES, "policy: allow read; deny logs; by rules device_restart"),
        ("", "policy: allow read, logs; deny device_restart"),
        ("[policy]\n", f"policy: everything is denied: [policy] is there and says nothing in {path}"),
    ):
        path.write_text(text + policy)
        ran = dca("config", "check", str(path))
        assert (ran.code, line in [found.strip() for found in ran.out.splitlines()]) == (0, True)
    path.write_text(text + '[policy]\nallow = ["reed"]\n')
    ran = dca("config", "check", str(path))
    assert (ran.code, "meant read?" in ran.err) == (2, True)

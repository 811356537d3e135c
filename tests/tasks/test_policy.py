from __future__ import annotations

import dataclasses
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dca.config import parse
from dca.errors import ConfigError
from dca.model import Known
from dca.tasks.kind import Kind
from dca.tasks.policy import Policy, check

OFFICE = """
[[credential]]
name = "office"
community = "public"
[[range]]
label = "Head office"
include = ["10.0.0.0/24"]
exclude = ["10.0.0.9"]
credentials = ["office"]
[[range]]
label = "Lab"
include = ["10.0.1.0/24"]
credentials = ["office"]
enabled = false
"""
RULES = """
[policy]
allow = ["read"]
ask = ["panel_message"]
deny = ["logs"]
[[policy.rule]]
action = "deny"
kinds = ["device_restart"]
hours = ["sat,sun 00:00-24:00"]
[[policy.rule]]
action = "allow"
kinds = ["device_restart"]
ranges = ["Head office"]
hours = ["08:00-18:00"]
roles = ["support", "admin"]
[[policy.rule]]
action = "ask"
kinds = ["device_restart", "read"]
roles = ["admin"]
"""
CHANGES = "built-in: what changes a device or the agent is denied until the policy allows it"
WEDNESDAY = datetime(2026, 11, 25, 12, 0).astimezone()
EVENING = WEDNESDAY.replace(hour=20)
SATURDAY = WEDNESDAY.replace(day=28)


async def nothing(_order, _tools):
    return {}


@dataclasses.dataclass(frozen=True)
class Nothing:
    """No parameters."""


def kind(name, default, *, changes=False, on_device=True):
    return Kind(name, f"Does {name}.", Nothing, default, 60.0, nothing, on_device=on_device, changes=changes)


KINDS = {
    item.name: item
    for item in (
        kind("read", "allow"),
        kind("discover", "allow", on_device=False),
        kind("logs", "allow", on_device=False),
        kind("web_access", "ask"),
        kind("snoop", "deny"),
        kind("device_restart", "deny", changes=True),
        kind("panel_message", "deny", changes=True),
    )
}


def known(address="10.0.0.5"):
    return Known("0123456789abcdef", address, 161, "Head office", "office", "2c")


def policy(text="", **more) -> Policy:
    config = parse(OFFICE + text, path="/etc/dca/dca.toml", environ={})
    return Policy(config, kinds=KINDS, **more)


HERE = known()


def decided(text, name, *, device=HERE, role="", at=WEDNESDAY):
    return policy(text).decide(KINDS[name], device=device, role=role, at=at)


@pytest.mark.parametrize(
    ("name", "action", "why"),
    [
        ("read", "allow", "built-in: read is allowed"),
        ("web_access", "ask", "built-in: it waits until it is approved on the agent's machine"),
        ("snoop", "deny", "built-in: snoop is denied until the policy allows it"),
        ("device_restart", "deny", CHANGES),
    ],
)
def test_without_a_policy_the_kinds_decide(name, action, why):
    verdict = decided("", name)
    assert (verdict.action, verdict.why, verdict.rule) == (action, why, None)


@pytest.mark.parametrize(
    ("name", "action", "why"),
    [
        ("read", "allow", "[policy] allow of /etc/dca/dca.toml has read"),
        ("panel_message", "ask", "[policy] ask of /etc/dca/dca.toml has panel_message"),
        ("logs", "deny", "[policy] deny of /etc/dca/dca.toml has logs"),
        ("discover", "allow", "built-in: discover is allowed"),
    ],
)
def test_the_lists_come_before_the_kinds(name, action, why):
    verdict = decided(RULES, name)
    assert (verdict.action, verdict.why, verdict.rule) == (action, why, None)


@pytest.mark.parametrize(
    ("role", "at", "address", "action", "rule"),
    [
        ("support", WEDNESDAY, "10.0.0.5", "allow", 2),
        ("support", SATURDAY, "10.0.0.5", "deny", 1),
        ("support", EVENING, "10.0.0.5", "deny", None),
        ("admin", EVENING, "10.0.0.5", "ask", 3),
        ("admin", WEDNESDAY, "10.0.1.5", "ask", 3),
        ("dealer", WEDNESDAY, "10.0.0.5", "deny", None),
        ("", WEDNESDAY, "10.0.0.5", "deny", None),
        ("support", WEDNESDAY, "10.0.1.5", "deny", None),
        ("support", WEDNESDAY, "10.0.0.9", "deny", None),
        ("support", WEDNESDAY, "192.0.2.1", "deny", None),
    ],
)
def test_the_first_rule_that_fits_decides(role, at, address, action, rule):
    verdict = decided(RULES, "device_restart", device=known(address), role=role, at=at)
    assert (verdict.action, verdict.rule) == (action, rule)
    assert rule is None or verdict.why == f"[policy] rule {rule} of /etc/dca/dca.toml: {action}"


def test_the_range_is_where_the_device_is_now_not_where_it_was_found():
    moved = dataclasses.replace(known("10.0.1.5"), range="Head office")
    assert decided(RULES, "device_restart", device=moved, role="support").action == "deny"


def test_a_task_that_concerns_no_device_fits_no_range():
    text = '[[policy.rule]]\naction = "deny"\nranges = ["Head office"]\n'
    assert decided(text, "discover", device=None).action == "allow"
    assert decided(text, "read").action == "deny"


def test_a_rule_without_kinds_is_for_all_of_them():
    text = '[[policy.rule]]\naction = "deny"\nhours = ["12:00-13:00"]\n'
    assert {decided(text, name).action for name in KINDS} == {"deny"}
    assert decided(text, "read", at=EVENING).action == "allow"


def test_hours_are_local_whatever_zone_the_time_is_told_in():
    other = WEDNESDAY.astimezone(timezone(timedelta(hours=9, minutes=30)))
    text = '[[policy.rule]]\naction = "deny"\nhours = ["11:59-12:01"]\n'
    assert decided(text, "read", at=other).action == "deny"


def test_a_policy_that_says_nothing_denies_everything():
    found = policy("[policy]\n")
    assert {found.decide(name, device=known(), role="admin", at=WEDNESDAY).action for name in KINDS} == {"deny"}
    why = "everything is denied: [policy] is there and says nothing in /etc/dca/dca.toml"
    assert found.decide("read", device=known(), role="", at=WEDNESDAY).why == why
    assert set(found.summary().values()) == {"deny"}


def test_a_policy_that_is_closed_from_outside_denies_everything():
    found = policy('[policy]\nallow = ["read"]\nconfig_keys = ["limits"]\n', closed="the file cannot be read any more")
    verdict = found.decide("read", device=known(), role="", at=WEDNESDAY)
    assert (verdict.action, verdict.why) == ("deny", "everything is denied: the file cannot be read any more")
    assert not found.may_set("limits.retries")
    assert found.elsewhere(KINDS["read"], device=known(), role="", at=WEDNESDAY) == []


def test_a_policy_that_names_a_kind_that_there_is_not_is_wrong_and_denies_everything():
    text = '[policy]\nallow = ["reed"]\n[[policy.rule]]\naction = "deny"\nkinds = ["read", "xyzzy"]\n'
    config = parse(OFFICE + text, path="/etc/dca/dca.toml", environ={})
    with pytest.raises(ConfigError) as caught:
        check(config, KINDS)
    first, second = caught.value.problems
    assert str(first) == 'policy.allow[1]: there is no kind of task "reed"; meant read?'
    assert second.key == "policy.rule[1].kinds[2]"
    assert "known are read, discover" in second.message
    verdict = Policy(config, kinds=KINDS).decide("read", device=known(), role="", at=WEDNESDAY)
    assert verdict.action == "deny"
    assert verdict.why.startswith("everything is denied: /etc/dca/dca.toml: policy.allow[1]: there is no kind")


def test_a_rule_by_range_for_a_kind_without_a_device_is_wrong():
    text = '[[policy.rule]]\naction = "deny"\nkinds = ["read", "discover"]\nranges = ["Head office"]\n'
    with pytest.raises(ConfigError, match=r"policy.rule\[1\].ranges: never fits discover, which concerns no device"):
        check(parse(OFFICE + text, environ={}), KINDS)


def test_the_documents_examples_hold():
    text = (Path(__file__).resolve().parents[2] / "docs" / "policy.md").read_text("utf-8")
    blocks = re.findall(r"^```toml\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) == 4
    for block in blocks:
        check(parse(block, environ={}))
    reading_only = Policy(parse(blocks[1], environ={}))
    actions = {
        name: reading_only.decide(name, device=HERE, role="", at=WEDNESDAY).action for name in reading_only.kinds
    }
    assert [name for name, action in actions.items() if action != "deny"] == ["read"]


def test_a_right_policy_is_checked_in_silence():
    check(parse(OFFICE + RULES, environ={}), KINDS)


def test_an_unknown_kind_is_denied():
    verdict = policy().decide("format_disk", device=None, role="", at=WEDNESDAY)
    assert (verdict.action, verdict.why) == ("deny", "this agent knows no kind of task 'format_disk'")


def test_the_summary_says_where_it_depends():
    assert policy(RULES).summary() == {
        "read": "rules", "discover": "allow", "logs": "deny", "web_access": "ask", "snoop": "deny",
        "device_restart": "rules", "panel_message": "ask",
    }  # fmt: skip
    same = '[[policy.rule]]\naction = "deny"\nkinds = ["snoop", "read"]\nroles = ["x"]\n'
    assert policy(same).summary()["snoop"] == "deny"
    assert policy(same).summary()["read"] == "rules"
    final = '[[policy.rule]]\naction = "allow"\nkinds = ["device_restart"]\n'
    assert policy(final).summary()["device_restart"] == "allow"
    never = final + '[[policy.rule]]\naction = "deny"\nkinds = ["device_restart"]\nroles = ["x"]\n'
    assert policy(never).summary()["device_restart"] == "allow"
    no_device = '[[policy.rule]]\naction = "deny"\nranges = ["Lab"]\n'
    assert policy(no_device).summary()["discover"] == "allow"


def test_it_is_said_where_the_verdict_would_be_another():
    found = policy(RULES)
    restart = KINDS["device_restart"]
    assert found.elsewhere(restart, device=known(), role="", at=EVENING) == [
        "allow by rule 2, for hours 08:00-18:00 and role support or admin",
        "ask by rule 3, for role admin",
    ]
    assert found.elsewhere(restart, device=known(), role="support", at=WEDNESDAY) == [
        "deny by rule 1, for hours sat-sun 00:00-24:00",
        f"deny without range Head office and hours 08:00-18:00 and role support or admin ({CHANGES})",
    ]
    assert found.elsewhere(KINDS["logs"], device=None, role="", at=WEDNESDAY) == []


def test_a_task_may_set_only_what_is_left_to_the_hub():
    found = policy('[policy]\nallow = ["read"]\nconfig_keys = ["schedule.status", "limits"]\n')
    assert found.may_set("schedule.status")
    assert found.may_set("limits.retries")
    for key in ("schedule.full", "limits", "limits.bogus", "log.level", "policy.allow", "hub.address", ""):
        assert not found.may_set(key)
    assert not policy().may_set("schedule.status")


@given(
    rules=st.lists(
        st.tuples(
            st.sampled_from(["allow", "ask", "deny"]), st.sampled_from([None, "device_restart", "read"]),
            st.sampled_from([None, "Head office", "Lab"]), st.sampled_from([None, "support", "admin"]),
        ).filter(lambda rule: any(rule[1:])), min_size=1, max_size=5,
    ),
    address=st.sampled_from(["10.0.0.5", "10.0.1.5"]),
    role=st.sampled_from(["support", "admin", ""]),
)  # fmt: skip
def test_a_verdict_is_that_of_the_summary_where_nothing_depends(rules, address, role):
    text = ""
    for action, name, label, who in rules:
        text += f'[[policy.rule]]\naction = "{action}"\n'
        text += f'kinds = ["{name}"]\n' if name else ""
        text += f'ranges = ["{label}"]\n' if label else ""
        text += f'roles = ["{who}"]\n' if who else ""
    found = policy(text)
    for name, brief in found.summary().items():
        device = known(address) if KINDS[name].on_device else None
        action = found.decide(name, device=device, role=role, at=WEDNESDAY).action
        assert brief in {action, "rules"}

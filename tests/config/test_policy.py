from __future__ import annotations

import pytest

from dca.config import PolicyConfig, PolicyRule, load, parse
from dca.config.rules import SETTABLE
from dca.errors import ConfigError
from dca.model import Secret

OFFICE = """
[[credential]]
name = "office"
community = "public"
[[range]]
label = "Head office"
include = ["10.0.0.0/24"]
credentials = ["office"]
[[range]]
label = "Branch"
include = ["10.0.1.0/24"]
credentials = ["office"]
enabled = false
"""


def read(text: str) -> PolicyConfig:
    return parse(OFFICE + text, environ={}).policy


def problems(text):
    with pytest.raises(ConfigError) as caught:
        read(text)
    return {problem.key: (problem.line, problem.message) for problem in caught.value.problems}


def test_no_table_leaves_it_to_the_kinds():
    assert read("") == PolicyConfig()
    assert read("").closed == ""


@pytest.mark.parametrize(
    "text",
    [
        "[policy]\n",
        "[policy]\nallow = []\nask = []\n",
        '[policy]\nconfig_keys = ["limits"]\n',
        "[policy]\nrule = []\n",
        "policy = {}\n",
    ],
)
def test_a_table_that_says_nothing_closes(text):
    policy = parse(text + OFFICE, environ={}).policy
    assert policy.closed == "[policy] is there and says nothing"


def test_a_whole_policy_becomes_what_it_says():
    policy = read("""
[policy]
allow = ["read", "discover"]
ask = ["device_restart"]
deny = ["logs"]
config_keys = ["schedule.status", "limits", "log.level"]
[[policy.rule]]
action = "ask"
kinds = ["device_restart", "panel_message"]
ranges = ["Head office", "Branch"]
hours = ["mon-fri 08:00-18:00", "sat,mon 22:00-02:00", "00:00-24:00"]
roles = ["support"]
[[policy.rule]]
action = "deny"
hours = ["12:00-13:00"]
""")
    assert (policy.allow, policy.ask, policy.deny) == (("read", "discover"), ("device_restart",), ("logs",))
    assert policy.config_keys == ("schedule.status", "limits", "log.level")
    assert policy.closed == ""
    first, second = policy.rules
    assert (first.action, first.kinds, first.roles) == ("ask", ("device_restart", "panel_message"), ("support",))
    assert first.conditions == {
        "ranges": "range Head office or Branch",
        "hours": "hours mon-fri 08:00-18:00, mon,sat 22:00-02:00, 00:00-24:00",
        "roles": "role support",
    }
    assert (second.action, second.kinds, second.conditions) == ("deny", (), {"hours": "hours 12:00-13:00"})
    assert isinstance(first, PolicyRule)


def test_a_rule_alone_says_something():
    assert read('[[policy.rule]]\naction = "allow"\nkinds = ["read"]\n').closed == ""


LINES = OFFICE.count("\n")


@pytest.mark.parametrize(
    ("text", "key", "line", "words"),
    [
        ('[policy]\nalow = ["read"]\n', "policy.alow", 2, "meant allow?"),
        ('[policy]\nallow = "read"\n', "policy.allow", 2, "is a text; allowed is a list of 0 to 100"),
        ('[policy]\nallow = ["Read!"]\n', "policy.allow[1]", 2, "has another form"),
        ('[policy]\nallow = ["a"]\ndeny = ["b",\n"a"]\n', "policy.allow[1]", 2, "stands there in deny as well"),
        ('[policy]\nallow = ["a"]\nask = ["b",\n"a"]\n', "policy.allow[1]", 2, "stands there in ask as well"),
        ('[policy]\nask = ["a", "a"]\n', "policy.ask[2]", 2, "stands there twice"),
        ('[policy]\nconfig_keys = ["schedule.statos"]\n', "policy.config_keys[1]", 2, 'meant "schedule.status"?'),
        ('[policy]\nconfig_keys = ["log"]\n', "policy.config_keys[1]", 2, "cannot be left to the hub"),
        ('[policy]\nconfig_keys = ["policy.allow"]\n', "policy.config_keys[1]", 2, "cannot be left to the hub"),
        ('[policy]\nconfig_keys = ["hub.address"]\n', "policy.config_keys[1]", 2, "known are schedule.*"),
        ('[[policy]]\nallow = ["a"]\n', "policy", 1, "write [policy]"),
        ('[policy.rule]\naction = "ask"\n', "policy.rule", 1, "so write [[policy.rule]]"),
        ("policy.rule = 3\n", "policy.rule", None, "is a number"),
        ("policy = 3\n", "policy", None, "is a number; allowed is a table"),
        ("policy.rule = [3]\n", "policy.rule[1]", None, "is a number; allowed is a table"),
        ('[[policy.rule]]\naction = "ask"\n', "policy.rule[1].action", 2, "neither kinds nor a condition"),
        ('[[policy.rule]]\nkinds = ["read"]\n', "policy.rule[1].action", 1, "is missing"),
        ('[[policy.rule]]\naction = "aks"\nkinds = ["a"]\n', "policy.rule[1].action", 2, 'meant "ask"?'),
        ('[[policy.rule]]\naction = "ask"\nkinds = []\n', "policy.rule[1].kinds", 3, "has 0 items"),
        ('[[policy.rule]]\naction = "ask"\nhours = []\n', "policy.rule[1].hours", 3, "holds no hours"),
        ('[[policy.rule]]\naction = "ask"\nhours = ["25:00-26:00"]\n', "policy.rule[1].hours[1]", 3, "no day has"),
        ('[[policy.rule]]\naction = "ask"\nranges = ["Brunch"]\n', "policy.rule[1].ranges[1]", 3, 'meant "Branch"?'),
        ('[[policy.rule]]\naction = "ask"\nranges = ["x"]\n', "policy.rule[1].ranges[1]", 3, "known are: Head office"),
        ('[[policy.rule]]\naction = "ask"\nrole = ["x"]\n', "policy.rule[1].role", 3, "meant roles?"),
    ],
)
def test_common_slips_are_told_with_line_and_key(text, key, line, words):
    before = not text.startswith("[")  # a bare key belongs above the tables
    with pytest.raises(ConfigError) as caught:
        parse(text + OFFICE if before else OFFICE + text, environ={})
    found = {problem.key: (problem.line, problem.message) for problem in caught.value.problems}
    assert words in found[key][1]
    assert line is None or found[key][0] == LINES + line


def test_every_wrong_thing_is_told_at_once():
    found = problems("""
[policy]
allow = ["read"]
ask = ["read"]
config_keys = ["nothing.known"]
[[policy.rule]]
action = "ask"
kinds = "read"
ranges = ["Lab"]
[[policy.rule]]
action = "no"
""")
    assert list(found) == [
        "policy.allow[1]",
        "policy.config_keys[1]",
        "policy.rule[1].kinds",
        "policy.rule[1].ranges[1]",
        "policy.rule[2].action",
    ]


def test_only_schedule_limits_and_the_log_level_can_be_left_to_the_hub():
    assert {name.partition(".")[0] for name in SETTABLE} == {"schedule", "limits", "log"}
    assert {name for name in SETTABLE if name.startswith("log.")} == {"log.level"}


def test_a_config_is_read_without_its_secrets_by_one_who_may_not_see_them(tmp_path):
    path = tmp_path / "dca.toml"
    path.write_text(
        '[hub]\naddress = "hub.example.com"\nproxy = "http://proxy.example.com:3128"\nproxy_user = "dca"\n'
        'proxy_password = "credential:proxy"\nca_file = "/nowhere/ca.pem"\n'
        '[[credential]]\nname = "a"\ncommunity = "file:/nowhere"\n'
    )
    config = load(path, environ={}, follow=False)
    assert config.hub is not None
    assert config.hub.proxy is not None
    assert (config.hub.proxy.password, config.credentials["a"].community) == (Secret(""), Secret(""))
    with pytest.raises(ConfigError):
        load(path, environ={})


def test_a_secret_in_the_file_itself_is_refused_also_when_none_is_looked_up(tmp_path):
    path = tmp_path / "dca.toml"
    path.write_text('[[credential]]\nname = "a"\ncommunity = "hunter2"\n')
    with pytest.raises(ConfigError, match="a secret does not stand in this file"):
        load(path, environ={}, follow=False)

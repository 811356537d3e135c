from __future__ import annotations

import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dca.config import AgentConfig, Config, Endpoint, HubConfig, LimitsConfig, LogConfig, ScheduleConfig, load, parse
from dca.config.sections import ARRAYS, TABLES
from dca.config.table import keys_of
from dca.errors import ConfigError
from dca.model import AuthProtocol, Credential, PrivProtocol, Range, Secret

HUB = '[hub]\naddress = "hub.example.com"\n'
OFFICE = '[[credential]]\nname = "office"\ncommunity = "public"\n'


def problems(text, **more):
    """Return what is wrong with a text as {key: (line, message)}."""
    with pytest.raises(ConfigError) as caught:
        parse(text, environ=more.pop("environ", {}), **more)
    return {problem.key: (problem.line, problem.message) for problem in caught.value.problems}


def test_a_whole_file_becomes_what_it_says(tmp_path):
    (tmp_path / "priv").write_text("privprivpriv\n")
    (tmp_path / "priv").chmod(0o600)
    path = tmp_path / "dca.toml"
    path.write_text(f"""
{HUB}activation_code = "env:CODE"
proxy = "http://proxy.example.com:3128"
[agent]
state_dir = "state"
name = "reception"
[schedule]
status = "90s"
[limits]
timeout = "2.5s"
retries = 0
[log]
level = "debug"
format = "json"
{OFFICE}
[[credential]]
name = "secure"
version = "3"
user = "monitor"
auth = "sha256"
auth_password = "env:AUTH"
priv_password = "file:priv"
context = "printers"
[[range]]
label = "Office 2. Stock"
include = ["10.0.0.0/24", "printer.example.com"]
exclude = ["10.0.0.1"]
credentials = ["secure", "office"]
port = 1161
[[range]]
label = "Lab"
include = ["10.0.1.0/24"]
credentials = ["office"]
enabled = false
""")
    config = load(path, environ={"CODE": "c0de", "AUTH": "authauth"})
    office = Credential("office", community=Secret("public"))
    secure = Credential(
        "secure",
        version="3",
        user="monitor",
        auth=AuthProtocol.SHA256,
        auth_password=Secret("authauth"),
        priv_password=Secret("privprivpriv"),
        context="printers",
    )
    assert config.hub is not None
    assert config.hub.activation_code == Secret("c0de")
    assert config.agent == AgentConfig(tmp_path / "state", "reception")
    assert config.schedule == ScheduleConfig(status=90.0)
    assert config.limits == LimitsConfig(timeout=2.5, retries=0)
    assert config.log == LogConfig(level="debug", format="json")
    assert config.credentials == {"office": office, "secure": secure}
    assert config.ranges == (
        Range(
            "Office 2. Stock",
            ("10.0.0.0/24", "printer.example.com"),
            ("10.0.0.1",),
            credentials=(secure, office),
            port=1161,
        ),
        Range("Lab", ("10.0.1.0/24",), credentials=(office,), enabled=False),
    )
    assert config.path == str(path)


def test_an_empty_file_is_all_defaults():
    config = parse("", environ={"STATE_DIRECTORY": "/var/lib/private/dca:/other"})
    assert config.hub is None
    assert config.agent.state_dir.as_posix() == "/var/lib/private/dca"
    assert config.agent.name
    assert (config.credentials, config.ranges) == ({}, ())
    assert config.schedule == ScheduleConfig(21600.0, 14400.0, 3600.0, 300.0, 300.0)
    assert config.limits == LimitsConfig(1000, 200, 64, 1.0, 2, 256)
    with pytest.raises(ConfigError, match="address"):
        config.require_hub()


def test_every_problem_is_told_at_once_with_line_key_and_what_is_allowed():
    found = problems("""\
shedule = 1
[hub]
address = "https://hub"
timeout = 3
[hub.grpc]
port = 0
hots = "x"
[schedule]
full = 300
quiet_hours = [
  "22:00-06:00",
  "late",
]
[limits]
retries = "2"
outbox_mb = true
[log]
level = "warn"
[[credential]]
name = "a b"
community = "public"
[[credential]]
version = "3"
priv_password = "env:MISSING"
[[range]]
label = "x"
include = [
  "10.0.0.0/24",
  "10.0.0.1/24", "224.0.0.1"]
credentials = ["a b", "c"]
enable = false
[[range]]
label = "y"
credentials = []
""")
    lines = {key: line for key, (line, _) in found.items()}
    assert lines == {
        "shedule": 1,
        "hub.address": 3,
        "hub.timeout": 4,
        "hub.grpc.port": 6,
        "hub.grpc.hots": 7,
        "schedule.full": 9,
        "schedule.quiet_hours[2]": 12,
        "limits.retries": 15,
        "limits.outbox_mb": 16,
        "log.level": 18,
        "credential[1].name": 20,
        "credential[2].name": 22,
        "credential[2].user": 22,
        "credential[2].priv_password": 24,
        "range[1].include[2]": 29,
        "range[1].include[3]": 29,
        "range[1].credentials[2]": 30,
        "range[1].enable": 31,
        "range[2].include": 32,
        "range[2].credentials": 34,
    }
    words = {
        "shedule": "meant schedule?",
        "hub.timeout": "it belongs into [limits]",
        "hub.grpc.port": "from 1 to 65535",
        "hub.grpc.hots": "meant host?",
        "schedule.full": 'in quotes, e.g. "90s"',
        "limits.outbox_mb": "a whole number from 1 to 65536",
        "log.level": 'meant "warning"?; allowed is one of "debug"'.replace("?;", "?);"),
        "credential[2].user": 'version "3" needs a user',
        "range[1].enable": "meant enabled?",
        "range[2].include": "is missing",
    }
    for key, part in words.items():
        assert part in found[key][1]


def test_entries_of_a_range_and_its_credentials_are_told_on_their_own_lines():
    found = problems(
        OFFICE + '[[range]]\nlabel = "x"\ninclude = [\n "10.0.0.0/24",\n "10.0.0.1/24",\n "224.0.0.1"]\n'
        'credentials = ["office",\n "ofice", "office"]\n'
    )
    assert {key: line for key, (line, _) in found.items()} == {
        "range[1].include[2]": 8,
        "range[1].include[3]": 9,
        "range[1].credentials[2]": 11,
        "range[1].credentials[3]": 11,
    }
    assert 'meant "office"?' in found["range[1].credentials[2]"][1]
    assert "twice" in found["range[1].credentials[3]"][1]


def test_a_wrong_value_hides_nothing_else_that_is_wrong():
    text = f"""{OFFICE}
[[range]]
label = "One"
include = ["10.0.0.300", 7, "10.0.0.0/33"]
exclude = ["10.0.0.1", "a b"]
credentials = ["offcie", 3, "office", "office"]
port = 99999
[[range]]
label = "One"
include = ["10.1.0.0/24"]
credentials = ["office"]
nonsense = 1
"""
    assert set(problems(text)) == {
        "range[1].include[1]",
        "range[1].include[2]",
        "range[1].include[3]",
        "range[1].exclude[2]",
        "range[1].credentials[1]",
        "range[1].credentials[2]",
        "range[1].credentials[4]",
        "range[1].port",
        "range[2].label",
        "range[2].nonsense",
    }


def test_the_error_reads_well():
    with pytest.raises(ConfigError) as caught:
        parse("[limits]\nretries = 99\n[log]\nlevel = 1\n", path="/etc/dca/dca.toml")
    assert str(caught.value).splitlines() == [
        "/etc/dca/dca.toml cannot be used:",
        "  line 2: limits.retries: is 99; allowed is a whole number from 0 to 10",
        '  line 4: log.level: is a number; allowed is one of "debug", "info", "warning", "error"',
    ]


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("[range]\nlabel = 'x'", "range", "write [[range]]"),
        ("[[hub]]\naddress = 'x'", "hub", "write [hub]"),
        ("[[limits]]\n", "limits", "write [limits]"),
        ("hub = 'hub.example.com'", "hub", "a table of keys"),
        ("range = 'x'", "range", "is a text"),
        ("range = [1]", "range[1]", "a table of keys"),
        ("credential = [1]", "credential[1]", "a table"),
        ("[hub]\naddress = 'h'\ngrpc = 1", "hub.grpc", "a table of keys"),
        ("timeout = '1s'", "timeout", "it belongs into [limits]"),
        ("[tunnels]\n", "tunnels", "known are agent, channel, credential, hub"),
        ("[agent]\nzzz = 1", "agent.zzz", "known are state_dir, name"),
        (OFFICE + OFFICE, "credential[2].name", "an earlier credential"),
        ("[[range]]\nlabel='x'\ninclude=['10.0.0.1']", "range[1].credentials", "is missing"),
    ],
)
def test_common_slips(text, key, words):
    assert words in problems(text)[key][1]


def test_there_are_not_more_tables_than_can_be_meant():
    text = OFFICE + "".join(
        f"[[range]]\nlabel='{number}'\ninclude=['10.0.0.1']\ncredentials=['office']\n" for number in range(1001)
    )
    assert problems(text) == {"range": (4, "stands there 1001 times; allowed is up to 1000")}


def test_two_ranges_of_one_label():
    text = OFFICE + "[[range]]\nlabel='x'\ninclude=['10.0.0.1']\ncredentials=['office']\n" * 2
    assert problems(text)["range[2].label"][0] == 9


def test_a_wrong_credential_is_told_once_and_not_again_where_a_range_names_it():
    text = "[[credential]]\nname='a'\ncommunity='env:X'\n[[range]]\nlabel='x'\ninclude=['10.0.0.1']\ncredentials=['a']"
    assert list(problems(text)) == ["credential[1].community"]


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [
        ("version='3'\nuser='u'", {}),
        ("version='3'\nuser='u'\nauth_password='env:P'", {}),
        ("version='3'\nuser='u'\nauth='md5'\nauth_password='env:P'\npriv='aes256-c'\npriv_password='env:P'", {}),
        ("version='1'\ncommunity='env:P'", {}),
        ("version='2c'\ncommunity='public'", {}),
        ("version='2'\ncommunity='public'", {"version"}),
        ("version=3\nuser='u'", {"version", "user"}),
        ("", {"community"}),
        ("version='3'", {"user"}),
        ("user='u'", {"user"}),
        ("community='public'\nuser='u'\nauth='md5'", {"user", "auth"}),
        ("version='3'\nuser='u'\ncommunity='public'", {"community"}),
        ("version='3'\nuser='u'\nauth='sha1'", {"auth"}),
        ("version='3'\nuser='u'\npriv='des'", {"priv"}),
        ("version='3'\nuser='u'\npriv_password='env:P'", {"priv_password"}),
        ("version='3'\nuser='u'\nauth='sha'\nauth_password='env:P'", {"auth"}),
        ("version='3'\nuser='u'\nauth_password='env:SHORT'", {"auth_password"}),
        ("version='3'\nuser=''", {"user"}),
        ("version='3'\nuser='" + "u" * 33 + "'", {"user"}),
    ],
)
def test_what_goes_together_in_a_credential(lines, wrong):
    text = f"[[credential]]\nname = 'c'\n{lines}\n"
    environ = {"P": "password", "SHORT": "seven77"}
    if wrong:
        assert set(problems(text, environ=environ)) == {f"credential[1].{key}" for key in wrong}
    else:
        assert parse(text, environ=environ).credentials["c"].name == "c"


def test_protocols_are_the_models_words():
    text = "[[credential]]\nname='c'\nversion='3'\nuser='u'\nauth='{}'\nauth_password='env:P'\npriv='{}'\n"
    text += "priv_password='env:P'"
    for auth in AuthProtocol:
        for priv in PrivProtocol:
            found = parse(text.format(auth, priv), environ={"P": "password"}).credentials["c"]
            assert (found.auth, found.priv) == (auth, priv)


# --- the hub ------------------------------------------------------------------------------------------------


def hub_of(text, environ=None):
    hub = parse(text, environ=environ or {}).hub
    assert hub is not None
    return hub


def test_four_endpoints_follow_from_one_address():
    hub = hub_of(HUB)
    assert hub == HubConfig(
        grpc=Endpoint("hub.example.com", 443),
        mqtt=Endpoint("hub.example.com", 443),
        ssh=Endpoint("hub.example.com", 22),
        ssh_fallback=Endpoint("hub.example.com", 443),
        downloads=Endpoint("hub.example.com", 443),
    )
    assert hub.MQTT_PATH == "/mqtt"


def test_a_port_in_the_address_stands_for_443_and_each_endpoint_may_have_its_own():
    hub = hub_of(
        '[hub]\naddress = "[2001:db8::1]:8443"\n[hub.mqtt]\nhost = "mqtt.example.com"\n[hub.ssh]\nport = 2222\n'
        '[hub.downloads]\nhost = "cdn.example.com"\nport = 444'
    )
    assert [str(end) for end in (hub.grpc, hub.mqtt, hub.ssh, hub.ssh_fallback, hub.downloads)] == [
        "[2001:db8::1]:8443",
        "mqtt.example.com:8443",
        "[2001:db8::1]:2222",
        "[2001:db8::1]:8443",
        "cdn.example.com:444",
    ]


@pytest.mark.parametrize(("host", "plain"), [("127.0.0.1", True), ("[::1]:50051", True), ("localhost", True)])
def test_plain_text_to_this_machine(host, plain):
    assert hub_of(f"[hub]\naddress = '{host}'\nplaintext_on_loopback = true").grpc_plaintext is plain
    assert not hub_of(f"[hub]\naddress = '{host}'").grpc_plaintext


def test_plain_text_to_another_machine_is_refused():
    assert "127.0.0.0/8" in problems(HUB + "plaintext_on_loopback = true")["hub.plaintext_on_loopback"][1]
    text = "[hub]\naddress = 'localhost'\nplaintext_on_loopback = true\n[hub.grpc]\nhost = 'hub.example.com'"
    assert "hub.plaintext_on_loopback" in problems(text)


def test_the_proxy_and_who_goes_through_it():
    hub = hub_of(HUB + "proxy = 'http://proxy:3128'\nproxy_user = 'me'\nproxy_password = 'env:P'", {"P": "p@ss"})
    assert hub.proxy is not None
    assert hub.proxy.grpc_url() == "http://me:p%40ss@proxy:3128"
    assert hub.proxy_for(hub.grpc) == hub.proxy
    assert hub.proxy_for(Endpoint("127.0.0.1", 443)) is None


def test_the_environments_proxy_is_asked_only_when_the_file_says_so():
    environ = {"https_proxy": "http://u:p@proxy:1", "no_proxy": "hub.example.com:22"}
    assert hub_of(HUB, environ).proxy is None
    hub = hub_of(HUB + "proxy = 'environment'", environ)
    assert hub.proxy_for(hub.ssh) is None
    proxy = hub.proxy_for(hub.grpc)
    assert proxy is not None
    assert proxy.user == "u"
    other = hub_of(HUB + "proxy = 'environment'\nproxy_user = 'v'", environ).proxy
    assert other is not None
    assert (other.user, other.password, other.bypass) == ("v", None, ("hub.example.com:22",))
    assert hub_of(HUB + "proxy = 'environment'\nproxy_user = 'v'").proxy is None


@pytest.mark.parametrize(
    ("lines", "key", "words"),
    [
        ("proxy = 'proxy:3128'", "hub.proxy", "http://host:port"),
        ("proxy = 'socks5://proxy:1'", "hub.proxy", "http://host:port"),
        ("proxy = 'http://me:hunter2@proxy:1'", "hub.proxy", "write them as proxy_user and proxy_password"),
        ("proxy = 'environment'", "hub.proxy", "environment variable https_proxy"),
        ("proxy_user = 'x'", "hub.proxy_user", "stands alone"),
        ("proxy = 'http://p:1'\nproxy_password = 'env:https_proxy'", "hub.proxy_password", "proxy_user goes with it"),
        ("proxy = 'http://p:1'\nproxy_user = 'a:b'", "hub.proxy_user", "no colon"),
        ("ca_file = 'missing.pem'", "hub.ca_file", "is no file"),
        ("ca_file = '~/ca.pem'", "hub.ca_file", "write the whole path"),
        ("activation_code = 'hunter2'", "hub.activation_code", '"file:PATH"'),
        ("token = 'env:https_proxy'", "hub.token", "is not known here"),
    ],
)
def test_what_is_wrong_with_a_hub(lines, key, words):
    found = problems(HUB + lines, environ={"https_proxy": "http://me:hunter2@nowhere"})
    assert words in found[key][1]
    assert "hunter2" not in str(found)


# --- what is no config at all -------------------------------------------------------------------------------


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match=r"dca\.toml cannot be used:\n  cannot be read: No such file"):
        load(tmp_path / "dca.toml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        (b"[hub\n", 1, "is no TOML"),
        (b"\n\nname = \n", 3, "is no TOML"),
        (b"a = 1\n[x]\nb = '''\n", 3, "is no TOML"),
        (b'[log]\nfile = "C:\\ProgramData\\dca.log"\n', 2, "single quotes"),
        (b'[log]\nfile = "C:\\Users\\dca.log"\n', 2, "single quotes"),
        ("[log]\n# Dr\xfccker\n".encode("latin-1"), 2, "UTF-8"),
        ("[log]\n".encode("utf-16"), 1, "UTF-8"),
        (b"a = " + b"[" * 100_000, None, "nested deeper"),
        (b"#" * (4 * 1024 * 1024 + 1), None, "larger than 4 MiB"),
    ],
)
def test_what_cannot_even_be_read(tmp_path, data, line, words):
    (tmp_path / "dca.toml").write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "dca.toml")
    (problem,) = caught.value.problems
    assert words in problem.message
    assert problem.line == line


def test_the_marks_of_other_systems_do_not_matter(tmp_path):
    (tmp_path / "dca.toml").write_bytes(codecs.BOM_UTF8 + HUB.replace("\n", "\r\n").encode())
    assert load(tmp_path / "dca.toml").hub is not None
    with pytest.raises(ConfigError) as caught:
        parse("[log]\r\n\r\nlevel = 1\r\n")
    assert caught.value.problems[0].line == 3


# --- anything at all ----------------------------------------------------------------------------------------

VALUES = st.recursive(
    st.booleans() | st.integers(-5, 70_000) | st.floats(allow_nan=False) | st.sampled_from(["", "hunter2", "5m", "3"]),
    lambda below: (
        st.lists(below, max_size=2) | st.dictionaries(st.sampled_from(["host", "name", "x"]), below, max_size=2)
    ),
    max_leaves=4,
)


def write(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list):
        return f"[{', '.join(write(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key} = {write(item)}' for key, item in value.items())}}}"
    return "inf" if value == float("inf") else "-inf" if value == float("-inf") else repr(value)


@st.composite
def wild(draw):
    parts = []
    for name, section in [*TABLES.items(), *ARRAYS.items()]:
        if draw(st.booleans()):
            parts.append(f"[[{name}]]" if name in ARRAYS else f"[{name}]")
            parts += [f"{key} = {write(draw(VALUES))}" for key in keys_of(section) if draw(st.booleans())]
    return "\n".join(parts)


@settings(deadline=None)
@given(wild())
def test_any_values_give_a_config_or_a_config_error_that_shows_no_secret(text):
    found = []
    try:
        assert isinstance(parse(text, environ={}), Config)
    except ConfigError as error:
        found = error.problems
        assert found, "an error without a problem"  # no error is as good
    for problem in found:
        assert problem.line
        if problem.key.rpartition(".")[2] in {
            "activation_code",
            "community",
            "auth_password",
            "priv_password",
            "proxy",
        }:
            assert "hunter2" not in problem.message

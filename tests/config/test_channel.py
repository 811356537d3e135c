from __future__ import annotations

import pytest

from dca.config import ChannelConfig, parse
from dca.errors import ConfigError
from dca.model import Secret

BROKER = '[channel]\nkind = "broker"\nclient_id = "a1"\ntasks_topic = "t"\n'
AZURE = '[channel]\nkind = "azure"\ndevice_id = "office"\n'


def problems(text, environ=None):
    with pytest.raises(ConfigError) as caught:
        parse(text, environ=environ or {})
    return {problem.key: problem.message for problem in caught.value.problems}


def test_without_a_table_the_hub_says_how():
    assert parse("").channel == ChannelConfig()
    assert parse("").channel.kind == "hub"
    assert parse("").channel.keepalive == 60


def test_a_broker_of_ones_own():
    text = f'{BROKER}user = "u"\npassword = "env:WORD"\nstatus_topic = "s"\n'
    text += 'path = "/ws"\nfallback_port = 0\nkeepalive = "5m"'
    assert parse(text, environ={"WORD": "secret"}).channel == ChannelConfig(
        kind="broker", client_id="a1", tasks_topic="t", status_topic="s", user="u", password=Secret("secret"),
        path="/ws", fallback_port=0, keepalive=300,
    )  # fmt: skip


def test_an_iot_hub():
    channel = parse(f'{AZURE}sas_key = "env:KEY"', environ={"KEY": "a2V5"}).channel
    assert (channel.device_id, channel.sas_key) == ("office", Secret("a2V5"))


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ('[channel]\nuser = "u"', "channel.user", 'goes with kind = "broker"'),
        ('[channel]\ndevice_id = "office"', "channel.device_id", 'goes with kind = "azure"'),
        ('[channel]\nstatus_topic = "s"', "channel.status_topic", 'goes with kind = "broker"'),
        ('[channel]\nkind = "broker"\nclient_id = "x"', "channel.tasks_topic", "is missing"),
        ('[channel]\nkind = "broker"\ntasks_topic = "x"', "channel.client_id", "is missing"),
        ('[channel]\nkind = "azure"', "channel.device_id", "is missing"),
        (f'{BROKER}password = "env:KEY"', "channel.password", "user goes with it"),
        (f'{AZURE}sas_key = "env:KEY"', "channel.sas_key", "no base64"),
        (f'{BROKER}status_topic = "s/#"', "channel.status_topic", "wildcard"),
        (f'{AZURE}status_topic = "s"', "channel.status_topic", "devices/office/messages/events/"),
        (f'{AZURE}path = "mqtt"', "channel.path", 'beginning with "/"'),
        (f'{BROKER}path = "/a b"', "channel.path", "no spaces"),
        ('[channel]\nkeepalive = "20m"', "channel.keepalive", "10s to 19m"),
        ('[channel]\nkeepalive = "5s"', "channel.keepalive", "10s to 19m"),
        ("[channel]\nfallback_port = 65536", "channel.fallback_port", "0 to 65535"),
        ('[channel]\nkind = "mqtt"', "channel.kind", "azure"),
        ('[[channel]]\nkind = "hub"', "channel", "write [channel]"),
        ("channel = 1", "channel", "a table"),
    ],
)
def test_what_does_not_fit_is_told(text, key, words):
    assert words in problems(text, {"KEY": "no base 64!"})[key]


def test_no_message_holds_the_key():
    assert "no base 64!" not in str(problems(f'{AZURE}sas_key = "env:KEY"', {"KEY": "no base 64!"}))
    assert "a2V5" not in repr(parse(f'{AZURE}sas_key = "env:KEY"', environ={"KEY": "a2V5"}))

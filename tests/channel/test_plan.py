from __future__ import annotations

import pytest

from dca.channel import Route, Topics, channel_plan
from dca.config import parse
from dca.errors import ChannelError
from dca.model import Secret
from dca.net.proxy import Proxy
from dca.wire.activation_pb2 import ChannelSettings

HUB = '[hub]\naddress = "hub.example.com"\n'
SETTINGS = ChannelSettings(
    client_id="a1", username="jwt", password="a token", tasks_topic="dca/a1/tasks", status_topic="dca/a1/status",
    websocket_path="/mqtt", fallback_port=8884,
)  # fmt: skip


def plan(text, settings=SETTINGS, environ=None):
    return channel_plan(parse(text, environ=environ or {}), settings, wall=lambda: 1795624256.0)


def test_the_hub_says_how_it_wants_to_be_called():
    found = plan(HUB)
    assert found.routes == (
        Route("wss", "hub.example.com", 443, "/mqtt"),
        Route("mqtts", "hub.example.com", 8884),
    )
    assert (found.login.client_id, found.login.username, found.login.secret()) == ("a1", "jwt", Secret("a token"))
    assert found.topics == Topics("dca/a1/tasks", "dca/a1/status")
    assert (found.keepalive, found.login.lifetime) == (60, None)
    assert "a token" not in repr(found)


def test_the_config_has_the_last_word_about_the_way():
    found = plan(f'{HUB}[hub.mqtt]\nhost = "mqtt.example.com"\nport = 8443\n[channel]\npath = "/ws"\nkeepalive = "2m"')
    assert [str(route) for route in found.routes] == ["wss://mqtt.example.com:8443/ws", "mqtts://mqtt.example.com:8884"]
    assert found.keepalive == 120
    assert [route.name for route in plan(f"{HUB}[channel]\nfallback_port = 0").routes] == ["wss"]
    assert plan(f"{HUB}[channel]\nfallback_port = 1234").routes[1].port == 1234


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("", SETTINGS),
        (f"{HUB}[channel]\nenabled = false", SETTINGS),
        (HUB, None),
        (HUB, ChannelSettings()),
    ],
)
def test_there_may_be_no_channel(text, settings):
    assert plan(text, settings) is None


@pytest.mark.parametrize(
    "more",
    [
        {"client_id": ""},
        {"fallback_port": 65536},
        {"websocket_path": "mqtt"},
        {"websocket_path": "/a\r\nX: y"},
        {"websocket_path": "/a b"},
        {"tasks_topic": "t\n"},
    ],
)
def test_settings_that_cannot_be_used_are_refused(more):
    settings = ChannelSettings()
    settings.CopyFrom(SETTINGS)
    for name, value in more.items():
        setattr(settings, name, value)
    with pytest.raises(ChannelError, match="hub"):
        plan(HUB, settings)


def test_a_broker_of_ones_own():
    text = f"""{HUB}[hub.mqtt]
host = "broker.example.com"
[channel]
kind = "broker"
user = "u"
password = "env:WORD"
client_id = "office"
tasks_topic = "t"
"""
    found = plan(text, None, {"WORD": "secret"})
    assert [str(route) for route in found.routes] == [
        "wss://broker.example.com:443/mqtt",
        "mqtts://broker.example.com:8883",
    ]
    assert (found.login.client_id, found.login.username, found.login.secret()) == ("office", "u", Secret("secret"))
    assert found.topics == Topics("t", None)


IOT = f"""{HUB}[hub.mqtt]
host = "office.azure-devices.net"
[channel]
kind = "azure"
device_id = "reception"
"""


def test_an_iot_hub_with_a_key_gets_a_new_signature_for_each_connection():
    found = plan(f'{IOT}sas_key = "env:KEY"', None, {"KEY": "a2V5"})
    assert [str(route) for route in found.routes] == [
        "wss://office.azure-devices.net:443/$iothub/websocket",
        "mqtts://office.azure-devices.net:8883",
    ]
    assert found.login.client_id == "reception"
    assert found.login.username == "office.azure-devices.net/reception/?api-version=2021-04-12"
    assert found.login.secret().reveal().startswith("SharedAccessSignature sr=office.azure-devices.net%2Fdevices%2F")
    assert found.login.secret().reveal().endswith("&se=1795627856")
    assert 0 < found.login.lifetime < 3600
    assert found.topics == Topics("devices/reception/messages/devicebound/#", None)


def test_an_iot_hub_without_a_key_is_shown_the_certificate():
    found = plan(f'{IOT}status_topic = "devices/reception/messages/events/"', None)
    assert (found.login.secret(), found.login.lifetime) == (None, None)
    assert found.login.username
    assert found.topics.status == "devices/reception/messages/events/"


def test_each_route_has_the_proxy_that_is_meant_for_it():
    environ = {"https_proxy": "http://proxy.example.com:3128", "no_proxy": "hub.example.com:8884"}
    first, second = plan(f'{HUB}proxy = "environment"', SETTINGS, environ).routes
    assert isinstance(first.proxy, Proxy)
    assert second.proxy is None
    assert str(first) == "wss://hub.example.com:443/mqtt through http://proxy.example.com:3128"

from __future__ import annotations

import pytest

from dca.channel import azure
from dca.errors import ChannelError
from dca.model import Secret

# printf '%s\n%s' 'office.azure-devices.net%2Fdevices%2Freception%201' 1795627856 |
#   openssl dgst -sha256 -hmac 'the key of a device' -binary | base64
SIGNATURE = "8Kl4xhbXiIze%2BJAsrOqMso6bD0m7%2BESXrhY0F4QOguM%3D"
KEY = Secret("dGhlIGtleSBvZiBhIGRldmljZQ==")


def test_a_signature_is_what_openssl_makes_of_it():
    token = azure.sas("office.azure-devices.net", "reception 1", KEY, lambda: 1795624256.9)
    assert token.reveal() == (
        f"SharedAccessSignature sr=office.azure-devices.net%2Fdevices%2Freception%201&sig={SIGNATURE}&se=1795627856"
    )


def test_names_are_those_of_the_documentation():
    assert azure.username("h.azure-devices.net", "d1") == "h.azure-devices.net/d1/?api-version=2021-04-12"
    assert azure.tasks_topic("d1") == "devices/d1/messages/devicebound/#"
    assert azure.PATH == "/$iothub/websocket"


def test_a_key_that_is_none_is_refused_without_showing_it():
    with pytest.raises(ChannelError) as caught:
        azure.sas("h", "d", Secret("not base64!"), lambda: 0.0)
    assert "not base64!" not in f"{caught.value} {caught.value.__cause__} "
    assert "channel.sas_key" in str(caught.value)

"""Azure IoT Hub as a broker: user name, topics and shared access signatures of a device.

Source: Microsoft, "Communicate with an IoT hub using the MQTT protocol" and "Control access to IoT Hub by using
shared access signatures". MQTT 3.1.1, on 8883 or as a WebSocket on 443; one connection a device.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import TYPE_CHECKING
from urllib.parse import quote

from dca.errors import ChannelError
from dca.model import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LIFETIME", "PATH", "SAS_LIFE", "sas", "tasks_topic", "username"]

PATH = "/$iothub/websocket"
SAS_LIFE = 3600.0
"""Seconds that a signature is good for."""
LIFETIME = SAS_LIFE - 300.0
"""Seconds after which the connection is made anew: MQTT 3.1.1 cannot renew a login."""
_API = "2021-04-12"


def username(host: str, device: str) -> str:
    """Return the user name of a device; needed beside a client certificate as well."""
    return f"{host}/{device}/?api-version={_API}"


def tasks_topic(device: str) -> str:
    """Return the topic of what is sent to a device (cloud-to-device messages, with their properties in the topic)."""
    return f"devices/{device}/messages/devicebound/#"


def sas(host: str, device: str, key: Secret, wall: Callable[[], float], life: float = SAS_LIFE) -> Secret:
    """Return a signature that lets the device in for `life` seconds from `wall` (Unix seconds).

    Raises ChannelError when the key is no base64.
    """
    try:
        secret = base64.b64decode(key.reveal(), validate=True)
    except (binascii.Error, ValueError):
        # Not chained: the error could hold the key.
        raise ChannelError("channel.sas_key is no base64; copy the device's primary key from the IoT hub") from None
    resource = quote(f"{host}/devices/{device}", safe="")
    expiry = int(wall() + life)
    digest = hmac.new(secret, f"{resource}\n{expiry}".encode(), hashlib.sha256).digest()
    signature = quote(base64.b64encode(digest), safe="")
    return Secret(f"SharedAccessSignature sr={resource}&sig={signature}&se={expiry}")

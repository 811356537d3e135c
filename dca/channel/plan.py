"""From the config, and from what the hub said at activation, to what `Channel` is made with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dca.channel.azure import LIFETIME, PATH, sas, tasks_topic, username
from dca.channel.terms import Login, Route, Topics
from dca.config import Endpoint, HubConfig
from dca.errors import ChannelError
from dca.model import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from dca.config import ChannelConfig, Config
    from dca.wire.activation_pb2 import ChannelSettings

__all__ = ["Plan", "channel_plan"]

_FALLBACK = 8883
_LARGEST_PORT = 65_535


@dataclass(frozen=True)
class Plan:
    """Arguments of `Channel`."""

    routes: tuple[Route, ...]
    login: Login
    topics: Topics
    keepalive: float
    """Seconds."""


def channel_plan(config: Config, settings: ChannelSettings | None, *, wall: Callable[[], float]) -> Plan | None:
    """Return how to listen for tasks; None when it is turned off, or the hub has no broker.

    `settings` are those of the activation. `wall` (Unix seconds) dates the logins at an Azure IoT Hub.
    Raises ChannelError when the hub's settings cannot be used.
    """
    hub, channel = config.hub, config.channel
    if hub is None or not channel.enabled:
        return None
    if channel.kind == "azure":
        return _azure(hub, channel, wall)
    if channel.kind == "broker":
        return _broker(hub, channel)
    if settings is None or not settings.tasks_topic:
        return None
    return _hub(hub, channel, settings)


def _hub(hub: HubConfig, channel: ChannelConfig, settings: ChannelSettings) -> Plan:
    path = channel.path or settings.websocket_path or hub.MQTT_PATH
    texts = (settings.client_id, settings.username, settings.tasks_topic, settings.status_topic, path)
    if (
        not settings.client_id
        or not all(text.isprintable() for text in texts)
        or settings.fallback_port > _LARGEST_PORT
    ):
        raise ChannelError("what the hub said about the channel cannot be used; agent and hub may be of other versions")
    if not path.startswith("/") or not path.isascii() or " " in path:
        raise ChannelError(f"the hub names {path!r} as the channel's path, which is none; set channel.path")
    port = settings.fallback_port if channel.fallback_port is None else channel.fallback_port
    password = Secret(settings.password) if settings.password else None
    return Plan(
        _routes(hub, path, port),
        Login(settings.client_id, settings.username, password),
        Topics(settings.tasks_topic, settings.status_topic or None),
        channel.keepalive,
    )


def _broker(hub: HubConfig, channel: ChannelConfig) -> Plan:
    assert channel.client_id is not None
    assert channel.tasks_topic is not None
    return Plan(
        _routes(hub, channel.path or hub.MQTT_PATH, _port(channel)),
        Login(channel.client_id, channel.user or "", channel.password),
        Topics(channel.tasks_topic, channel.status_topic),
        channel.keepalive,
    )


def _azure(hub: HubConfig, channel: ChannelConfig, wall: Callable[[], float]) -> Plan:
    device, key, host = channel.device_id, channel.sas_key, hub.mqtt.host
    assert device is not None
    name = username(host, device)
    if key is None:
        login = Login(device, name)
    else:
        login = Login(device, name, lambda: sas(host, device, key, wall), lifetime=LIFETIME)
    return Plan(
        _routes(hub, channel.path or PATH, _port(channel)),
        login,
        Topics(tasks_topic(device), channel.status_topic),
        channel.keepalive,
    )


def _port(channel: ChannelConfig) -> int:
    return _FALLBACK if channel.fallback_port is None else channel.fallback_port


def _routes(hub: HubConfig, path: str, port: int) -> tuple[Route, ...]:
    """Return the WebSocket, and behind it MQTT over TLS where there is a port for it."""
    first = Route("wss", hub.mqtt.host, hub.mqtt.port, path, hub.proxy_for(hub.mqtt))
    if not port:
        return (first,)
    return first, Route("mqtts", hub.mqtt.host, port, None, hub.proxy_for(Endpoint(hub.mqtt.host, port)))

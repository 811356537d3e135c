"""The channel section: which broker the agent listens at, and how it logs in there."""

# ruff: noqa: RUF009 - key() returns dataclasses.field()

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from dca.config.durations import Duration
from dca.config.kinds import Choice, Flag, Text, Whole
from dca.config.secrets import SecretKind
from dca.config.table import key, read_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dca.config.table import Place
    from dca.model import Secret

__all__ = ["ChannelConfig", "ChannelKind", "read_channel"]

ChannelKind: TypeAlias = Literal["hub", "broker", "azure"]

_KINDS: dict[str, ChannelKind] = {"hub": "hub", "broker": "broker", "azure": "azure"}
_NEEDED: dict[ChannelKind, tuple[str, ...]] = {
    "hub": (),
    "broker": ("client_id", "tasks_topic"),
    "azure": ("device_id",),
}
_BROKER = ("user", "password", "client_id", "tasks_topic", "status_topic")
_AZURE = ("device_id", "sas_key")
_TOPIC = Text(256)
_DEVICE = r"[A-Za-z0-9\-.%_*?!(),:=@$']{1,128}"


@dataclass(frozen=True)
class ChannelConfig:
    """How the agent hears of tasks at once; the broker stands at ``[hub.mqtt]``.

    Without it tasks come with the next delivery.
    """

    enabled: bool = key(
        Flag(), default=True, why="false: no connection is kept, and tasks come with the next delivery."
    )
    kind: ChannelKind = key(
        Choice(_KINDS),
        default="hub",
        otherwise='"hub"',
        sample='"broker"',
        why='"hub" goes by the activation; "broker" is any MQTT 3.1.1 broker, "azure" an Azure IoT Hub.',
    )
    user: str | None = key(Text(255), otherwise="none", sample='"dca"', why='For kind "broker".')
    password: Secret | None = key(
        SecretKind(), otherwise="none", sample='"file:/etc/dca/broker-password"', why="Goes with user."
    )
    client_id: str | None = key(
        Text(128),
        otherwise='needed for kind "broker"',
        sample='"dca-office"',
        why="The broker keeps what waits under this name: the same at every start, and no other client's.",
    )
    tasks_topic: str | None = key(
        _TOPIC,
        otherwise='needed for kind "broker"',
        sample='"dca/office/tasks"',
        why="Where tasks are published; subscribed with QoS 1.",
    )
    status_topic: str | None = key(
        _TOPIC,
        otherwise="none",
        sample='"dca/office/status"',
        why='Where "online" and "offline" (also as last will) are published, for kinds "broker" and "azure".',
    )
    path: str | None = key(
        Text(256, form=r"/[!-~]*", words='beginning with "/", no spaces'),
        otherwise='that of the activation, "/mqtt" or "/$iothub/websocket"',
        sample='"/mqtt"',
        why="Path of the WebSocket.",
    )
    fallback_port: int | None = key(
        Whole(0, 65_535),
        otherwise="that of the activation, else 8883",
        sample="8883",
        why="Port of MQTT over TLS, taken where the WebSocket does not come through; 0: none.",
    )
    device_id: str | None = key(
        Text(128, form=_DEVICE, words="as the IoT hub has it"),
        otherwise='needed for kind "azure"',
        sample='"office"',
        why="The device's name at the IoT hub; user, client id and topics follow from it.",
    )
    sas_key: Secret | None = key(
        SecretKind(),
        otherwise="the agent's certificate is shown (X.509)",
        sample='"file:/etc/dca/iothub-key"',
        why='The device\'s primary key, base64, for kind "azure".',
    )
    keepalive: float = key(
        Duration(10, 19 * 60),
        default=60.0,
        unit="duration",
        why="Silence after which a sign of life is sent; routers forget silent connections, many after four minutes.",
    )


def read_channel(table: object, place: Place) -> ChannelConfig | None:
    """Read ``[channel]``; None when something is wrong (all of it is noted)."""
    before = len(place.problems.found)
    channel = read_table(ChannelConfig, table, place)
    if channel is not None and isinstance(table, dict):
        _check_kind(channel, table, place)
        _check_topics(channel, place)
    return channel if len(place.problems.found) == before else None


def _check_kind(channel: ChannelConfig, table: Mapping[str, object], place: Place) -> None:
    if channel.kind == "hub":
        for name in (*_BROKER, *_AZURE):
            if name in table:
                kinds = '"azure"' if name in _AZURE else '"broker"'
                place.fail(f'has no meaning with kind = "hub"; it goes with kind = {kinds}', name)
    for name in _NEEDED[channel.kind]:
        if name not in table:
            place.fail(f'is missing; kind = "{channel.kind}" needs it', name)
    if channel.kind == "broker" and channel.password is not None and channel.user is None:
        place.fail("stands alone; user goes with it", "password")
    if channel.kind == "azure" and channel.sas_key is not None and not _is_base64(channel.sas_key):
        place.fail("leads to something that is no base64; copy the device's primary key from the IoT hub", "sas_key")


def _check_topics(channel: ChannelConfig, place: Place) -> None:
    status = channel.status_topic
    if status is None:
        return
    if set(status) & set("+#"):
        place.fail("has a wildcard (+ or #); allowed is one topic", "status_topic")
    wanted = f"devices/{channel.device_id}/messages/events/"
    if channel.kind == "azure" and channel.device_id and not status.startswith(wanted):
        place.fail(f'cannot be used at an Azure IoT Hub, which takes "{wanted}" only', "status_topic")


def _is_base64(secret: Secret) -> bool:
    try:
        return bool(base64.b64decode(secret.reveal(), validate=True))
    except (binascii.Error, ValueError):
        return False

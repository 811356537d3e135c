"""paho at the hub's door, with any certificate, client id and token."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from dca.net.tls import load_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from dca.identity.identity import Identity
    from tests.hub.process import HubProcess

__all__ = ["Mqtt", "lets_in"]

NO = 0x80
WAIT = 10.0


class _Client(Client):
    """Is handed its connection, so that whoever opened it closes it."""

    line: ssl.SSLSocket

    def _create_socket_connection(self) -> socket.socket:
        return self.line


class Mqtt:
    """A client that is connected, or was refused, when it is made."""

    def __init__(
        self,
        hub: HubProcess,
        certificate: Identity | None,
        *,
        token: str = "",
        client_id: str = "",
        websocket: bool = False,
        clean: bool = False,
        will: tuple[str, bytes, bool] | None = None,
    ) -> None:
        self.messages: list[tuple[str, bytes]] = []
        self.subscribed: dict[int, list[int]] = {}
        self.published: set[int] = set()
        self.code: int | None = None
        self.ended = threading.Event()
        self._news = threading.Condition()
        own = certificate.channel if certificate is not None else None
        name = client_id or (own.client_id if own is not None else "nobody")
        self.client = _Client(
            CallbackAPIVersion.VERSION2, name, clean_session=clean, protocol=MQTTProtocolVersion.MQTTv311,
            transport="websockets" if websocket else "tcp", reconnect_on_failure=False,
        )  # fmt: skip
        self.client.username_pw_set(name, token or (own.password if own is not None else "none"))
        if websocket:
            self.client.ws_set_options("/mqtt")
        if will is not None:
            self.client.will_set(will[0], will[1], 1, retain=will[2])
        self.client.on_connect = self._connected
        self.client.on_disconnect = lambda *_: self._note(self.ended.set)
        self.client.on_message = lambda _c, _u, m: self._note(lambda: self.messages.append((m.topic, m.payload)))
        self.client.on_subscribe = self._subscribed
        self.client.on_publish = lambda _c, _u, mid, *_: self._note(lambda: self.published.add(mid))
        self._open(hub, certificate, "grpc" if websocket else "mqtt")

    def _open(self, hub: HubProcess, certificate: Identity | None, door: str) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(hub.ready["ca_file"])
        if certificate is not None:
            load_key(context, certificate.key.reveal().encode(), certificate.chain.encode())
        host, _, port = hub.ready[door].rpartition(":")
        with socket.create_connection((host, int(port)), WAIT) as line:
            self.client.line = context.wrap_socket(line, server_hostname=host)
        try:
            self.client.connect(host, int(port), 30)
        except (OSError, ValueError):
            self.ended.set()
        else:
            self.client.loop_start()

    def _note(self, act: Callable[[], Any]) -> None:
        with self._news:
            act()
            self._news.notify_all()

    def _connected(self, _client: Any, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        def act() -> None:
            self.code = code.value

        self._note(act)

    def _subscribed(self, _client: Any, _data: Any, mid: int, codes: Any, _properties: Any) -> None:
        self._note(lambda: self.subscribed.update({mid: [code.value for code in codes]}))

    def until(self, condition: Callable[[], Any], seconds: float = WAIT) -> bool:
        with self._news:
            return bool(self._news.wait_for(condition, seconds))

    @property
    def is_in(self) -> bool:
        """Whether the broker let it in."""
        self.until(lambda: self.code is not None or self.ended.is_set())
        return self.code == 0

    def subscribes(self, topic: str) -> bool:
        """Whether the broker lets it subscribe; a broker that ends the connection for it does not."""
        _, mid = self.client.subscribe(topic, 1)
        self.until(lambda: mid in self.subscribed or self.ended.is_set())
        return self.subscribed.get(mid or -1, [NO])[0] < NO

    def publishes(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish, and wait for what comes of it: an acknowledgement or the end."""
        sent = self.client.publish(topic, payload, 1, retain=retain)
        self.until(lambda: sent.mid in self.published or self.ended.is_set())

    def close(self, *, cut: bool = False) -> None:
        """End it; with `cut` without a farewell, so that the broker publishes the will."""
        if cut:
            with contextlib.suppress(OSError):
                self.client.line.shutdown(socket.SHUT_RDWR)
        else:
            self.client.disconnect()
        self.client.loop_stop()
        self.client.line.close()


def lets_in(hub: HubProcess, certificate: Identity) -> bool:
    """Whether the broker lets an agent in now."""
    one = Mqtt(hub, certificate)
    try:
        return one.is_in
    finally:
        one.close()

"""The one place that makes a paho client: MQTT 3.1.1, persistent session, acknowledged by hand.

paho looks for proxies in the environment (``mqtt_proxy``, ``no_proxy``) and in PySocks's defaults wherever it opens a
connection itself, also where it was given a proxy or none. So it never does: it is handed one that stands, with TLS on
it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from dca.net.hosts import join_host_port

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from dca.channel.terms import Login, Route, Topics

__all__ = ["MqttClient", "make_client"]

_HTTPS = 443
_UPGRADE = 5.0
"""Seconds between two bytes of the answer to the WebSocket's upgrade; the whole has a limit of its own."""


class MqttClient(Client):
    """paho's client on a connection that it is given."""

    def __init__(self, client_id: str, connect: Callable[[], socket.socket], *, websocket: bool) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=False,
            protocol=MQTTProtocolVersion.MQTTv311,
            transport="websockets" if websocket else "tcp",
            reconnect_on_failure=False,
            manual_ack=True,
        )
        self._given = connect

    @property
    def announced(self) -> int:
        """Return the bytes of the packet that is coming in, as its first bytes say."""
        return self._in_packet["remaining_length"]

    def _create_socket_connection(self) -> socket.socket:
        return self._given()


def make_client(route: Route, login: Login, topics: Topics, connect: Callable[[], socket.socket]) -> MqttClient:
    """Return a client for one connection, which `connect` opens.

    Raises ChannelError when the password cannot be made.
    """
    client = MqttClient(login.client_id, connect, websocket=route.path is not None)
    client.connect_timeout = _UPGRADE
    secret = login.secret()
    if login.username:
        client.username_pw_set(login.username, secret.reveal() if secret else None)
    if route.path is not None:
        host = route.host if route.port == _HTTPS else join_host_port(route.host, route.port)
        # paho sees no TLS, for it stands already; without these it would say http://.
        client.ws_set_options(route.path, {"Host": host, "Origin": f"https://{host}"})
    if topics.status is not None:
        client.will_set(topics.status, b"offline", qos=1)
    return client

"""The thread's part of a connection: opens it, reads and writes until it ends, and says why it did.

Everything of paho is called in this one thread. Others hand in requests (`Worker.request`) and stop it through its
`Dial`.
"""

from __future__ import annotations

import collections
import contextlib
import selectors
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from paho.mqtt.client import MQTT_LOG_ERR

from dca.channel.paho import make_client
from dca.channel.reasons import NOT_MQTT, LineError, Phase, denied, explain, lost, oversized, refused

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode

    from dca.channel.terms import Login, Route, Topics
    from dca.net.connect import Dial

__all__ = ["Message", "Worker"]

_ROOM = 200
"""Messages handed over and not yet done, at which reading stops: a broker that keeps no limit finds one here."""
_LARGEST_PACKET = 4 << 20
"""Bytes; what is larger is not even read to be dropped, for that takes its memory and, by WebSocket, its square."""
_TICK = 1.0
"""Seconds between two looks at the keepalive."""
_NO = 0x80
"""A return code of SUBACK from here on says no (MQTT 3.1.1, 3.9.3)."""
_ENDS = {"Keep alive timeout": "no answer for {} s", "Protocol error": NOT_MQTT}
"""What paho's names for the end of a connection mean."""


@dataclass(frozen=True)
class Message:
    """What came, and what its acknowledgement needs."""

    payload: bytes
    mid: int
    qos: int


class Worker:
    """`run` does the work; `on_up` and `on_message` are called in its thread."""

    def __init__(
        self,
        route: Route,
        login: Login,
        topics: Topics,
        dial: Dial,
        tls: Callable[[], ssl.SSLContext],
        *,
        keepalive: int,
        on_up: Callable[[], None],
        on_message: Callable[[Message], None],
    ) -> None:
        self.phase: Phase = "reach"
        """How far it has come; may be read from other threads."""
        self._route = route
        self._topics = topics
        self._dial = dial
        self._tls = tls
        self._keepalive = keepalive
        self._on_up = on_up
        self._on_message = on_message
        self._client = make_client(route, login, topics, self._connect)
        self._client.on_connect = self._connected
        self._client.on_subscribe = self._answered
        self._client.on_message = self._came
        self._client.on_disconnect = self._disconnected
        self._client.on_log = self._logged
        self._said = ""
        self._no: LineError | None = None
        self._secured: ssl.SSLSocket | None = None
        self._under_way = 0
        self._requests: collections.deque[Callable[[], object]] = collections.deque()
        self._wake, self._waker = socket.socketpair()
        self._wake.setblocking(False)
        self._waker.setblocking(False)

    def run(self) -> LineError:
        """Connect, stay until the end, and return why it came."""
        try:
            self._client.connect(self._route.host, self._route.port, self._keepalive)
            if self.phase == "upgrade":
                self.phase = "login"
            self._serve()
        except Exception as error:  # noqa: BLE001 - whatever ends a line, a bug of paho too, is told to who waits
            failure = explain(self._route, self.phase, error)
        else:
            failure = lost(self._route, self.phase, self._said)
        finally:
            if self._secured is not None:
                self._secured.close()
            self._dial.close()
            self._wake.close()
            self._waker.close()
        return self._no or failure

    def request(self, act: Callable[[], object]) -> None:
        """Have `act` called in the thread; from any thread, and to no effect once it has ended."""
        self._requests.append(act)
        with contextlib.suppress(OSError):  # full: it is woken already; closed: it is over
            self._waker.send(b"\0")

    def done(self, message: Message, *, kept: bool) -> None:
        """Take note that a message is done with, and acknowledge it if it is kept. In the thread."""
        self._under_way -= 1
        if kept and message.qos:
            self._client.ack(message.mid, message.qos)

    def leave(self, *, farewell: bool) -> None:
        """Disconnect in order, so that no last will is published; a farewell says what it would. In the thread."""
        if self._client.is_connected():
            if farewell and self._topics.status is not None:
                self._client.publish(self._topics.status, b"offline", qos=1)
            self._client.disconnect()

    def _connect(self) -> ssl.SSLSocket:
        """Give paho a connection with TLS on it."""
        context = self._tls()
        sock = self._dial.open()
        self.phase = "tls"
        try:
            # An end without TLS's own farewell is told from one in order.
            self._secured = context.wrap_socket(sock, server_hostname=self._route.host, suppress_ragged_eofs=False)
        finally:
            sock.close()  # TLS has taken it over, or it is of no use
        self.phase = "login" if self._route.path is None else "upgrade"
        return self._secured

    def _serve(self) -> None:
        secured, client = self._secured, self._client
        assert secured is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake, selectors.EVENT_READ)
            watched = 0
            while client.socket() is not None:
                reads = self._under_way < _ROOM
                wanted = selectors.EVENT_READ * reads | selectors.EVENT_WRITE * client.want_write()
                watched = _watch(selector, secured, watched, wanted)
                waits = reads and secured.pending() > 0  # in TLS's hands already, so select does not see it
                ready = {key.fileobj: events for key, events in selector.select(0 if waits else _TICK)}
                if self._wake in ready:
                    self._wake.recv(4096)
                while self._requests:
                    self._requests.popleft()()
                if waits or ready.get(secured, 0) & selectors.EVENT_READ:
                    client.loop_read()
                    if client.announced > _LARGEST_PACKET:
                        self._no = oversized(self._route, client.announced, self._topics.tasks)
                        return
                if client.want_write():
                    client.loop_write()
                client.loop_misc()

    def _connected(
        self, client: Client, _data: object, _flags: ConnectFlags, code: ReasonCode, _properties: Properties | None
    ) -> None:
        if code.is_failure:
            self._no = refused(self._route, code.value)
            return
        self.phase = "subscribe"
        client.subscribe(self._topics.tasks, qos=1)

    def _answered(
        self, client: Client, _data: object, _mid: int, codes: list[ReasonCode], _properties: Properties | None
    ) -> None:
        if any(code.value >= _NO for code in codes):
            self._no = denied(self._route, self._topics.tasks)
            client.disconnect()
            return
        self.phase = "up"
        if self._topics.status is not None:
            client.publish(self._topics.status, b"online", qos=1)
        self._on_up()

    def _came(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        self._under_way += 1
        self._on_message(Message(bytes(message.payload), message.mid, message.qos))

    def _disconnected(
        self, _client: Client, _data: object, _flags: DisconnectFlags, code: ReasonCode, _properties: Properties | None
    ) -> None:
        if not self._said and code.getName() in _ENDS:
            self._said = _ENDS[code.getName()].format(2 * self._keepalive)

    def _logged(self, _client: Client, _data: object, level: int, text: str) -> None:
        if level == MQTT_LOG_ERR:
            self._said = text


def _watch(selector: selectors.BaseSelector, sock: socket.socket, watched: int, wanted: int) -> int:
    """Have the selector look for what is wanted of the connection; return it."""
    if wanted != watched:
        if watched:
            selector.unregister(sock)
        if wanted:
            selector.register(sock, wanted)
    return wanted

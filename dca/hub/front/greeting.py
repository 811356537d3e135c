"""What an MQTT client says first: held back until it fits the certificate that was shown.

The broker knows a client by its token alone, and a session by the client id that it names. So a token that was stolen,
or another agent's session, would be open to every agent: here both must be those of the certificate's agent. Bytes in,
bytes out, no I/O; by MQTT 3.1.1 (3.1) and RFC 6455 (5.2).
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from uuid import UUID

__all__ = ["Greeting"]

LARGEST = 8192
"""Bytes of the WebSocket's request, and of CONNECT."""
# Strict, so that the broker cannot read another request in it: no body, no line that ends in another way. And no header
# but these: with Nats-No-Masking it would read frames in another way than here, and see another client in them.
_UPGRADE = re.compile(
    rb"GET [!-~]+ HTTP/1\.1\r\n"
    rb"(?:(?i:host|upgrade|connection|origin|user-agent|sec-websocket-(?:key|version|protocol)):[\t -~]*\r\n)+\r\n"
)
_CONTINUED, _BINARY, _FINAL, _MASKED = 0x0, 0x2, 0x80, 0x80
_CONNECT, _NAME_AND_LEVEL = 0x10, b"\x00\x04MQTT\x04"
_HAS_NAME, _HAS_PASSWORD, _HAS_WILL = 0x80, 0x40, 0x04
_LENGTH_BYTES = 4


class Greeting:
    """The first bytes from a client, until `done`."""

    def __init__(self, agent_id: UUID, *, websocket: bool) -> None:
        self.done = False
        """Whatever follows goes on without a look."""
        self._agent_id = str(agent_id)
        self._upgrading = websocket
        self._framed = websocket
        self._held = b""
        self._parsed = 0
        self._mqtt = b""

    def feed(self, data: bytes) -> bytes:
        """Take what came and return what may go on. Raises ValueError for what must not; it repeats no secret."""
        if self.done:
            return data
        self._held += data
        passed = b""
        if self._upgrading:
            head, end, rest = self._held.partition(b"\r\n\r\n")
            if not end:
                return self._wait(len(self._held))
            passed = head + end
            if len(passed) > LARGEST or not _UPGRADE.fullmatch(passed):
                raise ValueError("the request for a WebSocket is none")
            self._upgrading, self._held = False, rest
        self._read()
        connect = _packet(self._mqtt)
        if connect is None:
            return passed + self._wait(max(len(self._held), len(self._mqtt)))
        self._judge(connect)
        self.done = True
        return passed + self._held

    def _read(self) -> None:
        """Bring what is held into one row of MQTT's bytes."""
        if not self._framed:
            self._mqtt = self._held
            return
        while frame := _frame(self._held[self._parsed :]):
            self._mqtt += frame.payload
            self._parsed += frame.size

    def _judge(self, connect: bytes) -> None:
        client_id, password = _fields(connect)
        if client_id != self._agent_id:
            raise ValueError("its client id is not that of its certificate's agent")
        if _owner(password) != self._agent_id:
            raise ValueError("its token is not that of its certificate's agent")

    @staticmethod
    def _wait(size: int) -> bytes:
        if size > LARGEST:
            raise ValueError("it says too much before it logs in")
        return b""


class _Frame(NamedTuple):
    size: int
    """With its head."""
    payload: bytes


def _frame(data: bytes) -> _Frame | None:
    """Return the first WebSocket frame, None while it is not whole. Raises ValueError."""
    short, long = 126, 127
    if data and (data[0] & ~_FINAL) not in {_BINARY, _CONTINUED}:
        raise ValueError("what comes by the WebSocket is no MQTT")
    if len(data) <= 1:
        return None
    length, at = data[1] & ~_MASKED, 2
    if not data[1] & _MASKED or length == long:
        raise ValueError("a frame of the WebSocket is not masked, or too large")
    if length == short:
        length, at = int.from_bytes(data[2:4], "big"), 4
    mask, payload = data[at : at + 4], data[at + 4 : at + 4 + length]
    if len(data) < at + 4 + length:
        return None
    plain = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
    return _Frame(at + 4 + length, plain)


def _packet(data: bytes) -> bytes | None:
    """Return the body of CONNECT, None while it is not whole. Raises ValueError."""
    if data and data[0] != _CONNECT:
        raise ValueError("what comes first is no CONNECT")
    length = 0
    for place, byte in enumerate(data[1 : 1 + _LENGTH_BYTES]):
        length |= (byte & 0x7F) << 7 * place
        if length > LARGEST:
            raise ValueError("its CONNECT is too large")
        if not byte & 0x80:
            begin = 2 + place
            return data[begin : begin + length] if len(data) >= begin + length else None
    if len(data) > _LENGTH_BYTES:
        raise ValueError("its CONNECT has no length")
    return None


def _fields(connect: bytes) -> tuple[str, str]:
    """Return client id and password of a CONNECT. Raises ValueError."""
    head = len(_NAME_AND_LEVEL)
    if not connect.startswith(_NAME_AND_LEVEL) or len(connect) < head + 3:
        raise ValueError("it does not speak MQTT 3.1.1")
    flags, texts = connect[head], connect[head + 3 :]
    if not flags & _HAS_NAME or not flags & _HAS_PASSWORD:
        raise ValueError("it has no user name or no password")
    fields = []
    for _ in range(5 if flags & _HAS_WILL else 3):
        size = int.from_bytes(texts[:2], "big")
        if len(texts) < 2 + size:
            raise ValueError("its CONNECT is cut short")
        fields.append(texts[2 : 2 + size])
        texts = texts[2 + size :]
    if texts:
        raise ValueError("its CONNECT has more than it says")
    return fields[0].decode("utf-8", "replace"), fields[-1].decode("utf-8", "replace")


def _owner(token: str) -> str:
    """Return whom a token (JWT) is made out to; that it is genuine is for the broker to see. Raises ValueError."""
    _, _, rest = token.partition(".")
    claims = rest.partition(".")[0]
    try:
        name = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["name"]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise ValueError("its password is no token") from None
    return str(name)

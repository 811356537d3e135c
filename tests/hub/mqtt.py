"""MQTT's first words, as bytes: CONNECT (MQTT 3.1.1, 3.1) and the frames of a WebSocket around it (RFC 6455)."""

from __future__ import annotations

import base64
import json

UPGRADE = (
    b"GET /mqtt HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def token(name: str) -> str:
    """A token as the hub's are, but for the signature."""
    claims = base64.urlsafe_b64encode(json.dumps({"name": name}).encode()).rstrip(b"=").decode()
    return f"eyJ0eXAiOiJKV1QifQ.{claims}.c2lnbmF0dXJl"


def text(value: str | bytes) -> bytes:
    """A text of MQTT."""
    data = value.encode() if isinstance(value, str) else value
    return len(data).to_bytes(2, "big") + data


def packet(body: bytes, kind: int = 0x10) -> bytes:
    """A packet of MQTT."""
    length, size = b"", len(body)
    while True:
        size, low = divmod(size, 128)
        length += bytes([low | 0x80 * bool(size)])
        if not size:
            return bytes([kind]) + length + body


def connect(
    client_id: str,
    password: str,
    *,
    user: str = "any",
    level: bytes = b"\x00\x04MQTT\x04",
    will: tuple[str, str] | None = None,
    flags: int = 0xC0,
    more: bytes = b"",
) -> bytes:
    """A CONNECT."""
    middle = text(will[0]) + text(will[1]) if will else b""
    head = level + bytes([flags | 0x0C * bool(will)]) + b"\x00\x3c"
    return packet(head + text(client_id) + middle + text(user) + text(password) + more)


def frame(payload: bytes, *, opcode: int = 0x82, masked: bool = True) -> bytes:
    """A frame as a client sends it."""
    mask, bit = b"\x12\x34\x56\x78", 0x80 * masked
    size = len(payload)
    head = bytes([opcode, bit | size]) if size < 126 else bytes([opcode, bit | 126]) + size.to_bytes(2, "big")
    if not masked:
        return head + payload
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))

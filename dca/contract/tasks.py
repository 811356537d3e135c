"""How a task is signed and how large it may be (task.proto)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from dca.wire.task_pb2 import Task, TaskBody

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["MAX_LIFE", "MAX_PARAMETERS", "MAX_RESULT", "MAX_TASK", "is_signed", "sign"]

MAX_TASK = 60_000
"""Bytes of a serialized Task: what MQTT brokers take (Azure IoT Hub: 64 KB)."""
MAX_PARAMETERS = 32_000
"""Characters of a task's parameters, JSON."""
MAX_RESULT = 200_000
"""Characters of a result, JSON: a row of the outbox takes 256 KiB."""
MAX_LIFE = 8 * 86_400
"""Seconds from issued_at to expires that an agent accepts: it remembers each task at least that long."""
_DOMAIN = b"dca task v1\0"


def sign(body: TaskBody, key: Ed25519PrivateKey) -> Task:
    """Return the task as it travels."""
    content = body.SerializeToString(deterministic=True)
    return Task(body=content, signature=key.sign(_DOMAIN + content))


def is_signed(task: Task, key: bytes) -> bool:
    """Tell whether `key` (Ed25519, 32 bytes) has signed exactly this body."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(task.signature, _DOMAIN + task.body)
    except (InvalidSignature, ValueError):
        return False
    return True

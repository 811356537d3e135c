"""The hub's broker as agents see it: their settings for MQTT, and tasks put on their topics."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dca.wire.activation_pb2 import ChannelSettings

if TYPE_CHECKING:
    from uuid import UUID

    from dca.hub.engines.nats_auth import NatsKeys
    from dca.hub.stream import Link

__all__ = ["Broker"]

WEBSOCKET_PATH = "/mqtt"
"""Where NATS takes MQTT over WebSocket."""


class Broker:
    """NATS for agents; without keys for it there is none, and tasks go with the five-minute call."""

    def __init__(self, link: Link, keys: NatsKeys | None, fallback_port: int) -> None:
        self._link = link
        self._keys = keys
        self._fallback_port = fallback_port

    def settings(self, agent_id: UUID, until: datetime) -> ChannelSettings | None:
        """Return an agent's way in, good until a time."""
        if self._keys is None:
            return None
        name = str(agent_id)
        return ChannelSettings(
            client_id=name,
            username=name,
            password=self._keys.agent(name, datetime.now(UTC), until),
            tasks_topic=f"dca/{name}/tasks",
            status_topic=f"dca/{name}/status",
            websocket_path=WEBSOCKET_PATH,
            fallback_port=self._fallback_port,
        )

    async def publish(self, agent_id: str, task: bytes) -> None:
        """Put a task on its agent's topic; one that is away fetches it when it comes back. Raises as NATS does."""
        if self._keys is not None:
            await self._link.client.publish(f"dca.{agent_id}.tasks", task)

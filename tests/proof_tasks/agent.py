"""The agent of the proof: it may write to devices, and three lines lead to its hub: calls, channel, fallback."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from dca.errors import StoreError
from dca.store import read_only
from dca.telemetry import read_figures
from tests.proof_delivery.processes import Process
from tests.proof_delivery.relay import Relay

if TYPE_CHECKING:
    from pathlib import Path

    from tests.proof_delivery.processes import Fleet, Hub

__all__ = ["WRITER", "Agent", "Lines"]

WRITER = "a writer's community"
CONFIG = """\
[hub]
address = "127.0.0.1:{calls}"
activation_code = "file:{code}"
[hub.mqtt]
port = {channel}
[channel]
fallback_port = {fallback}
keepalive = "10s"
[agent]
state_dir = "{state}"
[schedule]
discovery = "1h"
full = "1h"
supplies = "1h"
status = "1h"
delivery = "{interval}s"
[limits]
packets_per_second = 100000
packets_per_second_per_24 = 100000
timeout = "1s"
retries = 2
[policy]
allow = ["read", "ping", "ports", "cancel", "panel_message", "device_restart"]
[[credential]]
name = "reader"
version = "2c"
community = "public"
[[credential]]
name = "writer"
version = "2c"
community = "env:DCA_PROOF_WRITER"
[[range]]
label = "fleet"
include = ["{first}-{last}"]
credentials = ["reader", "writer"]
port = {port}
"""


class Lines:
    """Between agent and hub: gRPC, MQTT over WebSocket, MQTT over TLS."""

    def __init__(self, hub: Hub) -> None:
        self.calls = Relay(lambda: hub.port)
        self.channel = Relay(lambda: hub.port)
        self.fallback = Relay(lambda: hub.mqtt_port)

    @property
    def all(self) -> tuple[Relay, ...]:
        return self.calls, self.channel, self.fallback

    async def open(self) -> None:
        for relay in self.all:
            await relay.open()

    async def close(self) -> None:
        for relay in self.all:
            await relay.close()


class Agent(Process):
    """`dca run` that does what it is asked to."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "agent.log")
        self.state = folder / "agent-state"
        self._config = folder / "agent.toml"
        self._code = folder / "agent.code"

    def configure(self, fleet: Fleet, lines: Lines, *, code: str, interval: int) -> None:
        """Write its config; it calls the hub every `interval` seconds."""
        with os.fdopen(os.open(self._code, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(code)
        text = CONFIG.format(
            calls=lines.calls.port,
            channel=lines.channel.port,
            fallback=lines.fallback.port,
            code=self._code,
            state=self.state,
            interval=interval,
            first=fleet.FIRST,
            last=f"127.21.0.{fleet.count}",
            port=fleet.port,
        )
        self._config.write_text(text)
        self._config.chmod(0o600)

    async def start(self) -> None:
        await self.spawn("run", "--config", str(self._config), DCA_PROOF_WRITER=WRITER)

    def depth(self) -> int:
        """Return how many rows wait for the hub."""
        for _ in range(5):
            try:
                with read_only(self.state) as connection:
                    return read_figures(connection, 0.0).depth
            except StoreError:
                time.sleep(0.2)
        raise RuntimeError(f"the agent's state file cannot be read:\n{self.tail()}")

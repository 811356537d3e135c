"""Hub, lines, agent and devices of the proof, as real processes, and what is known of the devices."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, NamedTuple

from tests.proof_delivery.processes import Fleet, Hub
from tests.proof_tasks.agent import WRITER, Agent, Lines
from tests.proof_tasks.asker import Asker

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Device", "Site", "Written"]

RESTARTED = 4
"""Devices that are restarted once each, and asked for nothing else."""


class Device(NamedTuple):
    id: str
    host: str


class Written(NamedTuple):
    """One SET that a device took."""

    host: str
    value: str
    at: float
    """Unix seconds."""


class Site:
    def __init__(self, folder: Path, devices: int, interval: int) -> None:
        self.hub = Hub(folder)
        self.fleet = Fleet(folder, devices)
        self.lines = Lines(self.hub)
        self.agent = Agent(folder)
        self.asker = Asker(self.hub.data)
        self.panels: list[Device] = []
        """Devices whose panel takes a text."""
        self.others: list[Device] = []
        self.victims: list[Device] = []
        """Those to restart."""
        self._journal = folder / "journal"
        self._interval = interval

    async def begin(self) -> None:
        """Start everything and wait until the hub knows every device and the customer's policy."""
        written = ("--write-community", WRITER, "--journal", str(self._journal))
        await asyncio.gather(self.hub.start(), self.fleet.start(*written))
        await self.hub.serving()
        await self.hub.command("site", "add", "proof")
        await self.lines.open()
        code = await self.hub.code("proof")
        self.agent.configure(self.fleet, self.lines, code=code, interval=self._interval)
        await self.agent.start()
        # One model of the fleet speaks SNMPv1 only, and is none of those that the agent can read.
        await self.until(f"SELECT count(*) >= {self.fleet.count * 9 // 10} FROM devices", True)
        await self.until("SELECT channel FROM agents", "wss")
        assert (await self.asker.policy())["panel_message"] == "allow"
        found = await self.asker.rows("SELECT device_id, host, manufacturer FROM devices ORDER BY device_id")
        for device_id, host, make in found:
            (self.panels if make.lower().startswith("h") else self.others).append(Device(device_id, host))
        self.victims = [self.others.pop() for _ in range(RESTARTED)]

    async def until(self, statement: str, wanted: object, seconds: float = 60.0) -> None:
        """Wait until the hub's database says so."""
        try:
            await self.asker.until(statement, wanted, seconds, lambda: self.agent.running)
        except RuntimeError as error:
            raise RuntimeError(f"{error}\n{self.agent.tail()}") from error

    def written(self) -> list[Written]:
        """Return every SET, in order; what counts as SET is what the devices themselves say."""
        lines = self._journal.read_text("utf-8").splitlines() if self._journal.exists() else []
        found = map(json.loads, lines)
        return [Written(line["address"], str(line["value"]), line["time"]) for line in found]

    async def end(self) -> None:
        await self.asker.close()
        await self.agent.stop()
        await self.lines.close()
        await self.fleet.stop()
        await self.hub.stop()

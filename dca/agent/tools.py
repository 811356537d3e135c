"""What tasks may use of the running agent (`dca.tasks.kind.Tools`), made anew with each config."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dca.config import change_remote
from dca.discovery.access import remembered
from dca.errors import ConfigError, TaskError
from dca.service.logs import recent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from dca.agent.readings import Readings
    from dca.config import Config
    from dca.discovery.ranges import Ranges, ResolvedRange
    from dca.discovery.registry import Registry
    from dca.model import Known
    from dca.printers.profiles import Profiles
    from dca.snmp.client import SnmpClient
    from dca.snmp.types import Peer
    from dca.tasks.policy import Policy
    from dca.wire.snapshot_pb2 import ReadKind, Snapshot

__all__ = ["AgentTools"]


@dataclass(frozen=True)
class AgentTools:
    """The parts of one session."""

    client: SnmpClient
    ranges: Ranges
    registry: Registry
    profiles: Profiles
    wall: Callable[[], float]
    readings: Readings
    config: Config
    policy: Policy
    search: Callable[[], Awaitable[None]]
    """Discovers as the schedule does."""

    def peer(self, known: Known) -> tuple[Peer, ResolvedRange]:
        """Return how to speak to a known device and its range."""
        place = self.ranges.range_of(known.address, known.port)
        if place is None:
            raise TaskError(f"no enabled range holds {known.address} at port {known.port}", "no_device")
        attempt = remembered(known, place.credentials)
        if attempt is None:
            raise TaskError(
                f"{known.address} was read with the credential {known.credential}, which its range has no more: "
                "read the device first",
                "no_device",
            )
        return attempt.peer(known.address, known.port, known), place

    async def read(self, known: Known, kind: ReadKind.ValueType) -> Snapshot:
        """Read one device now."""
        return await self.readings.read_one(known, kind)

    async def discover(self) -> Mapping[str, int]:
        """Search the ranges now."""
        before = len(self.registry)
        await self.search()
        done = self.readings.progress
        new = max(len(self.registry) - before, 0)
        return {
            "addresses": done.total,
            "printers": done.printers,
            "new": new,
            "refused": done.refused,
            "others": done.others,
        }

    def log_lines(self, count: int) -> Sequence[str]:
        """Return the last lines of the agent's own log."""
        kept = recent()
        return kept.last(count) if kept is not None else []

    async def apply_config(self, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        """Keep settings of the hub's; the agent takes them within seconds, as it does a change of its file."""
        denied = [key for key in changes if not self.policy.may_set(key)]
        if denied:
            raise TaskError(
                f"the customer's policy does not leave {denied[0][:60]} to the hub (policy.config_keys)", "denied"
            )
        try:
            return await asyncio.to_thread(change_remote, self.config, changes)
        except ConfigError as error:
            reasons = "; ".join(map(str, error.problems))
            raise TaskError(f"the settings cannot be used: {reasons}", "bad_parameters") from error
        except OSError as error:
            raise TaskError(f"the settings cannot be written: {error.strerror or error}") from error

"""One stretch of running with one config: client, ranges, uplink and schedule; a reload makes the next."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import dca
from dca.agent.asked import AuditHeads, take_task
from dca.agent.enrol import place_of
from dca.agent.hearing import Hearing
from dca.agent.parts import platform_name
from dca.agent.readings import Readings
from dca.agent.standing import Standing
from dca.agent.tools import AgentTools
from dca.discovery.ranges import Ranges
from dca.errors import ConfigError, ConfigProblem, DeliveryError, StoreError
from dca.net.calls import HubCalls
from dca.service.logs import MASKS, duration
from dca.service.notes import Notes, save_notes, since_before
from dca.service.schedule import Job, Schedule
from dca.snmp.client import SnmpClient
from dca.tasks.policy import Policy
from dca.tasks.policy import check as check_policy
from dca.telemetry import Delivery, Reporter, Uplink
from dca.wire.report_pb2 import AgentInfo
from dca.wire.snapshot_pb2 import READ_KIND_FULL, READ_KIND_STATUS, READ_KIND_SUPPLIES

if TYPE_CHECKING:
    from dca.agent.badge import Badge
    from dca.agent.parts import Parts
    from dca.config import Config
    from dca.wire.task_pb2 import Task

__all__ = ["Session", "make_uplink"]

log = logging.getLogger(__name__)

STOP_JOBS = 1.5
"""Seconds that readings get to hand over what they have."""
CLOSED_RETRY = 300.0
"""Seconds between two discoveries while a name in ``exclude`` keeps every range closed."""
STOP_TASKS = 1.0
"""Seconds that tasks get to come to their end."""
LAST_DELIVERY = 1.5
"""Seconds for the delivery at the end."""


class Session:
    """Runs the jobs of one config; made whole before it starts, so that a config that cannot be used stops nothing.

    Raises:
        ConfigError: there is no hub, or a range or file that it names cannot be used.
        DeliveryError: the hub's address or proxy cannot be used.
    """

    def __init__(
        self, config: Config, parts: Parts, notes: Notes, *, uplink: Reporter | None = None, closed: str = ""
    ) -> None:
        """Make the parts; `closed` says why the policy denies everything, if it does."""
        check_policy(config)
        self.config = config
        self._parts = parts
        self._notes = notes
        self._own_uplink = None if uplink else make_uplink(config, parts.badge)
        self._uplink: Reporter = uplink or self._own_uplink  # type: ignore[assignment] # one of the two
        self._ranges = Ranges(config.ranges)
        self._policy = Policy(config, closed=closed, ranges=self._ranges)
        self._tools: AgentTools | None = None
        self._hearing = Hearing(config, parts, call=lambda: self.schedule.run_now("delivery"), note=self._note)
        self._readings: Readings | None = None
        self._standing = Standing(parts)
        self._delivery = Delivery(
            parts.outbox,
            self._uplink,
            self._info,
            clock=parts.clock.wall,
            on_failure=self._failed,
            on_task=self._take,
            heads=AuditHeads(parts.audit),
        )
        self._delivering = False
        self._events: set[asyncio.Task[object]] = set()
        self.schedule = Schedule(
            parts.outbox.agent_id,
            quiet=config.schedule.quiet_hours.contains,
            on_step=self._stepped,
            beat=lambda: parts.beats.tick("schedule"),
            clock=parts.clock,
        )

    def sign_of_life(self) -> int | None:
        """Return a figure that changes while devices are being read; None while none is."""
        return self._readings.sign_of_life() if self._readings is not None else None

    @property
    def delivering(self) -> bool:
        """Tell whether a delivery is going on."""
        return self._delivering

    async def run(self, end: asyncio.Event, *, discover_now: bool = False) -> None:
        """Run the jobs until `end`, then stop them and hand over what they have.

        Discovery begins at once if asked for, if it never ran or if its interval has passed; else the devices'
        status is read at once.
        """
        async with self._client() as client:
            readings = self._readings = self._readings_through(client)
            self.schedule.start(self._jobs(readings))
            helpers = [
                asyncio.create_task(self.schedule.watch_clock(), name="clock"),
                asyncio.create_task(self._begin(client, readings, discover_now=discover_now), name="begin"),
                asyncio.create_task(self._reopen(), name="reopen"),
                *self._hearing.start(),
                *self._keep_badge(),
            ]
            try:
                await end.wait()
            finally:
                for helper in helpers:
                    helper.cancel()
                if self._parts.desk is not None:
                    await self._parts.desk.let_go(STOP_TASKS)
                await self.schedule.stop(STOP_JOBS)
                await asyncio.gather(*helpers, *self._events, return_exceptions=True)
                await self._parts.intake.close()

    async def finish(self) -> None:
        """Deliver for the last time, if the hub is quick, and let go of it."""
        try:
            async with asyncio.timeout(LAST_DELIVERY):
                await self._deliver()
        except TimeoutError:
            log.info("the last delivery did not end in time; its rows wait in the outbox for the next start")
        await self.close()

    async def close(self) -> None:
        """Let go of the hub."""
        await self._uplink.close()

    def close_policy(self, reason: str) -> None:
        """Deny every task from now on, for this reason; without one go by the policy again."""
        if self._policy.closed == reason:
            return
        self._policy = Policy(self.config, closed=reason, ranges=self._ranges)
        if self._tools is not None and self._parts.desk is not None:
            self._tools = replace(self._tools, policy=self._policy)
            self._parts.desk.use(self._policy, self._tools)

    def _keep_badge(self) -> list[asyncio.Task[None]]:
        badge = self._parts.badge
        return [asyncio.create_task(badge.keep(self.config, self._renewed), name="certificate")] if badge else []

    def _let_begin(self, client: SnmpClient, readings: Readings) -> None:
        """Let the desk begin tasks; once host names are resolved, for the policy's rules by range go by them."""
        parts = self._parts
        if parts.desk is None:
            return
        self._tools = AgentTools(
            client,
            self._ranges,
            parts.registry,
            parts.profiles,
            parts.clock.wall,
            readings,
            self.config,
            self._policy,
            lambda: self._discover(readings),
        )
        parts.desk.use(self._policy, self._tools)

    async def _renewed(self) -> None:
        if self._own_uplink is not None and self._parts.badge is not None:
            await self._own_uplink.use(self._parts.badge.calls(self.config))
        self._hearing.make_anew()

    async def _take(self, task: Task) -> None:
        if self._parts.desk is not None:
            await take_task(self._parts.desk, task)

    def _client(self) -> SnmpClient:
        limits = self.config.limits
        return SnmpClient(
            allowed=self._ranges.allows,
            timeout=limits.timeout,
            retries=limits.retries,
            in_flight=limits.devices_in_flight,
            packets_per_second=limits.packets_per_second,
            packets_per_second_per_24=limits.packets_per_second_per_24,
        )

    def _readings_through(self, client: SnmpClient) -> Readings:
        parts = self._parts
        return Readings(
            client,
            self._ranges,
            parts.profiles,
            parts.registry,
            parts.intake,
            resolver=parts.resolver,
            in_flight=self.config.limits.devices_in_flight,
            wall=parts.clock.wall,
        )

    def _jobs(self, readings: Readings) -> list[Job]:
        times = self.config.schedule
        return [
            Job("discovery", times.discovery, lambda: self._discover(readings), rests=True),
            Job("full", times.full, lambda: readings.round(READ_KIND_FULL), rests=True),
            Job("supplies", times.supplies, lambda: readings.round(READ_KIND_SUPPLIES), rests=True),
            Job("status", times.status, lambda: readings.round(READ_KIND_STATUS), rests=True),
            Job("delivery", times.delivery, self._deliver),
        ]

    async def _begin(self, client: SnmpClient, readings: Readings, *, discover_now: bool) -> None:
        await readings.resolve()
        self._let_begin(client, readings)
        await readings.leave_outsiders()
        await self._note_names(readings)
        since = self._parts.clock.wall() - self._notes.discovered_at
        due = not 0 <= since < self.config.schedule.discovery
        self.schedule.run_now("delivery")
        self.schedule.run_now("discovery" if discover_now or due else "status")

    async def _reopen(self) -> None:
        """While nothing may be contacted, see whether that is over sooner than discovery's interval says."""
        while True:
            await asyncio.sleep(CLOSED_RETRY)
            if self._ranges.closed:
                self.schedule.run_now("discovery")

    async def _discover(self, readings: Readings) -> None:
        notes, was_closed = self._notes, self._ranges.closed
        first = not notes.discovered_at
        await readings.discover()
        if self._ranges.closed:  # then nothing was searched
            await self._note_names(readings)
            return
        if was_closed:
            await readings.leave_outsiders()
        notes.discovered_at = self._parts.clock.wall()
        notes.others, notes.refused = readings.progress.others, readings.refused
        notes.let_nobody_in = since_before(readings.let_nobody_in, notes.let_nobody_in)
        await self._note_names(readings)
        if first:
            self.schedule.run_now("delivery")

    async def _note_names(self, readings: Readings) -> None:
        self._notes.closed = self._ranges.closed
        self._notes.names = since_before(readings.unresolved, self._notes.names)
        await self._note()

    async def _deliver(self) -> None:
        self._delivering = True
        try:
            delivered = await self._delivery.deliver_once()
            self._notes.delivery_error = ""
            self._parts.offset.seconds = self._notes.clock_offset = self._delivery.offset
            await self._standing.heard(delivered)
        except (DeliveryError, StoreError) as error:  # `Delivery` has said it, once
            self._fault(error)
        finally:
            self._delivering = False
            self._parts.beats.tick("delivery")
        self._notes.delivered_at = self._delivery.last_success or self._notes.delivered_at
        await self._note()

    async def _failed(self, error: DeliveryError) -> None:
        """Leave word of a failed try at once: the cycle goes on trying for a minute or two."""
        self._fault(error)
        await self._standing.failed(error)
        await self._note()

    def _fault(self, error: DeliveryError | StoreError) -> None:
        self._notes.delivery_error = MASKS.clean(str(error))
        self._notes.delivery_failed_at = self._parts.clock.wall()

    async def _note(self) -> None:
        """Leave word for `dca status`."""
        self._note_hub()
        self._notes.next_runs = self.schedule.next_times()
        try:
            await self._parts.store.run(lambda connection: save_notes(connection, self._notes))
        except StoreError as error:
            log.debug("no word for dca status: %s", error)

    def _note_hub(self) -> None:
        notes, badge = self._notes, self._parts.badge
        notes.hub = str(self.config.require_hub().grpc)
        notes.policy_closed = self._policy.closed
        if badge is not None:
            notes.site, notes.certificate_until = badge.identity.site, badge.identity.ends.timestamp()
        notes.channel, notes.channel_error = self._hearing.state, MASKS.clean(self._hearing.fault)

    def _stepped(self, seconds: float) -> None:
        direction = "forward" if seconds > 0 else "back"
        telling = asyncio.create_task(
            self._parts.outbox.put_event(
                "clock_stepped",
                f"the clock of the agent's machine stepped {direction} by {duration(abs(seconds))}, or it slept",
                details={"seconds": f"{seconds:.1f}"},
            )
        )
        self._events.add(telling)
        telling.add_done_callback(self._events.discard)

    def _info(self) -> AgentInfo:
        info = AgentInfo(
            version=dca.__version__,
            hostname=self.config.agent.name,
            platform=platform_name(),
            devices=len(self._parts.registry),
            devices_answering=self._parts.registry.answering(),
        )
        if self._parts.desk is not None:
            info.policy.update(self._policy.summary())
            info.channel = self._hearing.state
        info.started_at.FromMicroseconds(int(self._parts.started_at * 1e6))
        return info


def make_uplink(config: Config, badge: Badge | None) -> Uplink:
    """Return the connection to the hub that the config names, with the agent's certificate.

    Raises:
        ConfigError: there is none, or its CA file cannot be used.
        DeliveryError: its address or proxy cannot be used.
    """
    hub = config.require_hub()
    try:
        if badge is not None:
            calls = badge.calls(config)
        elif hub.grpc_plaintext:
            calls = HubCalls(str(hub.grpc), plaintext_on_loopback=True)
        else:
            calls = place_of(config).calls("")
    except ValueError as error:
        raise ConfigError(config.path, [ConfigProblem("hub.ca_file", str(error))]) from error
    return Uplink(calls, ask_at_once=True)

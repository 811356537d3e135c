"""What lives as long as the agent does, through every reload: state file, outbox, registry, profiles."""

from __future__ import annotations

import asyncio
import platform
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dca.agent.badge import Badge
from dca.agent.enrol import Enrolment
from dca.agent.intake import Intake
from dca.audit import AuditLog
from dca.discovery.registry import Registry
from dca.net.dns import SystemResolver
from dca.printers.profiles import Profiles, load_profiles
from dca.service.logs import MASKS
from dca.service.notify import Heartbeats, Notifier
from dca.service.schedule import Clock
from dca.store import Store, load_devices
from dca.tasks.desk import Desk
from dca.telemetry import Outbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dca.config import Config
    from dca.net.dns import Resolver

__all__ = ["Offset", "Parts", "hide_secrets", "open_parts", "platform_name"]


@dataclass
class Offset:
    """What the hub's clock is ahead of this one's."""

    seconds: float = 0.0


@dataclass(frozen=True)
class Parts:
    """The parts that outlive a config."""

    store: Store
    outbox: Outbox
    registry: Registry
    intake: Intake
    profiles: Profiles
    resolver: Resolver = field(default_factory=SystemResolver)
    clock: Clock = field(default_factory=Clock)
    beats: Heartbeats = field(default_factory=Heartbeats)
    notifier: Notifier = field(default_factory=lambda: Notifier(None))
    started_at: float = field(default_factory=time.time)
    """Unix seconds."""
    badge: Badge | None = None
    """Who the agent is at its hub; None where the hub is reached in plain text, without an identity."""
    desk: Desk | None = None
    """Where tasks come in; None without an identity."""
    audit: AuditLog | None = None
    offset: Offset = field(default_factory=Offset)
    result: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a result of a task waits in the outbox."""


@asynccontextmanager
async def open_parts(
    config: Config, *, clock: Clock | None = None, notifier: Notifier | None = None
) -> AsyncIterator[Parts]:
    """Open the state file and what stands on it; at the end write what is held and close it.

    Raises:
        StoreError: the state directory cannot be used, or another agent uses it.
        ProfileError: a profile cannot be used.
        IdentityError: the agent has no identity and cannot get one now.
        AuditError: the audit log cannot be written.
    """
    clock = clock or Clock()
    profiles = load_profiles()
    state_dir, outbox_mb = config.agent.state_dir, config.limits.outbox_mb
    store = await Store.open(state_dir, cap_bytes=outbox_mb << 20, clock=clock.wall)
    try:
        audit = AuditLog(state_dir, clock=clock.wall)
        enrolment = Enrolment(state_dir, audit)
        identity = await enrolment.at_start(config)
        outbox = await Outbox.open(store, clock=clock.wall, known_as=identity.agent_id if identity else None)
        registry = Registry(await store.run(load_devices))
        MASKS.add_serials(known.serial for known in registry if known.serial)
        intake = Intake(outbox, registry, wall=clock.wall)
        offset = Offset()
        parts = Parts(
            store,
            outbox,
            registry,
            intake,
            profiles,
            clock=clock,
            notifier=notifier or Notifier(None),
            started_at=clock.wall(),
            badge=Badge(identity, enrolment, lambda: clock.wall() + offset.seconds) if identity else None,
            audit=audit,
            offset=offset,
        )
        try:
            desk = _desk(parts, identity.task_key) if identity else None
            if desk is not None:
                await desk.open()
            yield replace(parts, desk=desk)
        finally:
            await intake.close()
            await outbox.close()
    finally:
        await store.close()


def _desk(parts: Parts, task_key: bytes) -> Desk:
    assert parts.audit is not None
    return Desk(
        parts.store,
        parts.outbox,
        agent_id=parts.outbox.agent_id,
        task_key=task_key,
        audit=parts.audit,
        clock=parts.clock,
        offset=lambda: parts.offset.seconds,
        on_result=parts.result.set,
    )


def hide_secrets(config: Config) -> None:
    """Let no log line show the secrets of this config; the community ``public`` is none."""
    secrets = [
        secret
        for credential in config.credentials.values()
        for secret in (credential.community, credential.auth_password, credential.priv_password)
    ]
    if config.hub is not None:
        secrets += [
            config.channel.password,
            config.channel.sas_key,
            config.hub.activation_code,
            config.hub.proxy.password if config.hub.proxy else None,
        ]
    MASKS.add(*(secret for secret in secrets if secret is not None and secret.reveal() != "public"))


def platform_name() -> str:
    """Return system and processor, e.g. ``linux-x86_64``, ``windows-amd64``."""
    system = "windows" if sys.platform == "win32" else sys.platform
    return f"{system}-{platform.machine().lower() or 'unknown'}"

"""What lives as long as the agent does, through every reload: state file, outbox, registry, profiles."""

from __future__ import annotations

import platform
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dca.agent.intake import Intake
from dca.discovery.registry import Registry
from dca.net.dns import SystemResolver
from dca.printers.profiles import Profiles, load_profiles
from dca.service.logs import MASKS
from dca.service.notify import Heartbeats, Notifier
from dca.service.schedule import Clock
from dca.store import Store, load_devices
from dca.telemetry import Outbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from dca.config import Config
    from dca.net.dns import Resolver

__all__ = ["Parts", "hide_secrets", "open_parts", "platform_name"]


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


@asynccontextmanager
async def open_parts(
    state_dir: Path, outbox_mb: int, *, clock: Clock | None = None, notifier: Notifier | None = None
) -> AsyncIterator[Parts]:
    """Open the state file and what stands on it; at the end write what is held and close it.

    Raises:
        StoreError: the state directory cannot be used, or another agent uses it.
        ProfileError: a profile cannot be used.
    """
    clock = clock or Clock()
    profiles = load_profiles()
    store = await Store.open(state_dir, cap_bytes=outbox_mb << 20, clock=clock.wall)
    try:
        outbox = await Outbox.open(store, clock=clock.wall)
        registry = Registry(await store.run(load_devices))
        MASKS.add_serials(known.serial for known in registry if known.serial)
        intake = Intake(outbox, registry, wall=clock.wall)
        try:
            yield Parts(
                store,
                outbox,
                registry,
                intake,
                profiles,
                clock=clock,
                notifier=notifier or Notifier(None),
                started_at=clock.wall(),
            )
        finally:
            await intake.close()
            await outbox.close()
    finally:
        await store.close()


def hide_secrets(config: Config) -> None:
    """Let no log line show the secrets of this config; the community ``public`` is none."""
    secrets = [
        secret
        for credential in config.credentials.values()
        for secret in (credential.community, credential.auth_password, credential.priv_password)
    ]
    if config.hub is not None:
        secrets += [config.hub.token, config.hub.proxy.password if config.hub.proxy else None]
    MASKS.add(*(secret for secret in secrets if secret is not None and secret.reveal() != "public"))


def platform_name() -> str:
    """Return system and processor, e.g. ``linux-x86_64``, ``windows-amd64``."""
    system = "windows" if sys.platform == "win32" else sys.platform
    return f"{system}-{platform.machine().lower() or 'unknown'}"

"""The identity while the agent runs: shown to the hub, renewed in time, also after months without a hub."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from dca.agent.enrol import place_of
from dca.errors import AuditError, ConfigError, DeliveryError, IdentityError
from dca.identity.activate import renew
from dca.net.tls import client_context, load_key
from dca.service.logs import MASKS, StateLog, duration

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable

    from dca.agent.enrol import Enrolment
    from dca.config import Config
    from dca.identity.identity import Identity
    from dca.net.calls import HubCalls

__all__ = ["Badge"]

log = logging.getLogger(__name__)

LOOK = 60.0
"""Seconds between two looks at the certificate's age."""
AGAIN = (60.0, 3600.0)
"""Seconds between two tries to renew: while the certificate holds less than a day, and otherwise."""
DAY = 86_400.0


class Badge:
    """An identity that may be another one tomorrow; `wall` is Unix seconds by the hub's clock where that is known."""

    def __init__(self, identity: Identity, enrolment: Enrolment, wall: Callable[[], float]) -> None:
        self.identity = identity
        self._enrolment = enrolment
        self._wall = wall
        self._states = StateLog(log)
        self._tried = float("-inf")

    def calls(self, config: Config) -> HubCalls:
        """Return the way to call the hub with the certificate. Raises DeliveryError as HubCalls does."""
        identity = self.identity
        return place_of(config).calls(identity.hub_ca, identity.key, identity.chain)

    def context(self, config: Config) -> ssl.SSLContext:
        """Return the TLS of the channel, with the certificate. Raises ConfigError, ValueError or OSError."""
        hub = config.require_hub()
        identity = self.identity
        context = client_context(hub.ca_file, only=identity.hub_ca or None)
        load_key(context, identity.key.reveal().encode("ascii"), identity.chain.encode("ascii"))
        return context

    async def keep(self, config: Config, renewed: Callable[[], Awaitable[None]]) -> None:
        """Renew the certificate whenever two thirds of its life have passed; runs until cancelled."""
        while True:
            if self._is_due() and await self._renew(config):
                await renewed()
            await asyncio.sleep(LOOK)

    def _is_due(self) -> bool:
        """Tell whether to try now; a clock that is wrong brings a renewal too early at worst."""
        now = self._wall()
        if now < self.identity.renew_at():
            return False
        soon = self.identity.ends.timestamp() - now < DAY
        return not 0 <= now - self._tried < AGAIN[0 if soon else 1]

    async def _renew(self, config: Config) -> bool:
        self._tried = self._wall()
        ends = self.identity.ends
        over = self.identity.is_over(self._wall())
        try:
            self.identity = await renew(self.identity, place_of(config), self._enrolment.vault, over=over)
        except (IdentityError, DeliveryError, ConfigError) as error:
            left = duration(max(ends.timestamp() - self._wall(), 0))
            words = "the certificate cannot be renewed: %s. It holds for %s more"
            self._states.note("renewal", str(error), logging.WARNING, words, error, left)
            return False
        MASKS.add(*self.identity.secrets())
        self._states.note("renewal", "ok", logging.INFO, "the certificate can be renewed again")
        until = f"{self.identity.ends:%Y-%m-%d}"
        log.info("the certificate is renewed; it holds until %s", until)
        try:
            text = f"the certificate is renewed until {until}"
            await asyncio.to_thread(self._enrolment.audit.append, "renewed", text)
        except AuditError as error:
            log.error("the renewal is not in the audit log: %s", error)  # noqa: TRY400 - no bug
        return True

"""What the hub says of this agent itself: a copy of it, a rewritten audit log, a revocation; each told once."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from dca.errors import AuditError, DeliveryError, StoreError

if TYPE_CHECKING:
    from dca.agent.parts import Parts
    from dca.telemetry import Delivered

__all__ = ["Standing"]

log = logging.getLogger(__name__)

_CLONE = (
    "the hub sees two copies of this agent: a machine was cloned, or its state restored elsewhere. Stop one of them, "
    "empty its state directory and activate it with a code of its own"
)
_BROKEN = "the hub says that this agent's audit log does not hold what it held before: run dca audit verify"


class Standing:
    """Turns the hub's words into a line of the log, an entry of the audit log and an event, at each change."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._now: set[str] = set()

    async def heard(self, delivered: Delivered) -> None:
        """Take what an answer says."""
        self._now.discard("revoked")
        await self._note("clone_seen", _CLONE, there=delivered.clone_seen)
        await self._note("audit_broken", _BROKEN, there=delivered.audit_broken)

    async def failed(self, error: DeliveryError) -> None:
        """Take what a refusal says."""
        if error.code == "PERMISSION_DENIED" and self._parts.badge is not None:
            await self._note("revoked", f"the hub sends this agent away: {error.details}", there=True)

    async def _note(self, what: str, text: str, *, there: bool) -> None:
        if not there:
            self._now.discard(what)
            return
        if what in self._now:
            return
        self._now.add(what)
        log.error("%s", text)
        if self._parts.audit is not None:
            try:
                await asyncio.to_thread(self._parts.audit.append, what, text, who="hub")
            except AuditError as error:
                log.error("that is not in the audit log: %s", error)  # noqa: TRY400 - no bug
        try:
            await self._parts.outbox.put_event(what, text)
        except StoreError as error:
            log.debug("no event of it: %s", error)

"""What is told of messages that the hub has not signed: a few of them, then only how many there were."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from dca.errors import TaskError
    from dca.tasks.journal import Journal
    from dca.telemetry import Outbox

__all__ = ["Refusals"]

_log = logging.getLogger(__name__)

_AN_HOUR = 3600.0
_MOST = 20
"""Told one by one in an hour; whoever can write to the broker must not fill the outbox or the audit log."""


class Refusals:
    """Tells the hub, the audit log and the log. `monotonic` is seconds."""

    def __init__(self, outbox: Outbox, journal: Journal, monotonic: Callable[[], float]) -> None:
        self._outbox = outbox
        self._journal = journal
        self._monotonic = monotonic
        self._since = monotonic()
        self._told = 0
        self._untold = 0

    async def add(self, error: TaskError, size: int) -> None:
        """Take one that was refused; `size` is its bytes. Raises StoreError where the outbox is closed."""
        now = self._monotonic()
        if now - self._since >= _AN_HOUR:
            self._since, self._told = now, 0
        if self._told >= _MOST:
            self._untold += 1
            return
        self._told += 1
        details = {"code": error.code, "bytes": str(size)}
        if self._untold:
            details["more"] = str(self._untold)
            self._untold = 0
        _log.warning("a task was refused: %s", error)
        self._journal.note("task_refused", str(error), who="agent", details=details)
        await self._outbox.put_event("task_refused", str(error), details=details)

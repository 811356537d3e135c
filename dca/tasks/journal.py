"""The audit log for the desk: entries in their order, without the event loop waiting for the disk."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from dca.errors import AuditError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dca.tasks.parties import Auditor

__all__ = ["Journal"]

_log = logging.getLogger(__name__)


class Journal:
    """Writes in one thread, so that what is said first stands first."""

    def __init__(self, auditor: Auditor) -> None:
        self._auditor = auditor
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="dca-audit")
        self._notes: set[asyncio.Future[None]] = set()
        self._failing = False

    async def write(
        self, what: str, text: str, *, who: str = "agent", details: Mapping[str, str] | None = None
    ) -> None:
        """Add an entry and return when it is on the disk.

        Raises:
            AuditError: it cannot be written.
        """
        await asyncio.shield(self._begin(what, text, who, details))

    def note(self, what: str, text: str, *, who: str, details: Mapping[str, str] | None = None) -> None:
        """Add an entry behind those before it; one that cannot be written is logged."""
        note = self._begin(what, text, who, details)
        self._notes.add(note)
        note.add_done_callback(self._noted)

    async def close(self) -> None:
        """Wait for what is being written."""
        if self._notes:
            await asyncio.wait(set(self._notes))
        self._worker.shutdown(wait=False)

    def _begin(self, what: str, text: str, who: str, details: Mapping[str, str] | None) -> asyncio.Future[None]:
        def append() -> None:
            self._auditor.append(what, text, who=who, details=details)

        return asyncio.get_running_loop().run_in_executor(self._worker, append)

    def _noted(self, note: asyncio.Future[None]) -> None:
        self._notes.discard(note)
        error = None if note.cancelled() else note.exception()
        if error is None:
            self._failing = False
        elif not isinstance(error, AuditError):
            _log.error("the audit log has failed", exc_info=error)
        elif not self._failing:
            self._failing = True
            _log.error("%s; no task is begun until it can be written again", error)

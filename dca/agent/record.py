"""What the agent itself does that the audit log holds: its starts, changes of its config, a policy that closes."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from typing import TYPE_CHECKING

from dca.errors import AuditError

if TYPE_CHECKING:
    from dca.agent.parts import Parts
    from dca.config import Config

__all__ = ["Record", "changed_tables"]

log = logging.getLogger(__name__)


class Record:
    """Appends in the background, in order; an entry that cannot be written is an error in the log."""

    def __init__(self, parts: Parts) -> None:
        self._audit = parts.audit
        self._tail: asyncio.Task[None] | None = None

    def note(self, what: str, text: str, **details: str) -> None:
        """Write an entry."""
        if self._audit is not None:
            self._tail = asyncio.create_task(self._write(self._tail, what, text, details), name="audit")

    async def close(self) -> None:
        """Wait until everything is written."""
        if self._tail is not None:
            await self._tail

    async def _write(self, before: asyncio.Task[None] | None, what: str, text: str, details: dict[str, str]) -> None:
        if before is not None:
            await before
        assert self._audit is not None
        try:
            await asyncio.to_thread(self._audit.append, what, text, details=details)
        except AuditError as error:
            log.error("%s is not in the audit log: %s", what, error)  # noqa: TRY400 - no bug


def changed_tables(before: Config, after: Config) -> str:
    """Name the tables of the config that differ."""
    names = [item.name for item in dataclasses.fields(after) if item.name != "path"]
    return ", ".join(name for name in names if getattr(before, name) != getattr(after, name))

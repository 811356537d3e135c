"""Tell the pages what the stream brings: devices that changed, gathered for a moment, for every open page."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, NamedTuple

from dca.hub.background import Background
from dca.hub.stream.link import AWAY, SUBJECTS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nats.aio.msg import Msg

    from dca.hub.stream.link import Link

__all__ = ["Change", "Live"]

GATHER_S = 1.0
QUEUE = 8
"""Changes that wait for one slow page before it is told to load anew."""


class Change(NamedTuple):
    """What changed since the last one."""

    devices: frozenset[tuple[str, str]]
    """(agent UUID, device_id)."""
    missed: bool = False
    """Changes were left out: load the whole page."""


class Live(Background):
    """Listens to the stream while pages listen to it."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        self._link = link
        self._pages: set[asyncio.Queue[Change | None]] = set()
        self._changed: set[tuple[str, str]] = set()

    async def stop(self) -> None:
        """End, and end every page's wait."""
        await super().stop()
        for page in self._pages:
            while page.full():
                page.get_nowait()
            page.put_nowait(None)

    async def changes(self) -> AsyncIterator[Change]:
        """Yield changes until the hub stops."""
        page: asyncio.Queue[Change | None] = asyncio.Queue(QUEUE)
        self._pages.add(page)
        try:
            while (change := await page.get()) is not None:
                yield change
        finally:
            self._pages.discard(page)

    async def _run(self) -> None:
        await self._link.ready()
        with contextlib.suppress(*AWAY):
            # The client keeps the subscription over reconnects.
            await self._link.client.subscribe(SUBJECTS, cb=self._arrived)
        while True:
            await asyncio.sleep(GATHER_S)
            if self._changed:
                change = Change(frozenset(self._changed))
                self._changed.clear()
                for page in self._pages:
                    self._give(page, change)

    async def _arrived(self, message: Msg) -> None:
        device_id = (message.headers or {}).get("Dca-Device")
        if self._pages and device_id:
            self._changed.add((message.subject.rsplit(".", 1)[-1], device_id))

    @staticmethod
    def _give(page: asyncio.Queue[Change | None], change: Change) -> None:
        if page.full():
            while not page.empty():
                page.get_nowait()
            change = Change(frozenset(), missed=True)
        page.put_nowait(change)

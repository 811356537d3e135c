"""The pages' addresses and what they answer."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from dca.hub.database import AWAY
from dca.hub.ingest.rows import is_device_id
from dca.hub.tasks.story import list_tasks, story_of
from dca.hub.web import queries
from dca.hub.web.render import Renderer
from dca.hub.web.security import Guard
from dca.hub.web.views import device_view

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import asyncpg
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

    from dca.hub.stream import Change, Live

__all__ = ["Install", "make_app"]

log = logging.getLogger(__name__)

HERE = Path(__file__).parent
MAX_LIVE = 50
"""Pages that are kept up to date at once."""
MAX_FRAGMENTS = 40
"""Devices that are sent one by one; a page with more changes loads anew."""
KEEPALIVE_S = 15.0
LATEST, OF_DEVICE = 200, 20
"""Tasks on their page, and on a device's."""
LARGEST_ID = 2**63 - 1
NO_SITE = "There is no such site."


@dataclass(frozen=True)
class Install:
    """What the page of an empty hub tells: how to bring the first agent here."""

    grpc: str
    """The address for agents."""
    loopback: bool
    """Only this machine reaches it."""
    data: str
    ca_file: str | None
    ca_fingerprint: str | None
    is_up: Callable[[], bool] = lambda: True
    """Tells whether the stream is up, for /healthz."""


class _Pages:
    """The handlers."""

    def __init__(self, pool: asyncpg.Pool, live: Live, install: Install, clock: Callable[[], datetime]) -> None:
        self._pool = pool
        self._live = live
        self._install = install
        self._clock = clock
        self._renderer = Renderer()
        self._listening = 0

    async def fleet(self, _request: Request) -> Response:
        """Show every site."""
        return await self._fleet(queries.Cut(None, queries.PER_SITE))

    async def site(self, request: Request) -> Response:
        """Show one site, page by page."""
        page = request.query_params.get("page", "1")
        number = int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 1  # noqa: PLR2004 - of figures
        site = request.path_params["site"]
        if site > LARGEST_ID:
            raise HTTPException(404, NO_SITE)
        return await self._fleet(queries.Cut(site, queries.PER_PAGE, max(number, 1)))

    async def _fleet(self, cut: queries.Cut) -> Response:
        fleet = await queries.fleet(self._pool, cut)
        if cut.site is not None and not fleet.sites:
            raise HTTPException(404, NO_SITE)
        return HTMLResponse(await asyncio.to_thread(self._renderer.fleet, fleet, cut, self._install, self._clock()))

    async def device(self, request: Request) -> Response:
        """Show everything that is known of one device."""
        device_id = request.path_params["device"]
        row = None
        with contextlib.suppress(ValueError):
            agent_id = str(UUID(request.path_params["agent"]))
            row = await queries.device(self._pool, agent_id, device_id) if is_device_id(device_id) else None
        if row is None:
            raise HTTPException(404, "There is no such device.")
        agents = await queries.agents(self._pool, None, [row["agent_id"]])
        events = await queries.events(self._pool, row["agent"], row["device_id"])
        tasks = await list_tasks(self._pool, OF_DEVICE, agent=row["agent"], device_id=row["device_id"])
        return HTMLResponse(self._renderer.device(device_view(row), agents[0], events, self._clock(), tasks))

    async def tasks(self, _request: Request) -> Response:
        """Show the latest tasks."""
        return HTMLResponse(self._renderer.tasks(await list_tasks(self._pool, LATEST)))

    async def task(self, request: Request) -> Response:
        """Show one task's whole story."""
        story = None
        with contextlib.suppress(ValueError):
            story = await story_of(self._pool, UUID(request.path_params["task"]))
        if story is None:
            raise HTTPException(404, "There is no such task.")
        return HTMLResponse(await asyncio.to_thread(self._renderer.task, story))

    async def live(self, _request: Request) -> Response:
        """Send what changes, while the page is open."""
        if self._listening >= MAX_LIVE:
            return PlainTextResponse("too many open pages\n", 503, {"retry-after": "60"})
        return StreamingResponse(self._events(), media_type="text/event-stream", headers={"cache-control": "no-store"})

    async def _events(self) -> AsyncIterator[str]:
        self._listening += 1
        changes = self._live.changes()
        upcoming = asyncio.ensure_future(anext(changes, None))
        try:
            yield "retry: 3000\n\n"
            while True:
                done, _ = await asyncio.wait({upcoming}, timeout=KEEPALIVE_S)
                if not done:
                    yield ": still here\n\n"
                    continue
                change = upcoming.result()
                if change is None:
                    return
                yield f"data: {json.dumps(await self._message(change))}\n\n"
                upcoming = asyncio.ensure_future(anext(changes, None))
        finally:
            self._listening -= 1
            upcoming.cancel()

    async def _message(self, change: Change) -> dict[str, object]:
        if change.missed or len(change.devices) > MAX_FRAGMENTS:
            return {"reload": True}
        try:
            rows = await queries.devices_named(self._pool, sorted(change.devices))
            agents = await queries.agents(self._pool, None, sorted({agent for agent, _ in change.devices}))
            summary = await queries.summary(self._pool)
        except AWAY:
            return {}
        return {"fragments": self._renderer.fragments(rows, agents, summary, self._clock())}

    async def health(self, _request: Request) -> Response:
        """Tell a monitor whether reports can be stored (200) or not (503)."""
        try:
            await self._pool.fetchval("SELECT 1", timeout=3)
            database = True
        except AWAY:
            database = False
        state = {"database": "up" if database else "away", "stream": "up" if self._install.is_up() else "away"}
        return JSONResponse(state, 200 if database else 503)

    async def failed(self, _request: Request, error: Exception) -> Response:
        """Answer what could not be answered."""
        if isinstance(error, HTTPException):
            return HTMLResponse(self._renderer.error(error.detail), error.status_code)
        log.warning("a page could not be made: %s", str(error) or type(error).__name__)
        return HTMLResponse(self._renderer.error("The hub's database is away; load this page again soon."), 503)


def make_app(
    pool: asyncpg.Pool, live: Live, install: Install, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> ASGIApp:
    """Return the ASGI application."""
    pages = _Pages(pool, live, install, clock)
    routes = [
        Route("/", pages.fleet),
        Route("/sites/{site:int}", pages.site),
        Route("/devices/{agent}/{device}", pages.device),
        Route("/tasks", pages.tasks),
        Route("/tasks/{task}", pages.task),
        Route("/live", pages.live),
        Route("/healthz", pages.health),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ]
    handlers = dict.fromkeys((HTTPException, *AWAY), pages.failed)
    return Guard(Starlette(routes=routes, exception_handlers=handlers))

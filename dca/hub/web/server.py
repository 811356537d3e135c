"""Serve the pages in the hub's own event loop (uvicorn)."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import uvicorn

from dca.hub.listen import take
from dca.hub.settings import Address

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from starlette.types import ASGIApp

__all__ = ["WebServer"]


class _Quiet(uvicorn.Server):
    """A server that leaves signals to the hub, which stops everything in order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


class WebServer:
    """Listens for browsers."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._socket: socket.socket | None = None
        self._server: _Quiet | None = None
        self._task: asyncio.Task[None] | None = None

    def bind(self) -> Address:
        """Take the port and return the address with it. Raises: HubError when it is taken."""
        self._socket = take(self._address, "the page", "--web")
        return Address(self._address.host, self._socket.getsockname()[1])

    async def start(self, app: ASGIApp) -> None:
        """Serve on the port that `bind` took."""
        assert self._socket is not None
        config = uvicorn.Config(
            app,
            loop="none",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=1,
            limit_concurrency=200,
        )
        self._server = _Quiet(config)
        self._socket.listen(128)  # who comes before the task has begun is served then
        self._task = asyncio.create_task(self._server.serve([self._socket]), name="pages")

    async def stop(self) -> None:
        """Serve no more; the listening port is free afterwards."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task
        if self._socket is not None:
            self._socket.close()

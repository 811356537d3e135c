"""The line between agent and hub: a TCP relay on loopback that can be cut, stalled and made deaf on one side."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Fault", "Relay"]

Fault: TypeAlias = Literal["cut", "refuse", "stall", "deaf"]


class Relay:
    """Forwards to the port that `upstream` gives, until told otherwise.

    cut: every connection is aborted. refuse: and none is accepted for a while. stall: nothing is forwarded for
    a while, then everything. deaf: the hub's answers are swallowed, so that it commits what the agent never
    hears of, then every connection is aborted.
    """

    def __init__(self, upstream: Callable[[], int]) -> None:
        self.port = 0
        self.cuts = 0
        self.accepted = 0
        """Connections that came."""
        self._upstream = upstream
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._deaf = False

    async def open(self) -> None:
        """Listen, on the same port every time."""
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Refuse connections and abort those that are there."""
        if self._server is not None:
            self._server.close()
            self._server = None
        await self.cut()

    async def cut(self) -> None:
        tasks = list(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def disturb(self, fault: Fault, seconds: float) -> None:
        """Do one thing to the line and make it good again."""
        self.cuts += 1
        if fault == "refuse":
            await self.close()
            await asyncio.sleep(seconds)
            await self.open()
        elif fault == "stall":
            self._flowing.clear()
            await asyncio.sleep(seconds)
            self._flowing.set()
        elif fault == "deaf":
            self._deaf = True
            await asyncio.sleep(seconds)
            await self.cut()
            self._deaf = False
        else:
            await self.cut()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        self.accepted += 1
        far: asyncio.StreamWriter | None = None
        try:
            back, far = await asyncio.open_connection("127.0.0.1", self._upstream())
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, far, to_agent=False))
                group.create_task(self._pump(back, writer, to_agent=True))
        except* (OSError, asyncio.CancelledError, EOFError):
            pass
        finally:
            self._connections.discard(task)
            for end in (writer, far):
                if end is not None:
                    end.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, to_agent: bool) -> None:
        while data := await reader.read(65536):
            await self._flowing.wait()
            if self._deaf and to_agent:
                continue
            writer.write(data)
            await writer.drain()
        raise EOFError  # ends the other direction with this one

"""A program that is told of a message, says so, and never gets round to keeping it: victim.py PORT CA."""

from __future__ import annotations

import asyncio
import ssl
import sys

from dca.channel import Channel, Login, Route, Topics
from dca.model import Secret


async def main(port: int, ca: str) -> None:
    async def on_message(payload: bytes) -> None:
        print(payload.decode(), flush=True)
        await asyncio.sleep(3600)

    async def on_up() -> None:
        print("up", flush=True)

    channel = Channel(
        [Route("wss", "127.0.0.1", port, "/mqtt")],
        Login("victim", "agent", Secret("a broker's password")),
        Topics("dca/victim/tasks", "dca/victim/status"),
        tls=lambda: ssl.create_default_context(cafile=ca),
        on_message=on_message,
        on_up=on_up,
    )
    await channel.run()


asyncio.run(main(int(sys.argv[1]), sys.argv[2]))

"""A CA for this folder's brokers, and a channel that is easy to make."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import ssl
import threading
from typing import TYPE_CHECKING, Any

import pytest
from brokers import make_pki

from dca.channel import Channel, Limits, Login, Topics
from dca.model import Secret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from brokers import Pki

QUICK = Limits(connect=2.0, probe_every=0.05, again_after=0.05, refused_wait=60.0)


@pytest.fixture(scope="session")
def pki(tmp_path_factory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


@dataclasses.dataclass
class Held:
    """A running channel, what it was given, and how long it meant to wait."""

    channel: Channel
    kept: asyncio.Queue[bytes]
    ups: asyncio.Queue[None]
    slept: list[float]
    task: asyncio.Task[None]
    fail: Callable[[bytes], Exception | None] = lambda _: None


async def until(condition: Callable[[], Any], within: float = 10.0) -> None:
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110 - what happens in a thread or at a peer tells nobody
            await asyncio.sleep(0.005)


@pytest.fixture
def hold(pki):
    """Return a context manager that runs a channel."""

    @contextlib.asynccontextmanager
    async def holding(*routes, limits: Limits = QUICK, **more: Any) -> AsyncIterator[Held]:
        async def on_message(payload: bytes) -> None:
            error = held.fail(payload)
            if error is not None:
                raise error
            held.kept.put_nowait(payload)

        async def on_up() -> None:
            held.ups.put_nowait(None)

        async def sleep(seconds: float) -> None:
            """Sleep a moment only; what the limits of the test ask for is short anyhow."""
            held.slept.append(seconds)
            await asyncio.sleep(min(seconds, 0.05))

        arguments: dict[str, Any] = {
            "tls": lambda: ssl.create_default_context(cafile=str(pki.ca)),
            "on_message": on_message,
            "on_up": on_up,
            "random": lambda: 1.0,
            "sleep": sleep,
            "limits": limits,
            **more,
        }
        login = arguments.pop("login", Login("a1", "agent", Secret("a password")))
        channel = Channel(routes, login, arguments.pop("topics", Topics("t", "s")), **arguments)
        held = Held(channel, asyncio.Queue(), asyncio.Queue(), [], asyncio.create_task(channel.run()))
        try:
            yield held
        finally:
            began = asyncio.get_running_loop().time()
            held.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await held.task
            assert asyncio.get_running_loop().time() - began < 1.0
            assert channel.state == "down"
            await until(
                lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("channel")], 1
            )

    return holding

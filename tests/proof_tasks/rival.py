"""What a user would take instead: mosquitto_pub to mosquitto_sub over TLS, through a real Mosquitto on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import os
import shutil
import socket
import statistics
import time
from typing import TYPE_CHECKING, NamedTuple

from dca.hub.pki import Authority
from tests.proof_delivery.processes import end_with_the_proof

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

__all__ = ["Rival", "measure_rival"]

SEARCHED = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
PACKAGES = {"mosquitto": "mosquitto", "mosquitto_pub": "mosquitto-clients", "mosquitto_sub": "mosquitto-clients"}
TOPIC = "proof"


class Rival(NamedTuple):
    """Medians in milliseconds, from the decision to the subscriber's hands."""

    started: float
    """A new mosquitto_pub for each message, as a user runs it."""
    connected: float
    """One mosquitto_pub that is connected and reads its messages from a pipe."""


async def measure_rival(folder: Path, times: int) -> Rival | None:
    """Measure both; None where Mosquitto is not installed."""
    programs = {name: shutil.which(name, path=SEARCHED) for name in PACKAGES}
    if not all(programs.values()):
        if os.environ.get("CI") == "true":
            raise RuntimeError("mosquitto or mosquitto-clients is not installed (tests/setup peers as root)")
        return None
    authority = _authority(folder)
    async with contextlib.AsyncExitStack() as stack:
        port = await stack.enter_async_context(_broker(folder, authority, str(programs["mosquitto"])))
        common = ("-h", "127.0.0.1", "-p", str(port), "--cafile", str(authority.ca_file), "-t", TOPIC, "-q", "1")
        subscriber = _subscriber(str(programs["mosquitto_sub"]), str(programs["mosquitto_pub"]), common)
        inbox = await stack.enter_async_context(subscriber)
        publisher = (str(programs["mosquitto_pub"]), *common)

        async def start_one(text: str) -> None:
            one = await asyncio.create_subprocess_exec(*publisher, "-m", text, preexec_fn=end_with_the_proof)
            if await one.wait():
                raise RuntimeError("mosquitto_pub has failed")

        started = await _median(start_one, inbox, times)
        line = await stack.enter_async_context(_program(*publisher, "-l", stdin=asyncio.subprocess.PIPE))

        async def say(text: str) -> None:
            assert line.stdin is not None
            line.stdin.write(text.encode() + b"\n")
            await line.stdin.drain()

        connected = await _median(say, inbox, times)
    return Rival(started, connected)


def _authority(folder: Path) -> Authority:
    """Make a CA, and a certificate of it for this machine."""
    folder.mkdir()
    authority = Authority(folder)
    authority.ensure((), dt.datetime.now(dt.UTC))
    return authority


async def _median(send: Callable[[str], Awaitable[None]], inbox: asyncio.StreamReader, times: int) -> float:
    """Send one after the other; the first one is not counted."""
    found = []
    for number in range(times + 1):
        text = f"message {number} of this run"
        began = time.time()
        sending = asyncio.ensure_future(send(text))
        at, _, said = (await asyncio.wait_for(inbox.readline(), 20)).decode().strip().partition(" ")
        assert said == text
        found.append((float(at) - began) * 1000)
        await sending
    return statistics.median(found[1:])


@contextlib.asynccontextmanager
async def _broker(folder: Path, authority: Authority, program: str) -> AsyncIterator[int]:
    key, chain = authority.server_pair()
    for name, content in (("server.key", key), ("server.pem", chain)):
        (folder / name).write_bytes(content)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    owner = "user root\n" if os.geteuid() == 0 else ""
    (folder / "mosquitto.conf").write_text(
        f"{owner}set_tcp_nodelay true\nlog_dest stderr\nlistener {port} 127.0.0.1\nallow_anonymous true\n"
        f"certfile {folder / 'server.pem'}\nkeyfile {folder / 'server.key'}\n"
    )
    async with _program(program, "-c", str(folder / "mosquitto.conf")):
        for _ in range(200):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                yield port
                return
        raise RuntimeError("mosquitto does not listen")


@contextlib.asynccontextmanager
async def _subscriber(program: str, publisher: str, common: tuple[str, ...]) -> AsyncIterator[asyncio.StreamReader]:
    """Run mosquitto_sub, which writes down when each message came; yields once its subscription stands."""
    async with _program(publisher, *common, "-r", "-m", "retained") as first:
        await first.wait()
    line_by_line = ("stdbuf", "-oL")  # it would gather what it says in a pipe
    command = (*line_by_line, program, *common, "-F", "%U %p")  # %U: Unix seconds, with nanoseconds
    async with _program(*command, stdout=asyncio.subprocess.PIPE) as running:
        assert running.stdout is not None
        assert b"retained" in await asyncio.wait_for(running.stdout.readline(), 10)
        yield running.stdout


@contextlib.asynccontextmanager
async def _program(
    *command: str, stdin: int | None = None, stdout: int = asyncio.subprocess.DEVNULL
) -> AsyncIterator[asyncio.subprocess.Process]:
    silent = asyncio.subprocess.DEVNULL
    running = await asyncio.create_subprocess_exec(
        *command, stdin=stdin, stdout=stdout, stderr=silent, preexec_fn=end_with_the_proof
    )
    try:
        yield running
    finally:
        with contextlib.suppress(ProcessLookupError):
            running.terminate()
        await running.wait()

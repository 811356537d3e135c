"""Chromium over its debugging pipe (Chrome DevTools Protocol), with what a test of a page needs."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import shutil
import sys
import tempfile
from typing import TYPE_CHECKING, Any

from peers import need

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
HAND_OVER = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3]]
os.dup2(ends[0], 3)
os.dup2(ends[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""It reads from descriptor 3 and writes to descriptor 4."""


class Page:
    """One tab."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._number = 0
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._session: str | None = None
        self._loaded = asyncio.Event()
        self.complaints: list[str] = []
        """What the browser complained of: scripts' errors, policy violations, failed requests."""

    async def read(self) -> None:
        """Take in what the browser says."""
        while True:
            message = json.loads((await self._reader.readuntil(b"\0"))[:-1])
            if "id" in message:
                self._waiting.pop(message["id"]).set_result(message)
                continue
            name, given = message["method"], message["params"]
            if name == "Page.loadEventFired":
                self._loaded.set()
            elif name == "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(given["exceptionDetails"]))
            elif name == "Log.entryAdded" and given["entry"]["level"] in {"error", "warning"}:
                self.complaints.append(f"{given['entry']['text']} {given['entry'].get('url', '')}")

    async def call(self, method: str, **given: Any) -> dict[str, Any]:
        """Call a method of the protocol."""
        self._number += 1
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[self._number] = answer
        message = {"id": self._number, "method": method, "params": given}
        if self._session:
            message["sessionId"] = self._session
        self._writer.write(json.dumps(message).encode() + b"\0")
        found = await asyncio.wait_for(answer, 20)
        assert "error" not in found, found
        result: dict[str, Any] = found["result"]
        return result

    async def attach(self) -> None:
        """Open the tab."""
        target = await self.call("Target.createTarget", url="about:blank")
        session = await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = session["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.call(f"{domain}.enable")

    async def open(self, url: str, width: int = 1280, scheme: str = "light") -> None:
        """Load a page at a width (CSS pixels) in a colour scheme."""
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 700
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        await self.call("Emulation.setEmulatedMedia", features=features)
        self._loaded.clear()
        await self.call("Page.navigate", url=url)
        await asyncio.wait_for(self._loaded.wait(), 20)

    async def value(self, expression: str) -> Any:
        """Return a script's value."""
        found = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def until(self, expression: str, seconds: float = 15) -> None:
        """Wait until a script's value is true."""
        async with asyncio.timeout(seconds):
            while not await self.value(expression):  # noqa: ASYNC110 - a page tells nobody
                await asyncio.sleep(0.05)

    async def screenshot(self) -> bytes:
        """Return the whole page as PNG."""
        found = await self.call("Page.captureScreenshot", captureBeyondViewport=True)
        return base64.b64decode(found["data"])


@contextlib.asynccontextmanager
async def browser() -> AsyncIterator[Page]:
    """Run Chromium with one tab."""
    program = need("chromium", "chromium")
    profile = tempfile.mkdtemp(prefix="dca-chromium-")
    to_read, to_write = os.pipe(), os.pipe()

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-S", "-c", HAND_OVER, str(to_read[0]), str(to_write[1]), program),
        *SWITCHES,
        f"--user-data-dir={profile}",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        pass_fds=(to_read[0], to_write[1]),
    )
    os.close(to_read[0])
    os.close(to_write[1])
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=64 << 20)
    incoming, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(to_write[0], "rb")
    )
    outgoing, protocol = await loop.connect_write_pipe(
        lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()), os.fdopen(to_read[1], "wb")
    )
    page = Page(reader, asyncio.StreamWriter(outgoing, protocol, None, loop))
    reading = asyncio.create_task(page.read())
    try:
        await page.attach()
        yield page
    finally:
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError, asyncio.IncompleteReadError):
            await reading
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        incoming.close()
        outgoing.close()
        shutil.rmtree(profile, ignore_errors=True)

"""The real programs of the proof: hub, simulated fleet and agents, each started, killed and ended by its process id."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import re
import signal
import sys
from typing import TYPE_CHECKING

from tests.proof_delivery.wallclock import WallClock

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["DCA", "Agent", "Fleet", "Hub", "Process", "end_with_the_proof"]

DCA = (sys.executable, "-m", "dca")
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def end_with_the_proof() -> None:
    """Let the kernel end the child when the proof itself is killed (prctl(2))."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """One program; its output goes to a log file of its own."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.kills = 0
        self._process: asyncio.subprocess.Process | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def spawn(self, *arguments: str, **environment: str) -> None:
        assert not self.running
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *DCA,
                *arguments,
                stdout=log,
                stderr=log,
                env=os.environ | environment,
                preexec_fn=end_with_the_proof,
            )

    async def kill(self) -> None:
        """kill -9."""
        if self._process is not None and self.running:
            self._process.kill()
            await self._process.wait()
            self.kills += 1

    async def stop(self, seconds: float = 10.0) -> None:
        """SIGTERM, and after some seconds SIGKILL."""
        if self._process is None or not self.running:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(seconds):
                await self._process.wait()
        except TimeoutError:
            print(f"{self.log.stem} did not stop in {seconds:.0f} s", file=sys.stderr)
            self._process.kill()
            await self._process.wait()

    async def ended(self, seconds: float) -> int | None:
        """Wait until it ends by itself and return its exit code, None when it goes on."""
        assert self._process is not None
        try:
            async with asyncio.timeout(seconds):
                return await self._process.wait()
        except TimeoutError:
            return None

    def tail(self) -> str:
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-15:]) if self.log.exists() else ""


class Hub(Process):
    """`dca hub run`, with the engines that it starts itself."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "hub.log")
        self.data = folder / "hub"
        self._ready = folder / "hub-ready.json"
        self.port = 0
        self.mqtt_port = 0
        """Of MQTT over TLS; another one after each start."""
        self.ca_file = ""

    async def start(self) -> None:
        self._ready.unlink(missing_ok=True)
        await self.spawn(
            *("hub", "run", "--data", str(self.data), "--grpc", f"127.0.0.1:{self.port}"),
            *("--web", "127.0.0.1:0", "--ready-file", str(self._ready)),
        )

    async def serving(self, seconds: float = 60.0) -> None:
        """Wait until it serves."""
        async with asyncio.timeout(seconds):
            while not self._ready.exists():
                if not self.running:
                    raise RuntimeError(f"the hub ended:\n{self.tail()}")
                await asyncio.sleep(0.05)
        ready = json.loads(self._ready.read_text("utf-8"))
        self.port = int(ready["grpc"].rpartition(":")[2])
        self.mqtt_port = int(ready["mqtt"].rpartition(":")[2])
        self.ca_file = ready["ca_file"]

    async def command(self, *words: str) -> str:
        """Run another `dca hub` command and return what it prints."""
        running = await asyncio.create_subprocess_exec(
            *DCA, "hub", *words, "--data", str(self.data), stdout=asyncio.subprocess.PIPE
        )
        said, _ = await running.communicate()
        if running.returncode:
            raise RuntimeError(f"dca hub {' '.join(words)} failed")
        return said.decode().strip()

    async def code(self, site: str) -> str:
        """Return a new activation code of a site that is there."""
        return await self.command("code", "new", "--site", site)


class Fleet(Process):
    """`dca sim fleet`."""

    FIRST = "127.21.0.1"

    def __init__(self, folder: Path, count: int) -> None:
        super().__init__(folder / "fleet.log")
        self.count = count
        self.port = 0

    async def start(self, *options: str, seconds: float = 20.0) -> None:
        size = ("--count", str(self.count), "--first", self.FIRST)
        await self.spawn("sim", "fleet", *size, "--port", "0", "--speed", "900", *options)
        async with asyncio.timeout(seconds):
            while not self.port:
                await asyncio.sleep(0.05)
                if found := re.search(r"UDP port (\d+)", self.tail()):
                    self.port = int(found[1])


CONFIG = """\
[hub]
address = "127.0.0.1:{relay}"
activation_code = "file:{code}"
[agent]
state_dir = "{state}"
[schedule]
discovery = "30s"
full = "10s"
supplies = "10s"
status = "5s"
delivery = "1s"
[limits]
packets_per_second = 100000
packets_per_second_per_24 = 100000
timeout = "1s"
retries = 2
outbox_mb = {outbox_mb}
[[credential]]
name = "office"
version = "2c"
community = "public"
[[range]]
label = "fleet"
include = ["{first}-{last}"]
credentials = ["office"]
port = {port}
"""


class Agent(Process):
    """`dca run` with very short schedules and a clock of its own."""

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(folder / f"{name}.log")
        self.clock = WallClock(folder / f"{name}.clock")
        self.state = folder / f"{name}-state"
        self._config = folder / f"{name}.toml"
        self._code = folder / f"{name}.code"

    def configure(self, fleet: Fleet, *, devices: int, relay: int, code: str, outbox_mb: int, more: str = "") -> None:
        """Write its config; `code` is used at its first start."""
        with contextlib.suppress(FileNotFoundError):
            self._code.unlink()
        with os.fdopen(os.open(self._code, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(code)
        last = f"127.21.{devices >> 8}.{devices & 255}"
        text = CONFIG.format(
            relay=relay,
            code=self._code,
            state=self.state,
            outbox_mb=outbox_mb,
            first=fleet.FIRST,
            last=last,
            port=fleet.port,
        )
        self._config.write_text(text + more)

    async def start(self) -> None:
        await self.spawn("run", "--config", str(self._config), **self.clock.environ())

    async def kill(self) -> None:
        await super().kill()
        self._forget()

    async def stop(self, seconds: float = 10.0) -> None:
        await super().stop(seconds)
        self._forget()  # one that is stopped while it starts ends at once

    def _forget(self) -> None:
        if self._process is not None:
            self.clock.forget(self._process.pid)

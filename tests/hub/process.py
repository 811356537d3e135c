"""The real hub as a process of its own, for the system tests and the benchmark."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import grpc.aio

if TYPE_CHECKING:
    from collections.abc import Iterator

DCA = (sys.executable, "-c", "from dca.cli import main; main()")
ROOT = Path(__file__).resolve().parents[2]
START_S = 60.0


class HubProcess:
    """`dca hub run` on a data folder, with whatever is needed around it."""

    def __init__(self, data: Path, *options: str) -> None:
        self.data = data
        self.options = options
        self.log = data.with_name(data.name + ".log")
        self.ready_file = data.with_name(data.name + ".ready.json")
        self.process: subprocess.Popen[bytes] | None = None
        self.ready: dict[str, str] = {}

    def start(self) -> HubProcess:
        """Start it and wait until it serves."""
        self.ready_file.unlink(missing_ok=True)
        ports = () if "--grpc" in self.options else ("--grpc", "127.0.0.1:0")
        command = (*DCA, "hub", "run", "--data", str(self.data), *ports, "--web", "127.0.0.1:0")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                (*command, "--ready-file", str(self.ready_file), *self.options), cwd=ROOT, stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_S
        while not self.ready_file.exists():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, f"not serving after {START_S} s: {self.log.read_text()}"
            time.sleep(0.02)
        self.ready = json.loads(self.ready_file.read_text())
        return self

    @property
    def pid(self) -> int:
        """The process id."""
        assert self.process is not None
        return self.process.pid

    def stop(self) -> float:
        """Stop it as a service manager does; returns the seconds it took."""
        assert self.process is not None
        began = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0, self.log.read_text()
        return time.monotonic() - began

    def kill(self) -> None:
        """Kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(20)

    def command(self, *words: str, check: bool = True, env: dict[str, str] | None = None) -> str:
        """Run another `dca hub` command on the same data folder and return what it prints."""
        done = subprocess.run(
            (*DCA, "hub", *words, "--data", str(self.data)),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, **(env or {})},
        )
        assert not check or done.returncode == 0, done.stderr
        return done.stdout if done.returncode == 0 else done.stderr

    def add_site(self, name: str) -> None:
        """Add a site."""
        self.command("site", "add", name)

    def stranger(self) -> grpc.aio.Channel:
        """Return the channel of somebody who trusts the hub and has no certificate of it."""
        credentials = grpc.ssl_channel_credentials(Path(self.ready["ca_file"]).read_bytes())
        return grpc.aio.secure_channel(self.ready["grpc"], credentials, compression=grpc.Compression.Gzip)


@contextlib.contextmanager
def running(data: Path, *options: str) -> Iterator[HubProcess]:
    """Run a hub as long as the block lasts."""
    hub = HubProcess(data, *options).start()
    try:
        yield hub
    finally:
        if hub.process is not None and hub.process.poll() is None:
            hub.stop()

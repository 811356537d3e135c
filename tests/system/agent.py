"""The real agent, and the office it reads, as processes of their own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dca.sim.office import V3_USER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.hub.process import HubProcess

DCA = (sys.executable, "-m", "dca")
ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
[hub]
address = "{hub}"
activation_code = "file:code"

[agent]
state_dir = "state"
name = "system-test"

[schedule]
discovery = "1h"
full = "10s"
supplies = "10s"
status = "5s"
delivery = "1s"

[log]
level = "{level}"

[[credential]]
name = "office"
community = "public"

[[credential]]
name = "people"
version = "3"
user = "monitor"
auth = "sha256"
auth_password = "env:DCA_TEST_AUTH"
priv = "aes128"
priv_password = "env:DCA_TEST_PRIV"

[[range]]
label = "Office"
include = ["{include}"]
credentials = ["office", "people"]
port = {port}

{more}
"""
ALL = "127.24.0.0/27"


def environ(**more: str) -> dict[str, str]:
    """Return an environment in which the config's references lead somewhere."""
    assert V3_USER.auth_password is not None
    assert V3_USER.priv_password is not None
    secrets = {"DCA_TEST_AUTH": V3_USER.auth_password.reveal(), "DCA_TEST_PRIV": V3_USER.priv_password.reveal()}
    return os.environ | secrets | {"PYTHONUNBUFFERED": "1"} | more


def dca(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a `dca` command to its end."""
    return subprocess.run(
        [*DCA, *words], cwd=ROOT, env=environ(), capture_output=True, text=True, timeout=60, check=False
    )


@contextlib.contextmanager
def office(folder: Path) -> Iterator[int]:
    """Run the simulated office at 127.24.0.1 and following; yields its UDP port."""
    log = folder / "office.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*DCA, "sim", "office", "--address", "127.24.0.1", "--port", "0", "--seconds", "300"],
            cwd=ROOT, stdout=out, stderr=out, env=environ(),
        )  # fmt: skip
    try:
        yield int(wait_for(lambda: re.search(r"UDP port (\d+)", log.read_text()), "the office")[1])
    finally:
        process.terminate()
        process.wait(20)


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 40.0) -> Any:
    """Return what the condition gives once it gives something."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain for {what}"
        time.sleep(0.05)
    return found


class AgentProcess:
    """`dca run` with a folder of its own."""

    def __init__(self, folder: Path, hub: HubProcess, port: int) -> None:
        self.folder = folder
        self.config = folder / "dca.toml"
        self.log = folder / "agent.log"
        hub.add_site(folder.name)
        self.code = hub.command("code", "new", "--site", folder.name).strip()
        (folder / "code").write_text(self.code)
        (folder / "code").chmod(0o600)
        self._fields = {
            "hub": hub.ready["grpc"],
            "more": "",
            "port": port,
            "level": "debug",
            "include": ALL,
        }
        self.configure()
        self._link = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._link.bind(str(folder / "notify"))
        self._heard: list[str] = []
        threading.Thread(target=self._listen, daemon=True).start()
        self.process: subprocess.Popen[bytes] | None = None
        self.environment: dict[str, str] = {}
        """What it gets beside the usual."""

    def configure(self, **fields: str) -> None:
        """Write the config file as an editor does: whole, and in one step."""
        self._fields |= fields
        part = self.config.with_suffix(".part")
        part.write_text(CONFIG.format(**self._fields))
        part.replace(self.config)

    def start(self) -> None:
        """Start it as systemd does."""
        more = {"NOTIFY_SOCKET": str(self.folder / "notify"), "WATCHDOG_USEC": "400000"} | self.environment
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*DCA, "run", "--config", str(self.config)], cwd="/", stdout=log, stderr=log, env=environ(**more)
            )

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """End it and return its exit code and how many seconds it took."""
        assert self.process is not None
        began = time.monotonic()
        self.send(number)
        code = self.process.wait(20)
        return code, time.monotonic() - began

    def status(self) -> dict[str, Any]:
        """Return what `dca status --json` says, nothing before there is a state file."""
        done = dca("status", "--config", str(self.config), "--json")
        return json.loads(done.stdout) if done.returncode == 0 else {"devices": [], "outbox": {}}

    def said(self) -> str:
        """Return its log."""
        return self.log.read_text("utf-8", "replace")

    def notified(self) -> list[str]:
        """Return what it told the service manager, the first line of each message."""
        return list(self._heard)

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while heard := self._link.recv(4096):
                self._heard.append(heard.decode().split("\n")[0])

    def close(self) -> None:
        """Leave nothing behind."""
        self._link.shutdown(socket.SHUT_RDWR)
        self._link.close()
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(20)

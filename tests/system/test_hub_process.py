"""`dca hub` as a person and a service manager use it: real processes, killed and started again."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import time
from typing import TYPE_CHECKING
from uuid import uuid4

import asyncpg
import grpc
import httpx
import pytest

from dca.hub.engines import EmbeddedPostgres
from dca.hub.engines.process import processes_in
from dca.wire.report_pb2_grpc import TelemetryStub
from tests.hub.enrolled import channel, enrol
from tests.hub.office import laser, report, row
from tests.hub.process import DCA, ROOT, HubProcess, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dca.identity.identity import Identity


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def own_hub(data: Path) -> Iterator[HubProcess]:
    with running(data) as process:
        yield process


def left_running(data: Path) -> set[int]:
    return processes_in(data / "postgres", "postgres") | processes_in(data / "nats", "nats-server")


async def send(hub: HubProcess, agent: Identity, first: int, count: int) -> int:
    rows = [row(laser(total=number), number) for number in range(first, first + count)]
    async with channel(hub, agent) as line:
        answer = await TelemetryStub(line).Report(report(rows, agent.agent_id), timeout=20)
    assert not answer.refused
    return len(answer.stored)


def test_init_makes_a_ca_once_and_says_its_fingerprint(data: Path) -> None:
    hub = HubProcess(data)
    first = hub.command("init", "--name", "hub.example.com")
    assert str(data / "ca.pem") in first
    assert first.count(":") >= 31
    assert hub.command("init") == first
    (names,) = (line for line in first.splitlines() if line.startswith("Names"))
    assert "hub.example.com" in names
    assert "localhost" in names
    assert "hub.example.com" not in hub.command("init", "--name", "hub2.example.com")
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert stat.S_IMODE((data / "ca.key").stat().st_mode) == 0o600


async def deliver(hub: HubProcess, agent: Identity, reports: int) -> None:
    """Send reports as an agent does: the same one again until the hub has named its rows."""
    for number in range(reports):
        while True:
            try:
                await send(hub, agent, 1 + number * 100, 100)
                break
            except (grpc.aio.AioRpcError, KeyError):
                await asyncio.sleep(0.1)


async def test_kill_9_at_any_moment_loses_nothing_and_stores_nothing_twice(data: Path) -> None:
    hub = HubProcess(data).start()
    agents = [enrol(hub) for _ in range(3)]
    work = [asyncio.create_task(deliver(hub, agent, 40)) for agent in agents]
    moments = random.Random(7)
    for _ in range(5):
        await asyncio.sleep(moments.uniform(0.05, 0.8))
        engines = left_running(data)
        hub.kill()
        await asyncio.to_thread(hub.start)
        assert not engines & left_running(data)
    await asyncio.gather(*work)
    postgres = EmbeddedPostgres(data / "postgres")
    connection = await asyncpg.connect(postgres.url())
    assert await connection.fetchval("SELECT count(*) FROM rows") == 3 * 40 * 100
    assert await connection.fetchval("SELECT count(DISTINCT (agent, epoch, number)) FROM rows") == 3 * 40 * 100
    async with asyncio.timeout(30):
        while await connection.fetchval("SELECT count(*) FROM unpublished"):  # noqa: ASYNC110 - tables tell nobody
            await asyncio.sleep(0.1)
    await connection.close()
    postgres.close()
    assert hub.stop() < 5
    assert not left_running(data)


def test_it_stops_in_order_within_five_seconds(own_hub: HubProcess, data: Path) -> None:
    assert left_running(data)
    with httpx.stream("GET", f"{own_hub.ready['web']}live", timeout=5) as live:
        assert live.status_code == 200
        assert own_hub.stop() < 5
    assert not left_running(data)
    assert not own_hub.ready_file.exists()
    assert "shut down" in (data / "postgres.log").read_text()
    assert "recover" not in (data / "postgres.log").read_text()


def test_ctrl_c_leaves_nothing_running(data: Path) -> None:
    """The terminal signals the whole process group, and the hub alone must decide the order."""
    ready = data.with_name("ready.json")
    command = (*DCA, "hub", "run", "--data", str(data), "--grpc", "127.0.0.1:0", "--web", "127.0.0.1:0")
    with subprocess.Popen(
        (*command, "--ready-file", str(ready)), cwd=ROOT, start_new_session=True, stderr=subprocess.PIPE, text=True
    ) as process:
        for _ in range(600):
            if ready.exists():
                break
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=6)
        assert process.returncode == 0
    assert "has ended" not in said
    assert not left_running(data)
    assert "recover" not in (data / "postgres.log").read_text()


def test_a_second_hub_on_the_same_folder_says_so(own_hub: HubProcess) -> None:
    said = HubProcess(own_hub.data).command("run", "--grpc", "127.0.0.1:0", "--web", "127.0.0.1:0", check=False)
    assert f"in use by another hub (process {own_hub.pid})" in said


def test_sites_are_added_while_the_hub_runs_and_while_it_does_not(data: Path) -> None:
    hub = HubProcess(data)
    hub.command("init")
    hub.add_site("Cold")
    assert not left_running(data)
    with running(data) as running_hub:
        running_hub.add_site("Warm")
        listed = running_hub.command("site", "list")
    assert "Cold" in listed
    assert "Warm" in listed


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--web", "0.0.0.0:4480"), "no sign-in yet"),
        (("--certificate-days", "400"), "up to 397 days"),
        (("--grpc", "nonsense"), "write HOST:PORT"),
        (("--cert", "x.pem"), "both or neither"),
    ],
)
def test_what_cannot_be_is_said_plainly(data: Path, options: tuple[str, ...], says: str) -> None:
    said = HubProcess(data).command("run", *options, check=False)
    assert says in said
    assert "Traceback" not in said


async def test_a_taken_port_is_said_plainly_and_the_engines_end(own_hub: HubProcess, tmp_path: Path) -> None:
    other = HubProcess(tmp_path / "other")
    said = other.command("run", "--grpc", own_hub.ready["grpc"], "--web", "127.0.0.1:0", check=False)
    assert f"cannot listen on {own_hub.ready['grpc']} for agents" in said
    assert "stop it, or choose another with --grpc" in said
    assert "Traceback" not in said
    assert not left_running(tmp_path / "other")


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("init",),
        ("run",),
        ("site",),
        ("site", "add"),
        ("site", "list"),
        ("code", "new"),
        ("agent", "revoke"),
        ("task", "new"),
    ],
)
def test_every_command_has_a_short_way_to_its_help(words: tuple[str, ...]) -> None:
    done = subprocess.run((*DCA, "hub", *words, "-h"), cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: dca hub" in done.stdout


def share_keys(source: Path, data: Path) -> None:
    """Make a data folder with the keys of another one."""
    data.mkdir(mode=0o700)
    for shared in ("hub.lock", "ca.pem", "ca.key", "task.key"):
        shutil.copy(source / shared, data / shared)


async def test_two_hubs_on_one_database_and_one_nats(hub: HubProcess, data: Path, tmp_path: Path) -> None:
    """Beyond one machine: given servers, started twice; either end of it sees the same rows."""
    database = f"postgresql://dca@/dca?host=/proc/{hub.pid}/root{hub.data / 'postgres'}"
    if len(str(hub.data)) > 60:
        pytest.skip("the socket's path would be too long without the hub's own way to it")
    options = ("--database-url", database)
    share_keys(hub.data, data)
    with running(data, *options) as second:
        assert not processes_in(data / "postgres", "postgres")
        name = f"site {uuid4().hex}"
        agent = enrol(hub, name)
        assert await send(second, agent, 1, 5) == 5
        assert await send(hub, agent, 1, 5) == 5
        assert name in second.command("site", "list", "--database-url", database)


def test_the_ready_file_says_where(own_hub: HubProcess) -> None:
    assert set(own_hub.ready) == {"grpc", "mqtt", "web", "ca_file", "pid"}
    assert int(own_hub.ready["pid"]) == own_hub.pid
    assert httpx.get(f"{own_hub.ready['web']}healthz").json() == {"database": "up", "stream": "up"}
    log = own_hub.log.read_text()
    assert own_hub.ready["grpc"] in log
    assert own_hub.ready["web"] in log


async def test_a_server_certificate_that_is_renewed_is_used_at_once(own_hub: HubProcess, data: Path) -> None:
    agent = enrol(own_hub)
    assert await send(own_hub, agent, 1, 1) == 1
    said = own_hub.command("init", "--name", "renamed.example.com")
    assert f"The hub that runs here (process {own_hub.pid}) uses these names within a second" in said
    async with channel(own_hub, agent, ("grpc.ssl_target_name_override", "renamed.example.com")) as line:
        request = report([row(laser(), 2)], agent.agent_id)
        answer = await TelemetryStub(line).Report(request, timeout=10, wait_for_ready=True)
    assert len(answer.stored) == 1


def test_importing_the_command_group_needs_none_of_the_hubs_libraries() -> None:
    code = "import sys, dca.cli.hub; print([m for m in ('asyncpg', 'grpc', 'nats', 'starlette') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

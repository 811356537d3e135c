"""Real peers that several system tests share."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

import asyncpg
import pytest
from peers import missing

from dca.hub.engines import EmbeddedPostgres
from tests.hub.process import HubProcess, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator

T = TypeVar("T")
DEBIAN_POSTGRES = Path("/usr/lib/postgresql/15")


@contextlib.contextmanager
def background_loop() -> Iterator[Callable[[Coroutine[Any, Any, T]], T]]:
    """Run an event loop in a thread, for what outlives one test; yields a function that runs a coroutine there."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield lambda work: asyncio.run_coroutine_threadsafe(work, loop).result(60)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """A running hub on its embedded engines; tests add sites and agents of their own."""
    with running(tmp_path_factory.mktemp("hub") / "data") as process:
        yield process


@pytest.fixture(scope="session", params=["packaged", "debian-15"])
def postgres_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A PostgreSQL server: the package's, and the oldest that is supported where Debian has it installed."""
    programs, place = None, tmp_path_factory.mktemp(request.param)
    if request.param == "debian-15":
        programs = DEBIAN_POSTGRES
        if not (programs / "bin" / "postgres").exists():
            missing("PostgreSQL 15 is not installed (Debian package postgresql-15; `make test` installs it as root)")
        # Up to 15 the programs leave their working folder and go back by its path, so its parents must be open.
        place = Path(tempfile.mkdtemp(prefix="dca-postgres-15-"))
        place.chmod(0o711)
    server = EmbeddedPostgres(place / "postgres", programs)
    with background_loop() as run:
        run(server.start())
        try:
            yield server
        finally:
            run(server.stop())
            shutil.rmtree(place)


@pytest.fixture
async def empty_database(postgres_server: Any) -> AsyncIterator[str]:
    """The address of a new database without a schema."""
    name = f"test_{uuid4().hex}"
    admin = await asyncpg.connect(postgres_server.url("postgres"))
    await admin.execute(f"CREATE DATABASE {name}")
    try:
        yield postgres_server.url(name)
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()

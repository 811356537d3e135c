"""The hub's process: start the engines, bring the schema up to date, serve until told to stop, stop in order."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from dca.errors import HubError
from dca.hub.activation import Activation, Office
from dca.hub.broker import Broker
from dca.hub.database import connect, migrate, open_pool
from dca.hub.engines import EmbeddedNats, EmbeddedPostgres
from dca.hub.engines.nats_auth import NatsKeys
from dca.hub.folder import DataFolder, write_file
from dca.hub.front import Front, Inner, InnerServer, Revocations, Trust
from dca.hub.ingest import Telemetry
from dca.hub.listen import take
from dca.hub.pki import Authority
from dca.hub.presence import Presence
from dca.hub.presented import presented, write_pin
from dca.hub.settings import Address
from dca.hub.stream import Link, Live, Publisher
from dca.hub.tasks.dispatch import Dispatcher
from dca.hub.tasks.key import TaskKey
from dca.hub.web import Install, WebServer, make_app
from dca.net.files import raise_file_limit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    import asyncpg

    from dca.hub.engines.nats_auth import NatsLogin
    from dca.hub.presented import Chain
    from dca.hub.settings import HubSettings
    from dca.model import Secret

__all__ = ["Ready", "database", "prepare", "serve"]

log = logging.getLogger(__name__)

POOL = 8
RENEWAL_S = 6 * 3600.0
"""How often the server certificate's age is looked at."""
FRESH_S = 0.5
"""How often its file is."""
LOCK_TRIES = 20
STOP_S = 4.8
FILES = 65_536
"""Open at once: an agent has a line for reports and one for tasks, each with its inner one."""
EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not bound


@dataclass(frozen=True)
class Ready:
    """Where the hub serves."""

    grpc: Address
    web: Address
    ca_file: Path | None
    """The CA that signed its certificate; None with a given certificate."""
    mqtt: Address
    """MQTT over TLS; MQTT over WebSocket is at `grpc`."""

    def as_json(self) -> bytes:
        """Return what the ready file holds."""
        return json.dumps(
            {
                "grpc": str(self.grpc),
                "web": f"http://{self.web}/",
                "mqtt": str(self.mqtt),
                "ca_file": str(self.ca_file) if self.ca_file else None,
                "pid": os.getpid(),
            }
        ).encode()


def prepare(settings: HubSettings, folder: DataFolder) -> Authority:
    """Make the CA, which signs agents' certificates, and the server certificate in the data folder."""
    authority = Authority(folder.path)
    host = settings.grpc.host
    own = () if settings.grpc.is_loopback or host in EVERYWHERE else (host,)
    authority.ensure((*settings.names, *own), datetime.now(UTC), replace=bool(settings.names))
    return authority


async def serve(settings: HubSettings, announce: Callable[[Ready], None]) -> None:
    """Run the hub until SIGTERM or SIGINT; `announce` is called when it serves.

    Raises: HubError when it cannot start.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stop.set)
    serving = asyncio.create_task(_serve(settings, announce), name="hub")
    stopping = asyncio.create_task(stop.wait(), name="wait for the signal")
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        last_resort = loop.call_later(STOP_S, _give_up)
        stopping.cancel()
        serving.cancel()  # once, and signals are ignored from now on: everything is stopped in order
        try:
            with contextlib.suppress(asyncio.CancelledError):
                await serving
        finally:
            last_resort.cancel()
            for sign in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(sign)


def _give_up() -> None:
    """End at once: the engines are told by the kernel, and both recover from it."""
    log.error("the hub did not stop in order within %.1f s", STOP_S)
    os._exit(1)


async def _serve(settings: HubSettings, announce: Callable[[Ready], None]) -> None:
    if settings.ready_file is not None:
        settings.ready_file.unlink(missing_ok=True)  # a killed hub may have left it
    folder = DataFolder(settings.data)
    folder.make()
    async with AsyncExitStack() as stack:
        await _lock(folder)
        stack.callback(folder.unlock)
        _try_ports(settings)
        authority = prepare(settings, folder)
        task_key = TaskKey(folder.path)
        task_key.ensure()
        chain = presented(settings, authority)
        trust = Trust(chain, authority.ca_file.read_bytes())
        write_pin(folder, chain()[1])
        engines = await _start_engines(settings, folder, stack)
        url = engines.url
        await _migrate(url)
        pool = await open_pool(url, POOL)
        stack.push_async_callback(_close, pool)
        _make_room()
        link = Link(engines.nats_url, engines.login)
        link.open()
        stack.push_async_callback(link.close)
        publisher, live = Publisher(url, link), Live(link)
        revocations = Revocations(url)
        front = Front(settings.grpc, settings.mqtt_address, trust.context, revocations)
        stack.push_async_callback(front.stop)
        web = WebServer(settings.web)
        stack.push_async_callback(web.stop)
        grpc, mqtt = front.bind()
        own = authority if settings.certificate is None else None
        ready = Ready(grpc, web.bind(), own.ca_file if own else None, mqtt)
        broker = Broker(link, engines.keys, ready.mqtt.port)
        office = Office(authority, task_key.public(), timedelta(days=settings.certificate_days), broker.settings)
        telemetry, activation = Telemetry(pool, front.callers, publisher.wake), Activation(pool, front.callers, office)

        await web.start(make_app(pool, live, _install(ready, folder, link, own)))
        for part in (live, publisher, revocations, Dispatcher(url, broker.publish), Presence(pool, link)):
            part.start()
            stack.push_async_callback(part.stop)
        known, strangers = InnerServer(telemetry, activation), InnerServer(telemetry, activation)
        stack.push_async_callback(_stop_both, known, strangers)
        within = [Address("127.0.0.1", await server.start()) for server in (known, strangers)]
        await front.start(Inner(within[0], within[1], engines.websocket, engines.mqtt))

        if settings.ready_file is not None:
            write_file(settings.ready_file, ready.as_json(), 0o644)
            stack.callback(settings.ready_file.unlink, missing_ok=True)
        announce(ready)
        await _keep_fresh(settings, folder, trust, chain)


async def _stop_both(known: InnerServer, strangers: InnerServer) -> None:
    await asyncio.gather(known.stop(), strangers.stop())


def _make_room() -> None:
    """Let the process have two files for each agent that listens, and say how many that is for."""
    most = raise_file_limit(FILES)
    if most is not None and most < FILES:
        log.warning(
            "the system lets the hub have %d files open: enough for some %d agents (LimitNOFILE)", most, most // 4
        )


def _try_ports(settings: HubSettings) -> None:
    """Raise HubError for a port that cannot be had: before the engines are started, which takes seconds."""
    for address, who, option in (
        (settings.grpc, "agents", "--grpc"),
        (settings.mqtt_address, "MQTT", "--mqtt"),
        (settings.web, "the page", "--web"),
    ):
        take(address, who, option).close()


async def _keep_fresh(settings: HubSettings, folder: DataFolder, trust: Trust, chain: Chain) -> None:
    """Use a renewed server certificate from the next connection on, and renew the hub's own in time."""
    loop = asyncio.get_running_loop()
    prepared = loop.time()
    while True:
        await asyncio.sleep(FRESH_S)
        try:
            if loop.time() - prepared > RENEWAL_S:
                prepared = loop.time()
                prepare(settings, folder)
            if trust.refresh():
                write_pin(folder, chain()[1])
                log.info("the server certificate was renewed")
        except (OSError, ValueError, HubError) as error:
            log.error("the server certificate cannot be renewed, the present one stays: %s", error)  # noqa: TRY400 - no bug


async def _lock(folder: DataFolder) -> None:
    """Take the folder; a command that uses it for a moment is waited for."""
    for _ in range(LOCK_TRIES):
        if folder.try_lock():
            return
        await asyncio.sleep(0.25)
    folder.lock()


class _Engines(NamedTuple):
    """Where database and NATS are."""

    url: str
    nats_url: Secret
    login: NatsLogin | None
    keys: NatsKeys | None
    """Sign agents' tokens; None: there is no broker for them."""
    websocket: Address | None = None
    mqtt: Address | None = None


async def _start_engines(settings: HubSettings, folder: DataFolder, stack: AsyncExitStack) -> _Engines:
    """Start what was not given; return the addresses of database and NATS."""
    if settings.database_url is None:
        postgres = EmbeddedPostgres(folder.path / "postgres")
        stack.push_async_callback(postgres.stop)
        await postgres.start()
        url = postgres.url()
    else:
        url = settings.database_url.reveal()
    if settings.nats_url is not None:
        seed = settings.nats_account_seed
        keys = NatsKeys.given(seed) if seed is not None else None
        login = keys.hub(int(time.time())) if keys else None
        return _Engines(url, settings.nats_url, login, keys, settings.nats_websocket, settings.nats_mqtt)
    nats = EmbeddedNats(folder.path / "nats")
    stack.push_async_callback(nats.stop)
    await nats.start()
    return _Engines(url, nats.url, nats.login, nats.keys, nats.websocket, nats.mqtt)


async def _migrate(url: str) -> None:
    connection = await connect(url, patience=30)
    try:
        for step in await migrate(connection):
            log.info("database: applied step %04d %s", step.number, step.name)
    finally:
        await connection.close()


async def _close(pool: asyncpg.Pool) -> None:
    try:
        await asyncio.wait_for(pool.close(), 1.0)
    except TimeoutError:
        pool.terminate()


def _install(ready: Ready, folder: DataFolder, link: Link, authority: Authority | None) -> Install:
    grpc = ready.grpc if ready.grpc.host not in EVERYWHERE else replace(ready.grpc, host=socket.gethostname())
    return Install(
        grpc=str(grpc),
        loopback=ready.grpc.is_loopback,
        data=str(folder.path),
        ca_file=str(authority.ca_file) if authority else None,
        ca_fingerprint=authority.ca_fingerprint if authority else None,
        is_up=lambda: link.is_up,
    )


@contextlib.asynccontextmanager
async def database(data: Path, given: Secret | None) -> AsyncIterator[asyncpg.Connection]:
    """Lend a connection to a command: to the given database, to the running hub's, or to one started for it.

    Raises: HubError when there is no such hub or database.
    """
    async with AsyncExitStack() as stack:
        if given is not None:
            url = given.reveal()
        else:
            folder = DataFolder(data)
            folder.require()
            postgres = EmbeddedPostgres(folder.path / "postgres")
            if folder.try_lock():
                stack.callback(folder.unlock)
                stack.push_async_callback(postgres.stop)
                await postgres.start()
            else:
                stack.callback(postgres.close)
                await postgres.attach()
            url = postgres.url()
        connection = await connect(url)
        stack.push_async_callback(connection.close)
        await migrate(connection)
        yield connection

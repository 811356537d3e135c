"""The channel against the real mosquitto, over WebSockets and TLS, through relays that are cut and a real proxy."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import random
import signal
import ssl
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from brokers import PASSWORD, USER, free_port, make_pki, mosquitto, tinyproxy
from peers import need

from dca.channel import Channel, Limits, Login, Route, Topics
from dca.errors import StoreError
from dca.model import Secret
from dca.net.proxy import Proxy
from tests.proof_delivery.relay import Relay

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

QUICK = Limits(first_wait=0.05, longest_wait=0.2, probe_every=0.2, again_after=0.1, connect=3.0)
VICTIM = Path(__file__).resolve().parents[1] / "channel" / "victim.py"


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return make_pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def broker(tmp_path_factory, pki):
    with mosquitto(tmp_path_factory.mktemp("mosquitto"), pki) as running:
        yield running


@pytest.fixture
def wss(broker):
    return Route("wss", "127.0.0.1", broker.wss, "/mqtt")


@pytest.fixture
def mqtts(broker):
    return Route("mqtts", "127.0.0.1", broker.mqtts)


@dataclasses.dataclass
class Listener:
    """A running channel and what it kept."""

    channel: Channel
    kept: list[bytes]
    ups: asyncio.Queue[str]
    task: asyncio.Task[None]
    fails: bool = False

    async def until(self, condition, within=10.0):
        async with asyncio.timeout(within):
            while not condition(self):  # noqa: ASYNC110 - a real broker tells nobody
                await asyncio.sleep(0.005)


@pytest.fixture
def listen(pki):
    """Return a context manager that listens as one agent."""

    @contextlib.asynccontextmanager
    async def listening(name: str, *routes: Route, **more: Any) -> AsyncIterator[Listener]:
        async def on_message(payload: bytes) -> None:
            if listener.fails:
                raise StoreError("the disk is full")
            listener.kept.append(payload)

        async def on_up() -> None:
            listener.ups.put_nowait(listener.channel.state)

        arguments: dict[str, Any] = {
            "tls": lambda: ssl.create_default_context(cafile=str(pki.ca)),
            "on_message": on_message,
            "on_up": on_up,
            "limits": QUICK,
            **more,
        }
        login = arguments.pop("login", Login(name, USER, Secret(PASSWORD)))
        topics = arguments.pop("topics", Topics(f"dca/{name}/tasks", f"dca/{name}/status"))
        channel = Channel(routes, login, topics, **arguments)
        listener = Listener(channel, [], asyncio.Queue(), asyncio.create_task(channel.run()))
        try:
            yield listener
        finally:
            listener.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listener.task

    return listening


async def publish(broker, name: str, *payloads: str, pace: float = 0.0) -> None:
    """Publish as the hub does."""
    command = [need("mosquitto_pub", "mosquitto-clients"), "-p", str(broker.plain), "-q", "1", "-l"]
    process = await asyncio.create_subprocess_exec(*command, "-t", f"dca/{name}/tasks", stdin=asyncio.subprocess.PIPE)
    assert process.stdin is not None
    for payload in payloads:
        process.stdin.write(f"{payload}\n".encode())
        await asyncio.sleep(pace)
    process.stdin.close()
    assert await process.wait() == 0


@pytest.mark.parametrize("name", ["wss", "mqtts"])
async def test_tasks_arrive_by_either_route(broker, listen, request, name):
    async with listen(f"either-{name}", request.getfixturevalue(name)) as listener:
        assert await listener.ups.get() == name
        await publish(broker, f"either-{name}", "one", "two")
        await listener.until(lambda it: it.kept == [b"one", b"two"])


async def test_a_wrong_password_is_told(wss, listen):
    async with listen("wrong", wss, login=Login("wrong", USER, Secret("guessed"))) as listener:
        await listener.until(lambda it: it.channel.last_error)
        assert "CONNACK" in listener.channel.last_error
        assert "guessed" not in listener.channel.last_error


async def test_what_was_sent_while_the_agent_was_away_waits_for_it(broker, wss, mqtts, listen):
    async with listen("away", wss) as listener:
        await listener.ups.get()
    await publish(broker, "away", "one", "two", "three")
    async with listen("away", mqtts) as listener:
        await listener.until(lambda it: it.kept == [b"one", b"two", b"three"])
    async with listen("away", wss) as listener:
        await listener.ups.get()
        await publish(broker, "away", "four")
        await listener.until(lambda it: it.kept == [b"four"])


async def test_what_could_not_be_kept_comes_again_and_what_was_kept_does_not(broker, wss, listen):
    async with listen("full", wss) as listener:
        await listener.ups.get()
        await publish(broker, "full", "kept")
        await listener.until(lambda it: it.kept == [b"kept"])
        listener.fails = True
        await publish(broker, "full", "one", "two")
        assert await listener.ups.get() == "wss"
        assert await listener.ups.get() == "wss"
        listener.fails = False
        await listener.until(lambda it: it.kept == [b"kept", b"one", b"two"])


async def test_a_message_in_the_hands_of_a_process_that_is_killed_comes_again(broker, pki, wss, listen):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        VICTIM,
        str(broker.wss),
        pki.ca,
        stdout=asyncio.subprocess.PIPE,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert process.stdout is not None
    async with asyncio.timeout(20):
        assert await process.stdout.readline() == b"up\n"
        await publish(broker, "victim", "one")
        assert await process.stdout.readline() == b"one\n"
    process.send_signal(signal.SIGKILL)
    await process.wait()
    async with listen("victim", wss) as listener:
        await listener.until(lambda it: it.kept == [b"one"])


async def test_coming_going_and_dying_show_at_the_status_topic(broker, wss, mqtts, listen):
    relay = Relay(lambda: broker.wss)
    await relay.open()
    try:
        async with listen("watcher", mqtts, topics=Topics("dca/state/status")) as watcher:
            await watcher.ups.get()
            async with listen("state", dataclasses.replace(wss, port=relay.port)):
                await watcher.until(lambda it: it.kept == [b"online"])
                await relay.close()
                await watcher.until(lambda it: it.kept == [b"online", b"offline"])  # the last will
                await relay.open()
                await watcher.until(lambda it: it.kept[2:] == [b"online"])
            await watcher.until(lambda it: it.kept[3:] == [b"offline"])
    finally:
        await relay.close()


async def test_a_dead_route_is_left_and_taken_again_when_it_is_back(broker, wss, mqtts, listen):
    relay = Relay(lambda: broker.wss)
    await relay.open()
    try:
        async with listen("routes", dataclasses.replace(wss, port=relay.port), mqtts) as listener:
            assert await listener.ups.get() == "wss"
            await relay.close()
            assert await listener.ups.get() == "mqtts"
            await publish(broker, "routes", "by the fallback")
            await listener.until(lambda it: it.kept)
            await relay.open()
            assert await asyncio.wait_for(listener.ups.get(), 10) == "wss"
            await publish(broker, "routes", "by the first again")
            await listener.until(lambda it: it.kept == [b"by the fallback", b"by the first again"])
    finally:
        await relay.close()


async def test_twenty_cuts_lose_nothing(broker, wss, listen):
    relay = Relay(lambda: broker.wss)
    await relay.open()
    drawn = random.Random(7)
    try:
        async with listen("cuts", dataclasses.replace(wss, port=relay.port)) as listener:
            await listener.ups.get()
            sent = [f"task {number}" for number in range(200)]
            publishing = asyncio.create_task(publish(broker, "cuts", *sent, pace=0.015))
            for _ in range(20):
                await asyncio.sleep(drawn.uniform(0.02, 0.3))
                await relay.disturb(drawn.choice(["cut", "deaf"]), 0.02)
            await publishing
            await listener.until(lambda it: len(set(it.kept)) == 200, 30)
            assert set(listener.kept) == {text.encode() for text in sent}
    finally:
        await relay.close()


@pytest.mark.parametrize("name", ["wss", "mqtts"])
async def test_a_clone_is_recognised(broker, listen, request, name, caplog):
    route = request.getfixturevalue(name)
    async with listen(f"clone-{name}", route) as one, listen(f"clone-{name}", route) as other:
        await one.until(lambda _: "a copy of another one" in caplog.text, 20)
        assert "a copy of another one" in one.channel.last_error + other.channel.last_error


async def test_a_proxy_with_a_password_leads_to_the_broker(broker, wss, mqtts, listen, tmp_path):
    with tinyproxy(tmp_path, [broker.wss, broker.mqtts], user="dca", password="word") as port:
        proxy = Proxy("127.0.0.1", port, "dca", Secret("word"))
        for route in (wss, mqtts):
            async with listen("proxied", dataclasses.replace(route, proxy=proxy)) as listener:
                assert await listener.ups.get() == route.name
                await publish(broker, "proxied", "one")
                await listener.until(lambda it: it.kept == [b"one"])
    assert (tmp_path / "tinyproxy.log").read_text().count("CONNECT") >= 2


@pytest.mark.parametrize(
    ("user", "password", "allowed", "words"),
    [
        ("", None, True, "asks for a user and password"),
        ("dca", Secret("guessed"), True, "asks for a user and password"),
        ("dca", Secret("word"), False, "allows no tunnel"),
    ],
)
async def test_what_the_proxy_says_is_told(wss, listen, tmp_path, *, user, password, allowed, words):
    ports = [wss.port if allowed else free_port()]
    with tinyproxy(tmp_path, ports, user="dca", password="word") as port:
        proxied = dataclasses.replace(wss, proxy=Proxy("127.0.0.1", port, user, password))
        async with listen("refused", proxied) as listener:
            await listener.until(lambda it: it.channel.last_error)
            assert words in listener.channel.last_error
            assert "guessed" not in listener.channel.last_error


class _NoReaders(asyncio.SelectorEventLoop):
    """What code may rely on with Windows' Proactor."""

    def add_reader(self, *_):
        raise NotImplementedError

    add_writer = remove_reader = remove_writer = add_reader


def test_no_kind_of_event_loop_is_asked_for(broker, wss, pki):
    async def main():
        came, up = asyncio.Event(), asyncio.Event()

        async def on_message(_):
            came.set()

        async def on_up():
            up.set()

        channel = Channel(
            [wss],
            Login("loop", USER, Secret(PASSWORD)),
            Topics("dca/loop/tasks"),
            tls=lambda: ssl.create_default_context(cafile=str(pki.ca)),
            on_message=on_message,
            on_up=on_up,
        )
        task = asyncio.create_task(channel.run())
        await asyncio.wait_for(up.wait(), 10)
        await publish(broker, "loop", "one")
        await asyncio.wait_for(came.wait(), 10)
        task.cancel()

    with asyncio.Runner(loop_factory=_NoReaders) as runner:
        runner.run(main())

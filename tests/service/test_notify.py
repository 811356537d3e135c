"""sd_notify over real datagram sockets, and a watchdog that is fed only for the living."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest

from dca.service.notify import Heartbeats, Notifier, feed_watchdog


@pytest.fixture
def manager(tmp_path):
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(path))
        server.setblocking(False)
        yield server, str(path)


def heard(server: socket.socket) -> list[str]:
    lines = []
    while True:
        try:
            lines.append(server.recv(4096).decode())
        except BlockingIOError:
            return lines


def test_states_reach_the_manager(manager) -> None:
    server, path = manager
    notifier = Notifier(path)
    notifier.ready("12 devices")
    notifier.status("reading\nand more")
    notifier.alive()
    notifier.stopping()
    assert heard(server) == ["READY=1\nSTATUS=12 devices", "STATUS=reading and more", "WATCHDOG=1", "STOPPING=1"]


def test_reloading_carries_the_monotonic_time(manager) -> None:
    server, path = manager
    Notifier(path).reloading()
    first, second = heard(server)[0].split("\n")
    assert first == "RELOADING=1"
    name, value = second.split("=")
    assert name == "MONOTONIC_USEC"
    assert int(value) > 0


def test_an_abstract_socket() -> None:
    name = f"dca-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind("\0" + name)
        server.setblocking(False)
        Notifier("@" + name).alive()
        assert heard(server) == ["WATCHDOG=1"]


def test_a_full_queue_holds_up_no_heartbeat(manager) -> None:
    server, path = manager
    for _ in range(1000):
        Notifier(path).alive()
    assert 0 < len(heard(server)) < 1000


def test_nobody_there_is_no_trouble(tmp_path) -> None:
    Notifier(None).ready()
    Notifier(str(tmp_path / "gone")).ready()


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, 0.0),
        ({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "60000000"}, 60.0),
        ({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "7"}, 60.0),
        ({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "8"}, 0.0),
        ({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "-5"}, 0.0),
        ({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "soon"}, 0.0),
        ({"WATCHDOG_USEC": "60000000"}, 0.0),
    ],
)
def test_the_watchdog_time_from_the_environment(environ, seconds) -> None:
    assert Notifier.from_environment(environ, pid=7).watchdog == seconds


def test_heartbeats_name_the_silent() -> None:
    now = [0.0]
    beats = Heartbeats(lambda: now[0])
    beats.register("store", 10)
    beats.register("schedule", 60)
    now[0] = 11.0
    assert beats.silent() == ["store"]
    beats.tick("store")
    assert beats.silent() == []
    now[0] = 61.0
    assert beats.silent() == ["store", "schedule"]


async def test_the_watchdog_is_fed_only_for_the_living(manager, caplog) -> None:
    server, path = manager
    now = [0.0]
    beats = Heartbeats(lambda: now[0])
    beats.register("store", 10)
    fed = []

    async def sleep(seconds: float) -> None:
        assert seconds == 30
        fed.append(heard(server))
        now[0] += seconds
        if len(fed) in {1, 4}:
            beats.tick("store")
        if len(fed) == 5:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await feed_watchdog(Notifier(path, watchdog=60), beats, sleep)
    assert fed == [["WATCHDOG=1"], ["WATCHDOG=1"], [], [], ["WATCHDOG=1"]]
    assert caplog.text.count("no sign of life from store") == 1


async def test_without_a_watchdog_there_is_nothing_to_feed() -> None:
    await asyncio.wait_for(feed_watchdog(Notifier("@nobody"), Heartbeats()), 1)

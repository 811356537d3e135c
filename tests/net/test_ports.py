"""One connection to one known port: open, closed or silent, and not an octet."""

from __future__ import annotations

import asyncio
import socket

import pytest

from dca.net import ports
from dca.net.ports import KNOWN, RAW_PRINTING, knock, place_of


@pytest.fixture
def listener(monkeypatch):
    with socket.create_server(("127.0.0.1", 0), backlog=1) as made:
        monkeypatch.setattr(ports, "KNOWN", {made.getsockname()[1]: "X"})
        yield made


async def test_open_closed_and_what_is_sent(listener):
    port = listener.getsockname()[1]
    ticks = iter([1.0, 1.25, 2.0, 2.5])
    assert await knock("127.0.0.1", port, 5, clock=lambda: next(ticks)) == (port, "open", 250.0)
    listener.settimeout(5)
    link, _ = listener.accept()
    with link:
        assert link.recv(1) == b""
    listener.close()
    assert await knock("127.0.0.1", port, 5, clock=lambda: next(ticks)) == (port, "closed", 500.0)


async def test_silence_is_neither(listener, monkeypatch):
    async def never(*_):
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", never)
    port = listener.getsockname()[1]
    assert (await knock("127.0.0.1", port, 0.01)).state == "silent"


async def test_other_ports_are_never_connected_to(monkeypatch):
    monkeypatch.setattr(ports, "socket", None)
    for port in (*RAW_PRINTING, 25, 0):
        with pytest.raises(ValueError, match="is not one that is connected to"):
            await knock("127.0.0.1", port, 1)
    assert not set(KNOWN) & set(RAW_PRINTING)


def test_places():
    assert place_of("192.0.2.1", 80) == (socket.AF_INET, ("192.0.2.1", 80))
    assert place_of("fe80::1%3", 80) == (socket.AF_INET6, ("fe80::1", 80, 0, 3))

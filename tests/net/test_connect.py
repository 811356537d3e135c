from __future__ import annotations

import contextlib
import socket
import threading
import time

import pytest

from dca.model import Secret
from dca.net.connect import Dial, ProxyAnswerError
from dca.net.proxy import Proxy


@contextlib.contextmanager
def answering(*pieces, family=socket.AF_INET):
    """Listen on loopback, send the pieces one by one after a request's end; give the port and what came."""
    with socket.socket(family) as server:
        server.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        server.listen()
        server.settimeout(5)
        came = bytearray()

        def serve():
            with contextlib.suppress(OSError):
                peer, _ = server.accept()
                with peer:
                    peer.settimeout(5)
                    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    while not came.endswith(b"\r\n\r\n"):
                        data = peer.recv(1000)
                        came.extend(data)
                        if not data:
                            return
                    for piece in pieces:
                        peer.sendall(piece)
                        time.sleep(0.02)
                    peer.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1], came
        finally:
            server.close()
            thread.join()


def through(port, host="broker.example.com", **more):
    return Dial(host, 443, ("127.0.0.1",), proxy=Proxy("127.0.0.1", port, **more), timeout=2)


def test_a_tunnel_leaves_what_follows_to_the_next_protocol():
    with answering(b"HTTP/1.1 200 ", b"Connection established\r\nX: y\r", b"\n\r\nfirst bytes") as (port, came):
        dial = through(port)
        with dial.open() as sock:
            assert sock.recv(100) == b"first bytes"
        dial.close()
    assert came == b"CONNECT broker.example.com:443 HTTP/1.1\r\nHost: broker.example.com:443\r\n\r\n"


@pytest.mark.parametrize("password", ["word", ""])
def test_a_password_goes_to_the_proxy_even_an_empty_one(password):
    with answering(b"HTTP/1.0 200 OK\r\n\r\n") as (port, came):
        dial = through(port, user="u", password=Secret(password))
        dial.open().close()
        dial.close()
    assert b"\r\nProxy-Authorization: Basic " in came


def test_an_address_of_version_6_is_written_with_brackets():
    with answering(b"HTTP/1.1 200 OK\r\n\r\n") as (port, came):
        dial = through(port, "2001:db8::1")
        dial.open().close()
        dial.close()
    assert came.startswith(b"CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n")


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", 407),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", 403),
        (b"SSH-2.0-OpenSSH\r\n\r\n", 0),
        (b"HTTP/1.1 2000 OK\r\n\r\n", 0),
        (b"HTTP/1.1 200 OK\r\n" + b"x" * 20_000, 0),
    ],
)
def test_what_opens_no_tunnel_is_an_error_with_its_status(answer, status):
    with answering(answer) as (port, _), pytest.raises(ProxyAnswerError) as caught:
        through(port).open()
    assert caught.value.status == status


def test_a_proxy_that_drips_is_cut_off_by_the_limit_of_the_whole():
    began = time.monotonic()
    with answering(*[b"x"] * 100) as (port, _):
        dial = Dial("h", 443, ("127.0.0.1",), proxy=Proxy("127.0.0.1", port), timeout=0.3)
        with pytest.raises(TimeoutError):
            dial.open()
        dial.close()
    assert time.monotonic() - began < 3


def test_the_next_address_is_tried_where_one_refuses():
    with answering(family=socket.AF_INET6) as (port, _):
        dial = Dial("h", port, ("127.0.0.1", "::1"), timeout=2)
        with dial.open() as sock:
            assert sock.getpeername()[0] == "::1"
        dial.close()


def test_without_an_address_there_is_no_connection():
    with pytest.raises(OSError, match="no address"):
        Dial("h", 443, ()).open()


def test_a_stop_ends_a_connection_that_another_thread_waits_at():
    with answering() as (port, _):
        dial = Dial("127.0.0.1", port, ("127.0.0.1",), timeout=5)
        with dial.open() as sock:
            threading.Timer(0.05, dial.stop).start()
            began = time.monotonic()
            assert sock.recv(1) == b""
        dial.close()
    assert time.monotonic() - began < 1


def test_after_a_stop_nothing_is_opened():
    with answering() as (port, _):
        dial = Dial("127.0.0.1", port, ("127.0.0.1",))
        dial.stop()
        with pytest.raises(ConnectionAbortedError):
            dial.open()

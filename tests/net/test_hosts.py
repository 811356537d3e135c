from __future__ import annotations

import pytest

from dca.net.hosts import is_loopback, join_host_port, parse_host_port


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("hub.example.com", "hub.example.com", None),
        ("Hub.Example.com:8443", "hub.example.com", 8443),
        ("192.0.2.1:1", "192.0.2.1", 1),
        ("2001:DB8::1", "2001:db8::1", None),
        ("[2001:db8::1]", "2001:db8::1", None),
        ("[2001:db8::1]:443", "2001:db8::1", 443),
    ],
)
def test_host_and_port(text, host, port):
    assert parse_host_port(text) == (host, port)
    if port:
        assert parse_host_port(join_host_port(host, port)) == (host, port)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":443",
        "hub:",
        "hub:0",
        "hub:65536",
        "hub:\u0664",
        "hub:+1",
        "https://hub",
        "hub/path",
        "user@hub",
        "[hub]:443",
        "[::1",
        "[::1]443",
        "[::1]:",
        "a b",
        "10.1",
        "hub\n",
        "hub..example",
        "x" * 64 + ".example",
    ],
)
def test_what_is_no_host_and_port(text):
    with pytest.raises(ValueError, match=r"."):
        parse_host_port(text)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost", "LOCALHOST.", "::ffff:127.0.0.1"])
def test_this_machine(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["128.0.0.1", "localhost.example.com", "::2", "0.0.0.0", "hub", "127.0.0.1.example"])
def test_another_machine(host):
    assert not is_loopback(host)

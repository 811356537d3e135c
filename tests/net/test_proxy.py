from __future__ import annotations

import asyncio
import base64

import grpc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dca.model import Secret
from dca.net.proxy import Proxy, environment_proxy, parse_proxy


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("http://proxy:3128", Proxy("proxy", 3128)),
        ("HTTP://proxy.example.com:8080/", Proxy("proxy.example.com", 8080)),
        ("http://[2001:db8::1]:3128", Proxy("2001:db8::1", 3128)),
        ("http://me:p%40ss@proxy:3128", Proxy("proxy", 3128, "me", Secret("p@ss"))),
        ("http://me:a:b@proxy:3128", Proxy("proxy", 3128, "me", Secret("a:b"))),
        ("http://me@proxy:3128", Proxy("proxy", 3128, "me")),
    ],
)
def test_what_is_taken(url, proxy):
    assert parse_proxy(url) == proxy


@pytest.mark.parametrize(
    "url",
    [
        "",
        "proxy:3128",
        "10.0.0.1:3128",
        "https://proxy:3128",
        "socks5://proxy:1080",
        "http://proxy",
        "http://proxy:",
        "http://proxy:0",
        "http://proxy:99999",
        "http://proxy:3128/path",
        "http://proxy:3128?x",
        "http://proxy:3128 ",
        " http://proxy:3128",
        "http://me:hunter2@",
        "http://me:hunter2%@proxy:3128",
        "http://me:hunter2@pro xy:3128",
        "http://me:hunter2@proxy",
        "http://me%3Ahunter2:x@proxy:1",
        "http://a@me:hunter2@proxy:1",
        "http://me:hunter2@proxy:3128\n",
    ],
)
def test_what_grpc_would_pass_over_in_silence_is_refused(url):
    with pytest.raises(ValueError, match=r".") as caught:
        parse_proxy(url)
    assert "hunter2" not in str(caught.value)


def test_no_text_of_a_proxy_shows_its_password():
    proxy = parse_proxy("http://me:hunter2@proxy:3128")
    assert "hunter2" not in f"{proxy} {proxy!r} {proxy.authorization()}"


@settings(deadline=None)
@given(st.text(st.characters(exclude_characters=":", exclude_categories=("Cs",))), st.text(min_size=1))
def test_user_and_password_survive_the_url(user, password):
    if any(0xD800 <= ord(letter) <= 0xDFFF for letter in password):
        return
    proxy = Proxy("proxy", 3128, user, Secret(password))
    assert parse_proxy(proxy.grpc_url()) == proxy


@pytest.mark.parametrize(
    ("environ", "proxy"),
    [
        ({}, None),
        ({"https_proxy": ""}, None),
        ({"http_proxy": "http://other:1"}, None),
        ({"https_proxy": "http://low:1", "HTTPS_PROXY": "http://up:2"}, Proxy("low", 1)),
        ({"HTTPS_PROXY": "http://up:2", "NO_PROXY": "a, .b ,,C"}, Proxy("up", 2, bypass=("a", ".b", "c"))),
        ({"https_proxy": "http://low:1", "no_proxy": "", "NO_PROXY": "x"}, Proxy("low", 1)),
    ],
)
def test_the_environments_proxy(environ, proxy):
    assert environment_proxy(environ) == proxy


def test_the_environments_wrong_proxy_is_named_by_its_variable():
    with pytest.raises(ValueError, match="environment variable HTTPS_PROXY"):
        environment_proxy({"HTTPS_PROXY": "socks5://u:hunter2@proxy:1080"})


@pytest.mark.parametrize(
    ("entry", "host", "port", "passes"),
    [
        ("*", "hub.example.com", 443, True),
        ("example.com", "hub.example.com", 443, True),
        (".example.com", "hub.example.com", 443, True),
        ("*.example.com", "hub.example.com", 443, True),
        ("example.com", "example.com", 443, True),
        ("example.com", "hub.example.com.", 443, True),
        ("example.com", "badexample.com", 443, False),
        ("example.com:443", "hub.example.com", 443, True),
        ("example.com:8883", "hub.example.com", 443, False),
        ("192.0.2.1", "192.0.2.1", 443, True),
        ("192.0.2.1:22", "192.0.2.1", 443, False),
        ("192.0.2.1", "192.0.2.10", 443, False),
        ("192.0.2.0/24", "192.0.2.77", 443, True),
        ("192.0.2.0/24", "hub.example.com", 443, False),
        ("192.0.2.0/240", "192.0.2.77", 443, False),
        ("2001:db8::1", "2001:db8::1", 443, True),
        ("[2001:db8::1]:443", "2001:db8::1", 443, True),
        ("[2001:db8::1]:1", "2001:db8::1", 443, False),
        ("com", "example.org", 443, False),
        ("", "hub", 443, False),
        (".", "hub", 443, False),
    ],
)
def test_what_goes_past_the_proxy(entry, host, port, passes):
    assert Proxy("proxy", 3128, bypass=(entry,)).applies_to(host, port) is not passes


def test_loopback_never_goes_through_a_proxy():
    assert not Proxy("proxy", 3128).applies_to("127.0.0.1", 443)
    assert not Proxy("proxy", 3128).applies_to("localhost", 443)
    assert Proxy("proxy", 3128).applies_to("hub", 443)


async def test_grpc_itself_sends_user_and_password_as_they_were_given():
    """The peer is grpcio: what it puts on the wire for our URL is what the proxy's administrator set."""
    asked: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def serve(reader, writer):
        request = await reader.readuntil(b"\r\n\r\n")
        if not asked.done():
            asked.set_result(request)
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        proxy = Proxy("127.0.0.1", port, "dom\\me@x", Secret("p@s:s/w%rd?#&é"))
        options = [("grpc.http_proxy", proxy.grpc_url())]
        async with grpc.aio.insecure_channel("hub.example.com:443", options=options) as channel:
            channel.get_state(try_to_connect=True)
            request = await asyncio.wait_for(asked, 20)
    lines = dict(line.split(": ", 1) for line in request.decode().splitlines()[1:] if ": " in line)
    assert request.startswith(b"CONNECT hub.example.com:443 ")
    assert base64.b64decode(lines["Proxy-Authorization"].removeprefix("Basic ")).decode() == "dom\\me@x:p@s:s/w%rd?#&é"
    expected = proxy.authorization()
    assert expected is not None
    assert lines["Proxy-Authorization"] == expected.reveal()

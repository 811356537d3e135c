"""Calls to the hub against real gRPC and TLS on loopback: who is trusted, who is shown, and what an error says."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import subprocess
import sys
import warnings

import grpc
import pytest

from dca.errors import DeliveryError
from dca.model import Secret
from dca.net.calls import HubCalls
from dca.wire.report_pb2 import ReportRequest, ReportResponse
from tests.net.hubs import Answers, Hub, listening, make_pair, serving

REPORT = "/dca.v1.Telemetry/Report"


@pytest.fixture(scope="module")
def authority():
    return make_pair("Test CA")


@pytest.fixture(scope="module")
def server(authority):
    return make_pair("127.0.0.1", authority)


@pytest.fixture(scope="module")
def agent(authority):
    return make_pair("agent-1", authority)


@pytest.fixture
def hub():
    return Hub()


def calls_to(port: int, **options) -> HubCalls:
    return HubCalls(f"127.0.0.1:{port}", **options)


def shown(pair) -> dict:
    """What a caller with this certificate shows."""
    return {"key": Secret(pair.key_pem.decode()), "chain": pair.pem}


async def ask(calls: HubCalls, deadline: float = 5.0) -> ReportResponse:
    channel = calls.open(retries=False)
    try:
        request = ReportRequest(agent_id="a", backlog=7)
        return await calls.call(channel, REPORT, request, ReportResponse, deadline=deadline, wait=False)
    finally:
        await channel.close()


async def refusal(calls: HubCalls, deadline: float = 5.0) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await ask(calls, deadline)
    return caught.value


async def test_a_call_arrives_over_tls_with_the_agents_certificate(hub, authority, server, agent):
    async with serving(hub, server, authority) as port:
        answer = await ask(calls_to(port, roots=authority.pem, **shown(agent)))
    assert answer.wanted_config == "seen"
    assert hub.requests[0].backlog == 7
    assert hub.names == [b"agent-1"]
    assert hub.metadata[0]["user-agent"].startswith("dca/")
    assert "authorization" not in hub.metadata[0]


async def test_without_a_certificate_where_one_is_wanted_it_is_said(hub, authority, server):
    async with serving(hub, server, authority) as port:
        error = await refusal(calls_to(port, roots=authority.pem))
    assert error.code == "UNAVAILABLE"
    assert "client certificate" in str(error)
    assert hub.requests == []


async def test_a_certificate_of_another_hub_is_not_taken_and_no_key_is_shown(hub, authority, server):
    stranger = make_pair("agent-1", make_pair("Other CA"))
    async with serving(hub, server, authority) as port:
        calls = calls_to(port, roots=authority.pem, **shown(stranger))
        error = await refusal(calls)
    assert hub.requests == []
    secret = stranger.key_pem.decode().splitlines()[1]
    assert secret not in f"{error} {error.details} {calls!r} {vars(calls)!r}"


async def test_a_hub_with_another_ca_is_not_spoken_to(hub, server, agent):
    async with serving(hub, server) as port:
        error = await refusal(calls_to(port, roots=make_pair("Other CA").pem, **shown(agent)))
    assert "certificate is not trusted" in str(error)
    assert error.code == "UNAVAILABLE"
    assert hub.requests == []


async def test_a_hub_with_the_certificate_of_another_name_is_refused(hub, authority):
    async with serving(hub, make_pair("hub.example", authority)) as port:
        error = await refusal(calls_to(port, roots=authority.pem))
    assert "for another name" in str(error)
    assert hub.requests == []


@pytest.mark.parametrize(
    ("versions", "spoken"),
    [(("TLSv1", "TLSv1_1"), False), (("TLSv1_2", "TLSv1_2"), True), (("TLSv1_3", "TLSv1_3"), True)],
)
async def test_only_tls_1_2_and_newer(authority, server, tmp_path, versions, spoken):
    """A server that is limited to some versions of TLS: it either never sees a byte of HTTP/2, or does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (tmp_path / "both.pem").write_bytes(server.pem + server.key_pem)
    context.load_cert_chain(tmp_path / "both.pem")
    context.set_alpn_protocols(["h2"])
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = (ssl.TLSVersion[version] for version in versions)
    heard: list[bytes] = []
    with listening(lambda connection: heard.append(connection.recv(24)), context) as port:
        error = await refusal(calls_to(port, roots=authority.pem), 0.5)
        assert bool(heard) is spoken
        if not spoken:
            assert "TLS did not come about" in str(error)
            assert await asyncio.to_thread(old_version, port) == "TLSv1.1", "the server does speak it"


def old_version(port: int) -> str | None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
    with socket.create_connection(("127.0.0.1", port)) as raw, context.wrap_socket(raw) as secure:
        return secure.version()


@pytest.mark.parametrize("target", ["192.0.2.1:443", "hub.example:4443", "[2001:db8::1]:443"])
def test_plain_text_leaves_the_machine_never(target):
    with pytest.raises(DeliveryError, match="this machine only"):
        HubCalls(target, plaintext_on_loopback=True)


@pytest.mark.parametrize("target", ["hub.example", "", "http://hub:443", "hub:port"])
def test_a_target_that_means_nothing_is_refused(target):
    with pytest.raises(DeliveryError, match="the hub's address"):
        HubCalls(target)


@pytest.mark.parametrize("proxy", ["10.0.0.1:3128", "https://proxy:3128", "socks5://proxy:1080", "http://proxy", ""])
def test_a_proxy_that_grpc_would_silently_go_past_is_refused(proxy):
    with pytest.raises(DeliveryError, match="proxy"):
        HubCalls("hub.example:443", proxy_url=proxy)


async def test_the_environment_names_no_proxy_for_us(hub, monkeypatch):
    for name in ("grpc_proxy", "https_proxy", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with serving(hub) as port:
        assert (await ask(calls_to(port, plaintext_on_loopback=True))).wanted_config == "seen"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (grpc.StatusCode.UNAUTHENTICATED, "does not accept this agent's certificate"),
        (grpc.StatusCode.PERMISSION_DENIED, "sends this agent away"),
        (grpc.StatusCode.INVALID_ARGUMENT, "different versions"),
        (grpc.StatusCode.INTERNAL, "the hub failed"),
        (grpc.StatusCode.DATA_LOSS, "the line was cut"),
    ],
)
async def test_a_status_becomes_words(hub, code, words):
    async def behave(_count, context):
        await context.abort(code, "because\nof this")

    hub.behave = behave
    async with serving(hub) as port:
        error = await refusal(calls_to(port, plaintext_on_loopback=True))
    assert error.code == code.name
    assert words in str(error)
    assert "because of this" in str(error)
    assert error.details == "because\nof this"


@pytest.mark.parametrize(("answer", "words"), [(None, "no hub of this version"), (b"\xff" * 50, "no answer of a hub")])
async def test_what_answers_and_is_no_hub_is_told(answer, words):
    async with serving(Answers(answer)) as port:
        assert words in str(await refusal(calls_to(port, plaintext_on_loopback=True)))


@pytest.mark.parametrize("tls", [True, False])
async def test_something_else_listens_there(tls):
    with listening(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        error = await refusal(calls_to(port, plaintext_on_loopback=not tls), 0.5)
    assert ("TLS did not come about" if tls else "the line was cut") in str(error)


@pytest.mark.parametrize(
    ("status", "words"), [(407, "Basic is spoken"), (403, "no tunnel"), (502, "could not reach it")]
)
async def test_a_proxy_that_refuses_and_whose_password_is_not_shown(status, words):
    def refuse(connection):
        connection.recv(4096)
        connection.sendall(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode())

    with listening(refuse) as port:
        calls = HubCalls("hub.example:443", proxy_url=f"http://u:pa%24s@127.0.0.1:{port}")
        error = await refusal(calls, 0.5)
    assert words in str(error)
    assert "through the proxy" in str(error)
    assert "pa%24s" not in str(error)
    assert "pa$s" not in str(error)


async def test_a_connection_is_ready_once_it_stands(hub):
    async with serving(hub) as port:
        calls = calls_to(port, plaintext_on_loopback=True)
        channel = calls.open(retries=False)
        assert not calls.is_ready(None)
        assert not calls.is_ready(channel)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(10):
                await channel.channel_ready()
        assert calls.is_ready(channel)
        await channel.close()


def test_grpc_is_imported_when_first_used_and_keeps_quiet():
    """Importing costs no gRPC, and a failing call writes nothing to stderr."""
    script = (
        "import asyncio, sys\n"
        "from dca.errors import DeliveryError\n"
        "from dca.net.calls import HubCalls\n"
        "from dca.telemetry import Delivery, Outbox, Uplink\n"
        "from dca.wire.report_pb2 import ReportRequest\n"
        "async def main():\n"
        "    uplink = Uplink(HubCalls('127.0.0.1:9'), deadline=0.3)\n"
        "    assert 'grpc' not in sys.modules\n"
        "    try: await uplink.report(ReportRequest())\n"
        "    except DeliveryError as error: print(error.code)\n"
        "    await uplink.close()\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30)
    assert (done.stdout, done.stderr) == ("UNAVAILABLE\n", "")

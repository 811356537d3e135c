"""The uplink against real gRPC and TLS on loopback: honest, hostile, slow and cut."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import ipaddress
import os
import select
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
import warnings

import grpc
import grpc.aio
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dca.errors import DeliveryError
from dca.model import Secret
from dca.telemetry import Uplink
from dca.telemetry.uplink import DEADLINE
from dca.wire.report_pb2 import ReportRequest, ReportResponse, Row
from dca.wire.report_pb2_grpc import TelemetryServicer, add_TelemetryServicer_to_server


def make_certificate(names: list[str], issuer: tuple | None = None) -> tuple:
    """Return (certificate, key); without `issuer` a CA that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer:
        known = [
            x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name) for name in names
        ]
        builder = builder.add_extension(x509.SubjectAlternativeName(known), critical=False)
    return builder.sign(issuer[1] if issuer else key, hashes.SHA256()), key


def pem(certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.fixture(scope="module")
def authority():
    return make_certificate(["Test CA"])


@pytest.fixture(scope="module")
def identity(authority):
    return make_certificate(["127.0.0.1"], authority)


class Hub(TelemetryServicer):
    def __init__(self) -> None:
        self.requests: list[ReportRequest] = []
        self.metadata: list[dict] = []
        self.behave = None

    async def Report(self, request, context):  # noqa: N802 - the service's name
        self.requests.append(request)
        self.metadata.append(dict(context.invocation_metadata()))
        if self.behave:
            await self.behave(len(self.requests), context)
        return ReportResponse(wanted_config="seen")


@contextlib.asynccontextmanager
async def serving(servicer, identity=None):
    """Start a gRPC server on loopback and give its port."""
    server = grpc.aio.server()
    if isinstance(servicer, TelemetryServicer):
        add_TelemetryServicer_to_server(servicer, server)
    else:
        server.add_generic_rpc_handlers((servicer,))
    if identity:
        credentials = grpc.ssl_server_credentials([(key_pem(identity[1]), pem(identity[0]))])
        port = server.add_secure_port("127.0.0.1:0", credentials)
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)


@contextlib.contextmanager
def listening(handle, context=None):
    """Start a TCP server on loopback that hands every connection to `handle` in a thread; give its port."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.settimeout(10)
            with contextlib.suppress(OSError):
                if context is None:
                    handle(self.request)
                else:
                    with context.wrap_socket(self.request, server_side=True) as secure:
                        handle(secure)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@contextlib.asynccontextmanager
async def linked(port: int, host: str = "127.0.0.1", **options):
    options.setdefault("deadline", 5.0)
    uplink = Uplink(f"{host}:{port}", **options)
    try:
        yield uplink
    finally:
        await uplink.close()


def plain(port: int, **options):
    return linked(port, plaintext_on_loopback=True, **options)


@pytest.fixture
def hub():
    return Hub()


async def test_a_report_arrives_over_tls_with_the_token(hub, authority, identity):
    async with (
        serving(hub, identity) as port,
        linked(port, roots=pem(authority[0]), token=Secret("s3cret")) as uplink,
    ):
        answer = await uplink.report(ReportRequest(agent_id="a", backlog=7))
    assert answer.wanted_config == "seen"
    assert hub.requests[0].backlog == 7
    assert hub.metadata[0]["authorization"] == "Bearer s3cret"
    assert hub.metadata[0]["user-agent"].startswith("dca/")


async def test_a_stranger_with_another_ca_is_not_spoken_to(hub, authority, identity):
    other = make_certificate(["Other CA"])
    async with serving(hub, identity) as port, linked(port, roots=pem(other[0]), deadline=0.5) as uplink:
        with pytest.raises(DeliveryError, match="certificate is not trusted") as caught:
            await uplink.report(ReportRequest())
    assert caught.value.code == "UNAVAILABLE"
    assert hub.requests == []


async def test_a_certificate_for_another_name_is_refused(hub, authority):
    elsewhere = make_certificate(["hub.example"], authority)
    async with serving(hub, elsewhere) as port, linked(port, roots=pem(authority[0]), deadline=0.5) as uplink:
        with pytest.raises(DeliveryError, match="for another name"):
            await uplink.report(ReportRequest())
    assert hub.requests == []


@pytest.mark.parametrize(
    ("versions", "spoken"),
    [(("TLSv1", "TLSv1_1"), False), (("TLSv1_2", "TLSv1_2"), True), (("TLSv1_3", "TLSv1_3"), True)],
)
async def test_only_tls_1_2_and_newer(authority, identity, tmp_path, versions, spoken):
    """A server that is limited to some versions of TLS: it either never sees a byte of HTTP/2, or does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (tmp_path / "both.pem").write_bytes(pem(identity[0]) + key_pem(identity[1]))
    context.load_cert_chain(tmp_path / "both.pem")
    context.set_alpn_protocols(["h2"])
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = (ssl.TLSVersion[version] for version in versions)
    heard: list[bytes] = []
    with listening(lambda connection: heard.append(connection.recv(24)), context) as port:
        async with linked(port, roots=pem(authority[0]), deadline=0.5) as uplink:
            with pytest.raises(DeliveryError) as caught:
                await uplink.report(ReportRequest())
        assert bool(heard) is spoken
        if not spoken:
            assert "TLS did not come about" in str(caught.value)
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
        Uplink(target, plaintext_on_loopback=True)


@pytest.mark.parametrize("target", ["hub.example", "", "http://hub:443", "hub:port"])
def test_a_target_that_means_nothing_is_refused(target):
    with pytest.raises(DeliveryError, match="the hub's address"):
        Uplink(target)


@pytest.mark.parametrize("proxy", ["10.0.0.1:3128", "https://proxy:3128", "socks5://proxy:1080", "http://proxy", ""])
def test_a_proxy_that_grpc_would_silently_go_past_is_refused(proxy):
    with pytest.raises(DeliveryError, match="proxy"):
        Uplink("hub.example:443", proxy_url=proxy)


@pytest.mark.parametrize("token", ["", "s3cret\n", " s3cret", "s3crét"])
def test_a_token_that_cannot_travel_is_refused_and_not_shown(token):
    with pytest.raises(DeliveryError, match="token cannot be sent") as caught:
        Uplink("hub.example:443", token=Secret(token))
    assert "s3" not in str(caught.value)


async def test_the_environment_names_no_proxy_for_us(hub, monkeypatch):
    for name in ("grpc_proxy", "https_proxy", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with serving(hub) as port, plain(port) as uplink:
        assert (await uplink.report(ReportRequest())).wanted_config == "seen"


async def test_a_large_report_is_tried_again_too(hub):
    """More than 256 KiB: without its own buffer size gRPC would silently not retry."""

    async def behave(count, context):
        if count < 3:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "restarting")

    hub.behave = behave
    rows = [Row(epoch=bytes(16), number=number, payload=os.urandom(1000)) for number in range(1000)]
    async with serving(hub) as port, plain(port) as uplink:
        answer = await uplink.report(ReportRequest(rows=rows))
    assert answer.wanted_config == "seen"
    assert [request.rows[-1].number for request in hub.requests] == [999, 999, 999]


async def test_a_hub_that_stays_away_and_returns(hub):
    """No new channel has to be made: the next call finds it."""
    async with serving(hub) as port:
        pass
    async with plain(port, deadline=0.5) as uplink:
        with pytest.raises(DeliveryError, match="nothing listens there"):
            await uplink.report(ReportRequest())
        server = grpc.aio.server()
        add_TelemetryServicer_to_server(hub, server)
        assert server.add_insecure_port(f"127.0.0.1:{port}") == port
        await server.start()
        for _ in range(10):
            with contextlib.suppress(DeliveryError):
                await uplink.report(ReportRequest())
                break
        await server.stop(None)
    assert hub.requests


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (grpc.StatusCode.UNAUTHENTICATED, "does not accept this agent's token"),
        (grpc.StatusCode.PERMISSION_DENIED, "does not allow this agent"),
        (grpc.StatusCode.INVALID_ARGUMENT, "different versions"),
        (grpc.StatusCode.INTERNAL, "the hub failed"),
        (grpc.StatusCode.DATA_LOSS, "unexpected|cut"),
    ],
)
async def test_a_status_becomes_words(hub, code, words):
    async def behave(count, context):
        await context.abort(code, "because\nof this")

    hub.behave = behave
    async with serving(hub) as port, plain(port) as uplink:
        with pytest.raises(DeliveryError, match=words) as caught:
            await uplink.report(ReportRequest())
    assert caught.value.code == code.name
    assert "because of this" in str(caught.value)


class Answers(grpc.GenericRpcHandler):
    """Answers every method alike; None is "not implemented"."""

    def __init__(self, answer: bytes | None) -> None:
        self.answer = answer

    def service(self, handler_call_details):  # noqa: ARG002 - the interface's
        if self.answer is None:
            return None
        return grpc.unary_unary_rpc_method_handler(lambda *_: self.answer)


async def test_another_service_is_no_hub():
    async with serving(Answers(None)) as port, plain(port) as uplink:
        with pytest.raises(DeliveryError, match="no hub of this version"):
            await uplink.report(ReportRequest())


async def test_garbage_for_an_answer(hub):
    async with serving(Answers(b"\xff" * 50)) as port, plain(port) as uplink:
        with pytest.raises(DeliveryError, match="no answer of a hub"):
            await uplink.report(ReportRequest())


async def test_a_hub_that_does_not_answer_in_time(hub):
    async def behave(count, context):
        await asyncio.sleep(30)

    hub.behave = behave
    async with serving(hub) as port, plain(port, deadline=0.5) as uplink:
        with pytest.raises(DeliveryError, match="did not answer in time"):
            await uplink.report(ReportRequest())
    assert len(hub.requests) == 1


async def test_a_silent_listener_is_told_from_a_slow_hub():
    def swallow(connection):
        while connection.recv(4096):
            pass

    with listening(swallow) as port:
        async with linked(port, deadline=0.5) as uplink:
            with pytest.raises(DeliveryError, match="neither accepted nor refused"):
                await uplink.report(ReportRequest())


@pytest.mark.parametrize("tls", [True, False])
async def test_something_else_listens_there(tls):
    with listening(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        async with linked(port, plaintext_on_loopback=not tls, deadline=0.5) as uplink:
            with pytest.raises(DeliveryError, match="TLS did not come about" if tls else "the line was cut"):
                await uplink.report(ReportRequest())


async def test_a_line_that_is_cut_in_the_middle(hub):
    """A relay that lets some kilobytes through and then hangs up, every time."""
    async with serving(hub) as upstream:

        def cut(connection):
            passed = 0
            with socket.create_connection(("127.0.0.1", upstream)) as far:
                while passed < 100_000:
                    for ready in select.select([connection, far], [], [], 10)[0]:
                        if not (data := ready.recv(4096)):
                            return
                        (far if ready is connection else connection).sendall(data)
                        passed += len(data)
            cuts.append(passed)

        cuts: list[int] = []
        rows = [Row(epoch=bytes(16), number=number, payload=os.urandom(1000)) for number in range(500)]
        with listening(cut) as port:
            async with plain(port, deadline=1) as uplink:
                with pytest.raises(DeliveryError):
                    await uplink.report(ReportRequest(rows=rows))
    assert cuts
    assert hub.requests == []


@pytest.mark.parametrize(
    ("status", "words"), [(407, "Basic is spoken"), (403, "no tunnel"), (502, "could not reach it")]
)
async def test_a_proxy_that_refuses_and_whose_password_is_not_shown(status, words):
    def refuse(connection):
        connection.recv(4096)
        connection.sendall(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode())

    with listening(refuse) as port:
        proxy = f"http://u:pa%24s@127.0.0.1:{port}"
        async with linked(443, "hub.example", proxy_url=proxy, deadline=0.5) as uplink:
            with pytest.raises(DeliveryError, match=words) as caught:
                await uplink.report(ReportRequest())
    assert "pa%24s" not in str(caught.value)
    assert "pa$s" not in str(caught.value)


def test_grpc_is_imported_when_first_used_and_keeps_quiet():
    """Importing costs no gRPC, and a failing call writes nothing to stderr."""
    script = (
        "import asyncio, sys\n"
        "from dca.errors import DeliveryError\n"
        "from dca.telemetry import Delivery, Outbox, Uplink\n"
        "from dca.wire.report_pb2 import ReportRequest\n"
        "assert 'grpc' not in sys.modules\n"
        "async def main():\n"
        "    uplink = Uplink('127.0.0.1:9', deadline=0.3)\n"
        "    try: await uplink.report(ReportRequest())\n"
        "    except DeliveryError as error: print(error.code)\n"
        "    await uplink.close()\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30)
    assert (done.stdout, done.stderr) == ("UNAVAILABLE\n", "")


def test_the_deadline_leaves_room_for_three_tries_in_a_cycle_of_five_minutes():
    assert 3 * (DEADLINE + 5) + 30 < 300


async def test_the_first_report_tells_at_once_what_is_wrong(hub):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        async with plain(port, deadline=300, ask_at_once=True) as uplink:
            with pytest.raises(DeliveryError, match="nothing listens there") as caught:
                async with asyncio.timeout(30):
                    await uplink.report(ReportRequest())
            assert caught.value.code == "UNAVAILABLE"


async def test_the_first_report_arrives_at_once_too(hub):
    async with serving(hub) as port, plain(port, ask_at_once=True) as uplink:
        for _ in range(2):
            await uplink.report(ReportRequest())
    assert len(hub.requests) == 2

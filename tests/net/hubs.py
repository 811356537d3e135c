"""What an agent may meet where it looks for its hub: gRPC with or without TLS on loopback, and anything else on TCP."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import socketserver
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import grpc
import grpc.aio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dca.wire.report_pb2 import ReportRequest, ReportResponse
from dca.wire.report_pb2_grpc import TelemetryServicer, add_TelemetryServicer_to_server

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator


class Pair(NamedTuple):
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        """The certificate."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The key, not encrypted."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


def make_pair(name: str, issuer: Pair | None = None, *, life: dt.timedelta = dt.timedelta(hours=1)) -> Pair:
    """Make a certificate for a name that ends `life` from now; without `issuer` a CA that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + life)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer:
        known = x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
        builder = builder.add_extension(x509.SubjectAlternativeName([known]), critical=False)
    return Pair(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


class Hub(TelemetryServicer):
    """Keeps what it was told; `behave` may spoil the answer."""

    def __init__(self) -> None:
        self.requests: list[ReportRequest] = []
        self.metadata: list[dict[str, Any]] = []
        self.names: list[bytes] = []
        """Common names of the certificates that callers showed."""
        self.behave: Callable[[int, Any], Awaitable[None]] | None = None

    async def Report(self, request: ReportRequest, context: Any) -> ReportResponse:  # noqa: N802 - the service's name
        """Take a report."""
        self.requests.append(request)
        self.metadata.append(dict(context.invocation_metadata()))
        self.names += context.auth_context().get("x509_common_name", [])
        if self.behave:
            await self.behave(len(self.requests), context)
        return ReportResponse(wanted_config="seen")


class Answers(grpc.GenericRpcHandler):  # type: ignore[misc] # grpc has no types
    """Answers every method alike; None is "not implemented"."""

    def __init__(self, answer: bytes | None) -> None:
        self.answer = answer

    def service(self, handler_call_details: object) -> grpc.RpcMethodHandler | None:  # noqa: ARG002 - the interface's
        """Return what handles a call."""
        if self.answer is None:
            return None
        return grpc.unary_unary_rpc_method_handler(lambda *_: self.answer)


@contextlib.asynccontextmanager
async def serving(servicer: Hub | Answers, pair: Pair | None = None, clients: Pair | None = None) -> AsyncIterator[int]:
    """Start a gRPC server on loopback and give its port; with `clients` it wants a certificate of that CA."""
    server = grpc.aio.server()
    if isinstance(servicer, Hub):
        add_TelemetryServicer_to_server(servicer, server)
    else:
        server.add_generic_rpc_handlers((servicer,))
    if pair:
        credentials = grpc.ssl_server_credentials(
            [(pair.key_pem, pair.pem)], clients.pem if clients else None, require_client_auth=clients is not None
        )
        port = server.add_secure_port("127.0.0.1:0", credentials)
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)


@contextlib.contextmanager
def listening(handle: Callable[[Any], object], context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Start a TCP server on loopback that hands every connection to `handle` in a thread; give its port."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
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

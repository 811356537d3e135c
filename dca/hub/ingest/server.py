"""The gRPC server around `Telemetry` (grpc.aio): TLS, limits, keepalive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import grpc.aio

from dca.errors import HubError
from dca.hub.listen import take
from dca.hub.settings import Address
from dca.wire.report_pb2 import ReportResponse

if TYPE_CHECKING:
    from collections.abc import Callable

    from dca.hub.ingest.service import Telemetry

__all__ = ["IngestServer"]

MAX_MESSAGE = 8 << 20
"""Bytes, after decompression."""
MAX_CALLS = 64
"""More at once are told RESOURCE_EXHAUSTED before anything of them is read."""
OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE),
    ("grpc.so_reuseport", 0),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.max_concurrent_streams", 32),
)

Pair = tuple[bytes, bytes]
"""A private key and its certificate chain, PEM."""


def _credentials(pair: Callable[[], Pair]) -> grpc.ServerCredentials:
    """Return server credentials that ask for the certificate at each handshake: a renewed one is used at once."""
    held = pair()

    def configuration() -> grpc.ServerCertificateConfiguration | None:
        nonlocal held
        try:
            present = pair()
        except (OSError, ValueError, HubError):
            return None
        if present == held:
            return None
        held = present
        return grpc.ssl_server_certificate_configuration([present])

    first = grpc.ssl_server_certificate_configuration([held])
    # Returning None keeps the present one, as grpcio documents; its stub leaves that out.
    return grpc.dynamic_ssl_server_credentials(first, configuration)  # type: ignore[arg-type]


class IngestServer:
    """Listens for agents."""

    def __init__(self, telemetry: Telemetry, address: Address, pair: Callable[[], Pair] | None) -> None:
        """`pair` returns the server's key and certificate; None means plain text."""
        self._telemetry = telemetry
        self._address = address
        self._pair = pair
        self._server: grpc.aio.Server | None = None

    def bind(self) -> Address:
        """Take the port and return the address with it.

        Raises: HubError when the address or the certificate cannot be used.
        """
        take(self._address, "agents", "--grpc").close()  # gRPC itself does not say why it cannot
        server = grpc.aio.server(options=OPTIONS, maximum_concurrent_rpcs=MAX_CALLS)
        # Requests are handed over undecoded: the token is looked at first.
        report: grpc.RpcMethodHandler[bytes, ReportResponse] = grpc.unary_unary_rpc_method_handler(
            self._telemetry.report, response_serializer=ReportResponse.SerializeToString
        )
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("dca.v1.Telemetry", {"Report": report}),))
        address = str(self._address)
        try:
            if self._pair is None:
                port = server.add_insecure_port(address)
            else:
                port = server.add_secure_port(address, _credentials(self._pair))
        except (RuntimeError, OSError, ValueError) as error:
            raise HubError(f"cannot listen on {address} for agents: {error}") from error
        self._server = server
        return Address(self._address.host, port)

    async def start(self) -> None:
        """Serve on the port that `bind` took."""
        assert self._server is not None
        await self._server.start()

    async def stop(self, seconds: float = 1.5) -> None:
        """Take no new reports, and give the present ones these seconds."""
        if self._server is not None:
            await self._server.stop(seconds)
            self._server = None

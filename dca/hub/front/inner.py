"""The gRPC server behind the front (grpc.aio): limits and keepalive. TLS ends at the front."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import grpc
import grpc.aio

from dca.errors import HubError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from google.protobuf.message import Message

    from dca.hub.activation import Activation
    from dca.hub.ingest import Telemetry

__all__ = ["InnerServer"]

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

Handler: TypeAlias = "Callable[[bytes, Any], Any]"


class InnerServer:
    """Answers calls that the front passes on; everyone else is a stranger to its handlers."""

    def __init__(self, telemetry: Telemetry, activation: Activation) -> None:
        self._telemetry = telemetry
        self._activation = activation
        self._server: grpc.aio.Server | None = None

    async def start(self) -> int:
        """Serve on a port of 127.0.0.1 and return it.

        Raises: HubError when there is none.
        """
        server = grpc.aio.server(options=OPTIONS, maximum_concurrent_rpcs=MAX_CALLS)
        # Requests are handed over undecoded: who sends them is looked at first.
        activation, telemetry = self._activation, self._telemetry
        _serve(server, "dca.v1.Telemetry", {"Report": telemetry.report})
        _serve(server, "dca.v1.Activation", {"Activate": activation.activate, "Renew": activation.renew})
        try:
            port = server.add_insecure_port("127.0.0.1:0")
        except RuntimeError as error:
            raise HubError(f"no port on 127.0.0.1 can be had for gRPC: {error}") from error
        await server.start()
        self._server = server
        return port

    async def stop(self, seconds: float = 1.5) -> None:
        """Take no new calls, and give the present ones these seconds."""
        if self._server is not None:
            await self._server.stop(seconds)
            self._server = None


def _serve(server: grpc.aio.Server, service: str, methods: Mapping[str, Handler]) -> None:
    handlers: dict[str, grpc.RpcMethodHandler[bytes, Message]] = {
        name: grpc.unary_unary_rpc_method_handler(handler, response_serializer=_serialize)
        for name, handler in methods.items()
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))


def _serialize(message: Message) -> bytes:
    return message.SerializeToString()

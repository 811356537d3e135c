"""Unary gRPC calls to the hub: TLS with the agent's certificate, the customer's proxy, and errors in words.

gRPC is imported at the first call: a scan without a hub never pays for it. Its own TLS refuses everything below 1.2.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, TypeVar

from google.protobuf.message import DecodeError, Message

from dca import __version__
from dca.errors import DeliveryError
from dca.net.hosts import is_loopback, parse_host_port
from dca.net.proxy import parse_proxy
from dca.net.reasons import explain

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import ModuleType

    import grpc.aio

    from dca.model import Secret

__all__ = ["HubCalls"]

M = TypeVar("M", bound=Message)

_NAMES = {"Report": "report", "Activate": "activation", "Renew": "renewal"}
"""What people call the methods."""
_RETRY = {
    "methodConfig": [
        {
            "name": [{"service": "dca.v1.Telemetry"}],
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.2s",
                "maxBackoff": "2s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE", "RESOURCE_EXHAUSTED"],
            },
        }
    ]
}
_OPTIONS: tuple[tuple[str, str | int], ...] = (
    ("grpc.primary_user_agent", f"dca/{__version__}"),
    ("grpc.service_config", json.dumps(_RETRY)),
    # Without it gRPC silently does not retry a request of more than 256 KiB.
    ("grpc.per_rpc_retry_buffer_size", 4 << 20),
    ("grpc.initial_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 10_000),
    # One call in five minutes: the connection is let go in between rather than kept with pings.
    ("grpc.client_idle_timeout_ms", 60_000),
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    # keepalive_timeout alone does not notice a peer that still acknowledges TCP.
    ("grpc.http2.ping_timeout_ms", 5_000),
    ("grpc.max_receive_message_length", 4 << 20),
)


class HubCalls:
    """How calls get to one hub. `open` makes a channel, `call` uses one."""

    def __init__(
        self,
        target: str,
        *,
        roots: bytes | None = None,
        key: Secret | None = None,
        chain: bytes | None = None,
        proxy_url: str | None = None,
        plaintext_on_loopback: bool = False,
    ) -> None:
        """Prepare calls to `target`, ``host:port``.

        `roots` is PEM, None means those that gRPC brings along; `key` and `chain` (PEM) are the agent's certificate;
        `proxy_url` is ``http://[user:password@]host:port`` with percent-encoding, None goes direct whatever the
        environment says.

        Raises:
            DeliveryError: plain text to another machine, or a target or proxy that gRPC cannot use.
        """
        host, _ = _parse_target(target)
        if plaintext_on_loopback and not is_loopback(host):
            raise DeliveryError(
                f"plain text to {host} is refused: it is allowed to this machine only; leave plaintext_on_loopback out"
            )
        self.target = target
        self._plaintext = plaintext_on_loopback
        self._roots = roots
        self._key = key
        self._chain = chain
        self._proxy = _check_proxy(proxy_url)

    def open(self, *, retries: bool) -> grpc.aio.Channel:
        """Return a channel; it connects at its first call."""
        core = _grpc()
        options: list[tuple[str, str | int]] = [*_OPTIONS, ("grpc.enable_retries", int(retries))]
        options.append(("grpc.http_proxy", self._proxy) if self._proxy else ("grpc.enable_http_proxy", 0))
        channel: grpc.aio.Channel
        if self._plaintext:
            channel = core.aio.insecure_channel(self.target, options=options, compression=core.Compression.Gzip)
        else:
            trust = core.ssl_channel_credentials(
                root_certificates=self._roots,
                private_key=self._key.reveal().encode("ascii") if self._key else None,
                certificate_chain=self._chain if self._key else None,
            )
            channel = core.aio.secure_channel(self.target, trust, options=options, compression=core.Compression.Gzip)
        return channel

    async def call(
        self, channel: grpc.aio.Channel, method: str, request: Message, answer: type[M], *, deadline: float, wait: bool
    ) -> M:
        """Call a method (``/dca.v1.Service/Method``) and return its answer; `deadline` is seconds.

        `wait` waits for a connection as long; otherwise what is wrong with the way there is said at once.

        Raises:
            DeliveryError: no answer came; the message says what it may be, `code` is gRPC's status.
        """
        # The answer is parsed here: gRPC would log what it cannot parse and return None for it.
        ask: Callable[..., Awaitable[bytes]] = channel.unary_unary(method, type(request).SerializeToString)
        try:
            data = await ask(request, timeout=deadline, wait_for_ready=wait)
        except _grpc().aio.AioRpcError as error:
            code, details = error.code().name, error.details() or ""
            what = _NAMES.get(method.rpartition("/")[2], "call")
            via_proxy = self._proxy is not None
            reason = explain(self.target, code, details, connected=wait, via_proxy=via_proxy, what=what)
            raise DeliveryError(reason, code, details) from error
        try:
            return answer.FromString(data)
        except DecodeError as error:
            raise DeliveryError(
                f"what answers at {self.target} gives no answer of a hub: {error}", "UNKNOWN"
            ) from error

    @staticmethod
    def is_ready(channel: grpc.aio.Channel | None) -> bool:
        """Tell whether a channel is connected now."""
        return channel is not None and channel.get_state() is _grpc().ChannelConnectivity.READY


def _grpc() -> ModuleType:
    """Import gRPC, told to keep its core from writing to stderr."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    import grpc.aio  # noqa: PLC0415 - heavy: imported when first used

    return grpc


def _parse_target(target: str) -> tuple[str, int]:
    try:
        host, port = parse_host_port(target)
    except ValueError as error:
        raise DeliveryError(f"the hub's address {target!r} cannot be used: {error}") from error
    if port is None:
        raise DeliveryError(f"the hub's address {target!r} has no port; written host:port, e.g. hub.example:443")
    return host, port


def _check_proxy(url: str | None) -> str | None:
    """Return the proxy as given; gRPC would go direct past one that it cannot read."""
    if url is None:
        return None
    try:
        parse_proxy(url)
    except ValueError as error:
        raise DeliveryError(f"the proxy on the way to the hub cannot be used: {error}") from error
    return url

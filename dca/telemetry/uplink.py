"""The agent's end of `Telemetry.Report`: one unary call over TLS, HTTP/2, gzip.

gRPC is imported at the first call: a scan without a hub never pays for it. Its own TLS refuses
everything below 1.2.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Protocol

from google.protobuf.message import DecodeError

from dca import __version__
from dca.errors import DeliveryError
from dca.net.hosts import is_loopback, parse_host_port
from dca.net.proxy import parse_proxy
from dca.telemetry.reasons import explain
from dca.wire.report_pb2 import DESCRIPTOR, ReportRequest, ReportResponse

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import ModuleType

    import grpc.aio

    from dca.model import Secret

__all__ = ["DEADLINE", "Reporter", "Uplink"]

DEADLINE = 30.0
"""Seconds for one call with all its attempts, the connection included."""
_LAST_WORD = 5.0
"""Seconds for the attempt that does not wait for a connection but says why there is none."""

_METHOD = f"/{DESCRIPTOR.services_by_name['Telemetry'].full_name}/Report"
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


class Reporter(Protocol):
    """What carries a report to the hub."""

    async def report(self, request: ReportRequest) -> ReportResponse:
        """Send a report and return the hub's answer. Raises DeliveryError."""
        ...

    async def close(self) -> None:
        """Let go of the connection."""
        ...


class Uplink:
    """`Reporter` over gRPC. The channel is made at the first call and mends itself for ever."""

    def __init__(
        self,
        target: str,
        *,
        token: Secret | None = None,
        roots: bytes | None = None,
        proxy_url: str | None = None,
        plaintext_on_loopback: bool = False,
        deadline: float = DEADLINE,
        ask_at_once: bool = False,
    ) -> None:
        """Prepare calls to `target`, ``host:port``.

        `roots` is PEM, None means those that gRPC brings along; `proxy_url` is
        ``http://[user:password@]host:port`` with percent-encoding, None goes direct whatever the
        environment says. `deadline` is seconds. With `ask_at_once` the first report waits for no connection: what
        is wrong with the way to the hub is then known at once, and not after the deadline.

        Raises:
            DeliveryError: plain text to another machine, or a target, proxy or token that gRPC cannot use.
        """
        host, _ = _parse_target(target)
        if plaintext_on_loopback and not is_loopback(host):
            raise DeliveryError(
                f"plain text to {host} is refused: it is allowed to this machine only; leave plaintext_on_loopback out"
            )
        self._target = target
        self._plaintext = plaintext_on_loopback
        self._roots = roots
        self._deadline = deadline
        self._ask_at_once = ask_at_once
        self._proxy = _check_proxy(proxy_url)
        self._metadata = _authorization(token)
        self._channel: grpc.aio.Channel | None = None

    async def report(self, request: ReportRequest) -> ReportResponse:
        """Send a report and return the hub's answer.

        Raises:
            DeliveryError: no answer came; the message says what it may be, `code` is gRPC's status.
        """
        if self._ask_at_once:
            self._ask_at_once = False
            try:
                return await self._last_word(request)
            except DeliveryError as error:
                if error.code != "DEADLINE_EXCEEDED":  # a slow line gets its time below
                    raise
        if self._channel is None:
            self._channel = self._open(retries=True)
        try:
            return await self._call(self._channel, request, self._deadline, wait=True)
        except DeliveryError as error:
            ready = _grpc().ChannelConnectivity.READY
            connected = self._channel is not None and self._channel.get_state() is ready
            if error.code != "DEADLINE_EXCEEDED" or connected:
                raise
        return await self._last_word(request)

    async def close(self) -> None:
        """Let go of the connection; a later call makes a new one."""
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()

    async def _last_word(self, request: ReportRequest) -> ReportResponse:
        """Try once more without waiting or retries: both hide why there is no connection."""
        channel = self._open(retries=False)
        try:
            return await self._call(channel, request, min(_LAST_WORD, self._deadline), wait=False)
        finally:
            await channel.close()

    async def _call(
        self, channel: grpc.aio.Channel, request: ReportRequest, deadline: float, *, wait: bool
    ) -> ReportResponse:
        # The answer is parsed here: gRPC would log what it cannot parse and return None for it.
        call: Callable[..., Awaitable[bytes]] = channel.unary_unary(_METHOD, ReportRequest.SerializeToString)
        try:
            answer = await call(request, timeout=deadline, wait_for_ready=wait, metadata=self._metadata)
        except _grpc().aio.AioRpcError as error:
            code, details = error.code().name, error.details() or ""
            reason = explain(self._target, code, details, connected=wait, via_proxy=self._proxy is not None)
            raise DeliveryError(reason, code) from error
        try:
            return ReportResponse.FromString(answer)
        except DecodeError as error:
            raise DeliveryError(
                f"what answers at {self._target} gives no answer of a hub: {error}", "UNKNOWN"
            ) from error

    def _open(self, *, retries: bool) -> grpc.aio.Channel:
        core = _grpc()
        options: list[tuple[str, str | int]] = [*_OPTIONS, ("grpc.enable_retries", int(retries))]
        options.append(("grpc.http_proxy", self._proxy) if self._proxy else ("grpc.enable_http_proxy", 0))
        channel: grpc.aio.Channel
        if self._plaintext:
            channel = core.aio.insecure_channel(self._target, options=options, compression=core.Compression.Gzip)
        else:
            trust = core.ssl_channel_credentials(root_certificates=self._roots)
            channel = core.aio.secure_channel(self._target, trust, options=options, compression=core.Compression.Gzip)
        return channel


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


def _authorization(token: Secret | None) -> tuple[tuple[str, str], ...]:
    if token is None:
        return ()
    text = token.reveal()
    if not (text.isascii() and text.isprintable()) or text != text.strip() or not text:
        raise DeliveryError(
            "the hub's token cannot be sent: it is empty, or holds spaces around it, line ends or umlauts"
        )
    return (("authorization", f"Bearer {text}"),)

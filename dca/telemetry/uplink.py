"""The agent's end of `Telemetry.Report`: one unary call over mutual TLS, HTTP/2, gzip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from dca.errors import DeliveryError
from dca.wire.report_pb2 import DESCRIPTOR, ReportRequest, ReportResponse

if TYPE_CHECKING:
    import grpc.aio

    from dca.net.calls import HubCalls

__all__ = ["DEADLINE", "Reporter", "Uplink"]

DEADLINE = 30.0
"""Seconds for one call with all its attempts, the connection included."""
_LAST_WORD = 5.0
"""Seconds for the attempt that does not wait for a connection but says why there is none."""

_METHOD = f"/{DESCRIPTOR.services_by_name['Telemetry'].full_name}/Report"


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

    def __init__(self, calls: HubCalls, *, deadline: float = DEADLINE, ask_at_once: bool = False) -> None:
        """Report by `calls`; `deadline` is seconds.

        With `ask_at_once` the first report waits for no connection: what is wrong with the way to the hub is then
        known at once, and not after the deadline.
        """
        self._calls = calls
        self._deadline = deadline
        self._ask_at_once = ask_at_once
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
            self._channel = self._calls.open(retries=True)
        try:
            return await self._call(self._channel, request, self._deadline, wait=True)
        except DeliveryError as error:
            if error.code != "DEADLINE_EXCEEDED" or self._calls.is_ready(self._channel):
                raise
        return await self._last_word(request)

    async def use(self, calls: HubCalls) -> None:
        """Report by these calls from now on, with a renewed certificate; a report under way is waited for."""
        self._calls = calls
        await self._let_go(self._deadline)

    async def close(self) -> None:
        """Let go of the connection; a later call makes a new one."""
        await self._let_go(None)

    async def _let_go(self, grace: float | None) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close(grace)

    async def _last_word(self, request: ReportRequest) -> ReportResponse:
        """Try once more without waiting or retries: both hide why there is no connection."""
        channel = self._calls.open(retries=False)
        try:
            return await self._call(channel, request, min(_LAST_WORD, self._deadline), wait=False)
        finally:
            await channel.close()

    async def _call(
        self, channel: grpc.aio.Channel, request: ReportRequest, deadline: float, *, wait: bool
    ) -> ReportResponse:
        return await self._calls.call(channel, _METHOD, request, ReportResponse, deadline=deadline, wait=wait)

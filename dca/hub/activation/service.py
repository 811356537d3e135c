"""Activation.Activate and Activation.Renew: judge, issue, answer.

PERMISSION_DENIED is the word for a code that was judged and refused, and only for that: an agent counts it towards
its lockout. Whatever keeps the hub from judging has another status.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, NoReturn, Protocol

import grpc
from google.protobuf.message import DecodeError

from dca.contract.codes import Code
from dca.hub.activation.codes import NOT_VALID, judge
from dca.hub.activation.register import NOT_RENEWED, REFUSED, enrol, keep_certificate, may_renew, note, too_many
from dca.hub.activation.requests import fingerprint, key_of, renewing
from dca.hub.database import AWAY
from dca.wire.activation_pb2 import ActivateRequest, ActivateResponse, ChannelSettings, RenewRequest, RenewResponse

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    import asyncpg
    from cryptography.hazmat.primitives.asymmetric import ec

    from dca.hub.database import Connection
    from dca.hub.front import Caller, Callers
    from dca.hub.pki import Authority, Issued

__all__ = ["Activation", "Call", "Office"]

log = logging.getLogger(__name__)

PATIENCE_S = 6.0
"""With the database: well within the time that an agent waits, so that it hears that it was not judged."""
DATABASE_AWAY = "the hub's database is away: try again later"
TOO_MANY = "too many refused activations from this address within an hour: nothing more is judged for now"
Status = grpc.StatusCode


class Call(Protocol):
    """What of a gRPC call is used here."""

    def peer(self) -> str:
        """Return who calls, as gRPC writes it."""

    async def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        """End the call with an error."""


class Office(NamedTuple):
    """What certificates and settings are made with."""

    authority: Authority
    task_key: bytes
    """Ed25519 public key, 32 bytes."""
    life: timedelta
    """Of an agent's certificate."""
    channel: Callable[[UUID, datetime], ChannelSettings | None]
    """Returns an agent's settings for the broker, good until a time; None where there is no broker."""


class Activation:
    """The handlers; one for all calls."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        callers: Callers,
        office: Office,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._pool = pool
        self._callers = callers
        self._office = office
        self._clock = clock

    async def activate(self, request: bytes, call: Call) -> ActivateResponse:
        """Exchange a code for an identity."""
        caller = await self._caller(call)
        try:
            asked = ActivateRequest.FromString(request)
            key = key_of(asked.csr)
        except (DecodeError, ValueError) as error:
            await call.abort(Status.INVALID_ARGUMENT, f"the request cannot be used: {error}")
        try:
            async with asyncio.timeout(PATIENCE_S), self._pool.acquire(timeout=PATIENCE_S) as connection:
                answer = await self._activate(connection, asked, key, caller)
        except AWAY as error:
            await self._away(call, error)
        if isinstance(answer, str):
            await call.abort(Status.RESOURCE_EXHAUSTED if answer == TOO_MANY else Status.PERMISSION_DENIED, answer)
        return answer

    async def _activate(
        self, connection: Connection, asked: ActivateRequest, key: ec.EllipticCurvePublicKey, caller: Caller
    ) -> ActivateResponse | str:
        now = self._clock()
        async with connection.transaction():
            if await too_many(connection, caller.source, now):
                return TOO_MANY
            try:
                code = Code.parse(asked.code)
            except ValueError:
                await note(connection, now, caller.source, REFUSED + "no code")
                return NOT_VALID
            judged = await judge(connection, code, fingerprint(key), now)
            if isinstance(judged, str):
                await note(connection, now, caller.source, REFUSED + judged, code=code.id)
                log.warning("an activation from %s with code %s was refused: %s", caller.source, code.id, judged)
                return judged
            agent, agent_id = await enrol(connection, judged, fingerprint(key), asked, now)
            issued = self._office.authority.issue(key, agent_id, now, self._office.life)
            await keep_certificate(connection, agent, issued, now)
            word = "repeated" if judged.repeated else "activated"
            await note(connection, now, caller.source, word, code=code.id, agent=agent)
        log.info("agent %s of %s (%s) was %s with code %s", agent_id, judged.site_name, caller.source, word, code.id)
        answer = ActivateResponse(
            agent_id=str(agent_id),
            site=judged.site_name,
            certificate_chain=issued.chain,
            task_key=self._office.task_key,
            channel=self._settings(agent_id, issued),
        )
        answer.hub_time.FromDatetime(now)
        return answer

    async def renew(self, request: bytes, call: Call) -> RenewResponse:
        """Exchange a certificate, expired or not, for a new one."""
        caller = await self._caller(call)
        try:
            asked = RenewRequest.FromString(request)
            key, certificate = key_of(asked.csr), renewing(asked)
        except (DecodeError, ValueError) as error:
            await call.abort(Status.INVALID_ARGUMENT, f"the renewal cannot be used: {error}")
        if not self._office.authority.has_issued(certificate):
            await call.abort(Status.UNAUTHENTICATED, "another hub has issued that certificate: activate the agent anew")
        try:
            async with asyncio.timeout(PATIENCE_S), self._pool.acquire(timeout=PATIENCE_S) as connection:
                answer = await self._renew(connection, f"{certificate.serial_number:x}", key, caller)
        except AWAY as error:
            await self._away(call, error)
        if isinstance(answer, str):
            await call.abort(Status.UNAUTHENTICATED, answer)
        return answer

    async def _renew(
        self, connection: Connection, serial: str, key: ec.EllipticCurvePublicKey, caller: Caller
    ) -> RenewResponse | str:
        now = self._clock()
        async with connection.transaction():
            found = await may_renew(connection, serial, now)
            if isinstance(found, str):
                if not await too_many(connection, caller.source, now, NOT_RENEWED):
                    await note(connection, now, caller.source, NOT_RENEWED + found)
                log.warning("a renewal from %s was refused: %s", caller.source, found)
                return found
            agent, agent_id = found
            issued = self._office.authority.issue(key, agent_id, now, self._office.life)
            await keep_certificate(connection, agent, issued, now)
            await note(connection, now, caller.source, "renewed", agent=agent)
        answer = RenewResponse(certificate_chain=issued.chain, channel=self._settings(agent_id, issued))
        answer.hub_time.FromDatetime(now)
        return answer

    def _settings(self, agent_id: UUID, issued: Issued) -> ChannelSettings | None:
        return self._office.channel(agent_id, issued.not_after)

    async def _caller(self, call: Call) -> Caller:
        caller = self._callers.of(call.peer())
        if caller is None:
            await call.abort(Status.UNAUTHENTICATED, "this connection did not come through the hub's own door")
        return caller

    @staticmethod
    async def _away(call: Call, error: BaseException) -> NoReturn:
        log.error("the database does not take activations: %s", str(error) or type(error).__name__)
        await call.abort(Status.ABORTED, DATABASE_AWAY)  # no transport says this by itself

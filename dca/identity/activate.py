"""Exchange a code for an identity, and a certificate for the next one."""

from __future__ import annotations

import asyncio
import os
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dca
from dca.contract.codes import NO_PIN
from dca.errors import ActivationRefusedError, DcaError, DeliveryError, IdentityError
from dca.identity.identity import PENDING, Identity, load_identity, save_identity
from dca.identity.keys import fits, new_key, renewal, request_for
from dca.identity.lockout import MOST
from dca.identity.pin import fetch_ca
from dca.model import Secret
from dca.net.calls import HubCalls
from dca.net.tls import trust_pem
from dca.wire.activation_pb2 import ActivateRequest, ActivateResponse, RenewRequest, RenewResponse

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import grpc.aio

    from dca.contract.codes import Code
    from dca.identity.lockout import Lockout, Standing
    from dca.identity.vault import Vault
    from dca.net.proxy import Proxy

__all__ = ["HubPlace", "activate", "renew"]

_ACTIVATE, _RENEW = "/dca.v1.Activation/Activate", "/dca.v1.Activation/Renew"
_SECONDS = 20.0
_NOT_JUDGED = {"ABORTED", "RESOURCE_EXHAUSTED", "UNIMPLEMENTED", "INVALID_ARGUMENT", "UNAUTHENTICATED"}
"""Status codes of a hub that has not judged the code; with any other the answer is lost."""
_BY_TRANSPORT = "Received http2 header"
"""Begins gRPC's own words for an HTTP status of something in between."""
_CONNECT_SECONDS = 10.0
_LOOK, _TURNS = 0.05, 2400
"""Seconds between two looks for the turn, and how many."""
_TASK_KEY_BYTES = 32


@dataclass(frozen=True)
class HubPlace:
    """Where a hub is and how it is reached."""

    host: str
    port: int
    proxy: Proxy | None = None
    ca_file: Path | None = None
    """Trusted besides the system's, where the code pins no CA."""

    def roots(self, hub_ca: str) -> bytes | None:
        """Return what vouches for the hub (PEM): its own pinned CA alone, else the usual roots; None for gRPC's."""
        return hub_ca.encode("ascii") if hub_ca else trust_pem(self.ca_file) or None

    def calls(self, hub_ca: str, key: Secret | None = None, chain: str = "") -> HubCalls:
        """Return the way to call it. Raises DeliveryError as HubCalls does."""
        target = f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
        return HubCalls(
            target,
            roots=self.roots(hub_ca),
            key=key,
            chain=chain.encode("ascii"),
            proxy_url=self.proxy.grpc_url() if self.proxy else None,
        )


async def activate(
    code: Code,
    place: HubPlace,
    vault: Vault,
    lockout: Lockout,
    *,
    before_sending: Callable[[], object] = lambda: None,
    hostname: str = "",
    fetch: Callable[..., str] = fetch_ca,
) -> Identity:
    """Exchange a code for an identity and keep it in the vault. Counted on disk before anything goes out.

    `before_sending` is called once the try is counted; when it raises, nothing goes out and the try is given back.

    Raises:
        LockedError: no try is left, and nothing was sent.
        ActivationRefusedError: the hub judged the code and refused it; the try counts.
        IdentityError: the hub was not reached, did not judge, or its answer was lost; the message says which.
    """
    lockout.check(code)
    turn = await _turn(lockout)
    try:
        key = _pending_key(vault)
        lockout.reserve(code)
        try:
            _announce(before_sending)
            hub_ca = await _pinned(code, place, fetch)
            calls = place.calls(hub_ca)
            channel = calls.open(retries=False)
            try:
                await _connect(calls, channel)
                answer = await _ask(code, calls, channel, key, hostname or socket.gethostname())
            finally:
                await channel.close()
        except (_NotJudgedError, DeliveryError) as error:
            lockout.give_back(code)
            raise IdentityError(f"{error}. The try does not count") from error
        except _RefusedError as error:
            standing = lockout.refuse(code, str(error))
            raise ActivationRefusedError(_refused(str(error), standing)) from error
        identity = _identity(answer, key, hub_ca)
        save_identity(vault, identity)
        lockout.clear()
        return identity
    finally:
        os.close(turn)


async def renew(identity: Identity, place: HubPlace, vault: Vault, *, over: bool) -> Identity:
    """Exchange the certificate for a new one with a new key; `over` says that the present one has ended.

    Raises:
        IdentityError: the hub refuses; the message has its words. Or another identity was activated meanwhile.
        DeliveryError: it was not reached or did not answer.
    """
    _still_ours(identity, vault)
    calls = place.calls(identity.hub_ca) if over else place.calls(identity.hub_ca, identity.key, identity.chain)
    key = new_key()
    channel = calls.open(retries=False)
    try:
        answer = await calls.call(channel, _RENEW, renewal(identity, key), RenewResponse, deadline=_SECONDS, wait=False)
    except DeliveryError as error:
        if error.code == "UNAUTHENTICATED":
            raise IdentityError(f"the hub does not renew this agent's certificate: {error.details}") from error
        raise
    finally:
        await channel.close()
    renewed = identity.with_certificate(
        key, answer.certificate_chain, answer.channel if answer.HasField("channel") else None
    )
    _still_ours(identity, vault)
    if not fits(renewed) or renewed.name != identity.agent_id:
        raise IdentityError("the hub answered the renewal with no certificate for this agent's new key")
    save_identity(vault, renewed)
    return renewed


def _still_ours(identity: Identity, vault: Vault) -> None:
    held = load_identity(vault)
    if held is not None and held.agent_id != identity.agent_id:
        raise IdentityError(f"this agent was activated anew meanwhile, as {held.agent_id}: restart it")


class _NotJudgedError(IdentityError):
    """The code surely was not judged."""


class _RefusedError(IdentityError):
    """It was, and it was refused."""


def _announce(before_sending: Callable[[], object]) -> None:
    try:
        before_sending()
    except DcaError as error:
        raise _NotJudgedError(f"nothing was sent: {error}") from error


async def _turn(lockout: Lockout) -> int:
    for _ in range(_TURNS):
        turn = lockout.try_turn()
        if turn is not None:
            return turn
        await asyncio.sleep(_LOOK)
    raise IdentityError("another activation of this agent is under way; try again when it has ended")


async def _pinned(code: Code, place: HubPlace, fetch: Callable[..., str]) -> str:
    if code.pin == NO_PIN:
        return ""
    try:
        return await asyncio.to_thread(fetch, place.host, place.port, code, place.proxy)
    except IdentityError as error:
        raise _NotJudgedError(str(error)) from error


def _pending_key(vault: Vault) -> Secret:
    """Return the key to ask with: that of a try whose answer was lost, for the hub knows that one again."""
    content = vault.read()
    found = content.get(PENDING)
    if isinstance(found, str):
        return Secret(found)
    key = new_key()
    vault.write(content | {PENDING: key.reveal()})
    return key


async def _connect(calls: HubCalls, channel: grpc.aio.Channel) -> None:
    """Wait for the connection before the code goes out: without one it surely was not judged."""
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            await channel.channel_ready()
    except TimeoutError:
        # An empty renewal is refused by every hub; what keeps it from getting there is what it says.
        try:
            await calls.call(channel, _RENEW, RenewRequest(), RenewResponse, deadline=_CONNECT_SECONDS, wait=False)
        except DeliveryError as error:
            if error.code != "INVALID_ARGUMENT":
                raise


async def _ask(code: Code, calls: HubCalls, channel: grpc.aio.Channel, key: Secret, hostname: str) -> ActivateResponse:
    request = ActivateRequest(
        code=code.text().reveal(), csr=request_for(key), agent_version=dca.__version__, hostname=hostname
    )
    try:
        return await calls.call(channel, _ACTIVATE, request, ActivateResponse, deadline=_SECONDS, wait=True)
    except DeliveryError as error:
        if error.code == "PERMISSION_DENIED" and not error.details.startswith(_BY_TRANSPORT):
            raise _RefusedError(error.details) from error
        if error.code in _NOT_JUDGED:
            raise _NotJudgedError(f"the hub did not judge the code: {error.details}") from error
        raise IdentityError(
            f"the answer to the activation was lost ({error.code}: {error.details}). Try the same code again: that "
            "does not count twice"
        ) from error


def _identity(answer: ActivateResponse, key: Secret, hub_ca: str) -> Identity:
    identity = Identity(
        agent_id=answer.agent_id,
        site=answer.site,
        key=key,
        chain=answer.certificate_chain,
        hub_ca=hub_ca,
        task_key=answer.task_key,
        channel=answer.channel if answer.HasField("channel") else None,
    )
    if not fits(identity) or identity.name != identity.agent_id:
        raise IdentityError("the hub's answer has no certificate for this agent's key: agent and hub may not fit")
    if len(identity.task_key) != _TASK_KEY_BYTES:
        raise IdentityError("the hub's answer has no task-signing key: agent and hub may not fit")
    return identity


def _refused(reason: str, standing: Standing) -> str:
    left = MOST - standing.used
    if left > 0:
        return f"the hub refused the activation: {reason}. {left} of {MOST} tries are left before this agent is locked"
    return (
        f"the hub refused the activation: {reason}. This was the last of {MOST} tries: the agent is locked until a "
        'local administrator runs dca unlock --reason "..."'
    )

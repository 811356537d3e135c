"""Which credential opens a device, and for v3 which ciphers; and if none does, at which step each failed.

Only the credentials of the device's range are tried, in their order, and no more than it takes: a wrong try
raises an alarm on some devices. Ciphers are searched only where the credential leaves them open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dca.discovery.identify import Identity, identify
from dca.errors import AuthFailedError, NoAnswerError, SnmpError
from dca.model import AuthProtocol, Credential, Known, PrivProtocol, SnmpVersion
from dca.snmp.types import Peer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dca.printers.profiles import Profiles
    from dca.snmp.client import SnmpClient

__all__ = ["Access", "Attempt", "attempts_of", "find_access", "remembered"]

_AUTH_ORDER = (
    AuthProtocol.SHA1,
    AuthProtocol.SHA256,
    AuthProtocol.MD5,
    AuthProtocol.SHA512,
    AuthProtocol.SHA384,
    AuthProtocol.SHA224,
)
"""The commonest on printers first."""
_PRIV_ORDER = (
    PrivProtocol.AES128,
    PrivProtocol.DES,
    PrivProtocol.AES256,
    PrivProtocol.AES192,
    PrivProtocol.AES256C,
    PrivProtocol.AES192C,
)
_SHORT_KEYS = {AuthProtocol.MD5, AuthProtocol.SHA1, AuthProtocol.SHA224}
"""Digests with which the two AES key extensions differ."""


class Attempt(NamedTuple):
    """One way to speak to a device."""

    credential: Credential
    version: SnmpVersion
    auth: AuthProtocol | None = None
    priv: PrivProtocol | None = None

    def peer(self, address: str, port: int, known: Known | None = None) -> Peer:
        """Return the device as the protocol sees it, with what was learned about it before."""
        peer = Peer(address, port, self.credential, self.version, self.auth, self.priv)
        if known is not None:
            peer.max_repetitions = int(known.quirks.get("max_repetitions", peer.max_repetitions))
            peer.no_bulk = bool(known.quirks.get("no_bulk", False))
        return peer


class Access(NamedTuple):
    """What opened the device."""

    attempt: Attempt
    identity: Identity


def attempts_of(credentials: Iterable[Credential]) -> list[Attempt]:
    """Return the ways to speak, in the order to try: each credential, v2c before v1 where it leaves that open."""
    found = []
    for credential in credentials:
        if credential.version == "3":
            auth = credential.auth or (_AUTH_ORDER[0] if credential.auth_password else None)
            priv = credential.priv if auth else None
            found.append(Attempt(credential, "3", auth, priv))
        elif credential.version:
            found.append(Attempt(credential, credential.version))
        else:
            found += [Attempt(credential, "2c"), Attempt(credential, "1")]
    return found


def remembered(known: Known, credentials: Iterable[Credential]) -> Attempt | None:
    """Return the way that worked the last time, if its credential is still the range's."""
    for credential in credentials:
        if credential.name == known.credential and (credential.version or known.version) == known.version:
            return Attempt(credential, known.version, known.auth, known.priv)
    return None


async def find_access(
    client: SnmpClient, address: str, port: int, attempts: Iterable[Attempt], profiles: Profiles
) -> Access:
    """Return the first way that the device answers to.

    Raises:
        AuthFailedError: it answered, and refused; the message lists what each credential met.
        NoAnswerError: silence to all of them.
        SnmpError: it answered, but nothing that helps.
    """
    failures: list[SnmpError] = []
    for attempt in attempts:
        try:
            if attempt.version == "3":
                return await _find_v3(client, address, port, attempt, profiles)
            peer = attempt.peer(address, port)
            return Access(attempt, await client.converse(peer, identify(peer, profiles)))
        except SnmpError as error:
            failures.append(error)
    if not failures:
        raise NoAnswerError(f"{address}: no credential is given for it; name one for its range")
    said = [error for error in failures if not isinstance(error, NoAnswerError)]
    if not said:
        tried = ", ".join(dict.fromkeys(attempt.credential.name for attempt in attempts))
        raise NoAnswerError(f"{address} gave no answer on port {port} (tried: {tried})")
    worst = next((error for error in said if isinstance(error, AuthFailedError)), said[0])
    if len(said) > 1:
        worst.add_note("; ".join(str(error) for error in said if error is not worst))
    raise worst


async def _find_v3(client: SnmpClient, address: str, port: int, attempt: Attempt, profiles: Profiles) -> Access:
    """Find the ciphers that the credential leaves open, and tell a wrong privacy from silence."""
    credential = attempt.credential
    wants_priv = credential.priv_password is not None
    auths = (credential.auth,) if credential.auth or not credential.auth_password else _AUTH_ORDER
    if credential.auth_password is None or not wants_priv:
        return await _first_auth(client, address, port, attempt, auths, profiles)
    if credential.auth is not None and credential.priv is not None:
        try:
            return await _try(client, address, port, attempt, profiles)
        except NoAnswerError as error:
            if not await _answers_without_privacy(client, address, port, attempt, profiles):
                raise
            raise _wrong_privacy(address, credential) from error
    base = await _first_auth(client, address, port, attempt, auths, profiles, without_privacy=True)
    privs = (credential.priv,) if credential.priv else _PRIV_ORDER
    for priv in privs:
        if priv in (PrivProtocol.AES192C, PrivProtocol.AES256C) and base.attempt.auth not in _SHORT_KEYS:
            continue  # the same key as without the extension
        try:
            waits = (client.timeout, client.timeout)
            return await _try(client, address, port, base.attempt._replace(priv=priv), profiles, waits)
        except NoAnswerError:
            continue
        except AuthFailedError as error:
            if error.step != "wrong_privacy":
                raise
    raise _wrong_privacy(address, credential)


def _wrong_privacy(address: str, credential: Credential) -> AuthFailedError:
    return AuthFailedError(
        f"{address} knows the user of {credential.name} and accepts its authentication, "
        "but not its privacy (password or protocol)",
        "wrong_privacy",
    )


async def _try(
    client: SnmpClient,
    address: str,
    port: int,
    attempt: Attempt,
    profiles: Profiles,
    waits: tuple[float, ...] | None = None,
) -> Access:
    peer = attempt.peer(address, port)
    return Access(attempt, await client.converse(peer, identify(peer, profiles), waits=waits))


async def _first_auth(
    client: SnmpClient,
    address: str,
    port: int,
    attempt: Attempt,
    auths: Iterable[AuthProtocol | None],
    profiles: Profiles,
    *,
    without_privacy: bool = False,
) -> Access:
    """Return the first authentication that is accepted; without privacy, being refused the view is acceptance."""
    last: AuthFailedError | None = None
    for auth in auths:
        trial = attempt._replace(auth=auth, priv=None)
        try:
            return await _try(client, address, port, trial, profiles)
        except AuthFailedError as error:
            if without_privacy and error.step in ("no_view", "security_level"):
                return Access(trial, Identity(False, "", ""))
            if error.step != "wrong_auth":
                raise
            last = error
    assert last is not None
    raise last


async def _answers_without_privacy(
    client: SnmpClient, address: str, port: int, attempt: Attempt, profiles: Profiles
) -> bool:
    try:
        await _first_auth(client, address, port, attempt, (attempt.auth,), profiles, without_privacy=True)
    except SnmpError:
        return False
    return True

"""Which credential opens a device, and for v3 which ciphers; and if none does, at which step each failed.

Only the credentials of the device's range are tried, in their order, and no more than it takes: a wrong try
raises an alarm on some devices. Ciphers are searched only where the credential leaves them open.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, NamedTuple

from dca.discovery.identify import Identity, identify
from dca.errors import AuthFailedError, NoAnswerError, SnmpError
from dca.model import AuthProtocol, Credential, Known, PrivProtocol, SnmpVersion
from dca.snmp.engine import growing_waits
from dca.snmp.types import Peer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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
_REEDER = {PrivProtocol.AES192C, PrivProtocol.AES256C}
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
    found: list[Attempt] = []
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
    client: SnmpClient, address: str, port: int, attempts: Sequence[Attempt], profiles: Profiles
) -> Access:
    """Return the first way that the device answers to.

    Raises:
        AuthFailedError: it answered, and refused; notes tell what the other credentials met.
        NoAnswerError: silence to all of them.
        SnmpError: it answered, but nothing that helps.
    """
    door = _Door(client, address, port, profiles)
    failures: list[SnmpError] = []
    for attempt in attempts:
        try:
            if attempt.version == "3":
                return await door.open_v3(attempt)
            # where v2c and v1 are both to be tried, each is the other's last try
            waits = None if attempt.credential.version else growing_waits(client.timeout, 1)
            return await door.open(attempt, waits)
        except SnmpError as error:
            failures.append(error)
    if not failures:
        raise NoAnswerError(f"{address}: no credential is given for it; name one for its range")
    said = [error for error in failures if not isinstance(error, NoAnswerError)]
    if not said:
        tried = ", ".join(dict.fromkeys(attempt.credential.name for attempt in attempts))
        raise NoAnswerError(f"{address} gave no answer on port {port} (tried: {tried})")
    worst = next((error for error in said if isinstance(error, AuthFailedError)), said[0])
    for other in said:
        if other is not worst:
            worst.add_note(str(other))
    raise worst


class _Door:
    """One device whose way in is looked for."""

    def __init__(self, client: SnmpClient, address: str, port: int, profiles: Profiles) -> None:
        self._client = client
        self._address = address
        self._port = port
        self._profiles = profiles
        self._heard = False

    async def open(self, attempt: Attempt, waits: tuple[float, ...] | None = None) -> Access:
        """Try one way."""
        peer = attempt.peer(self._address, self._port)
        try:
            return Access(attempt, await self._client.converse(peer, identify(peer, self._profiles), waits=waits))
        finally:
            self._heard = self._heard or bool(peer.first_reply)

    async def open_v3(self, attempt: Attempt) -> Access:
        """Find the ciphers that the credential leaves open, and tell a wrong privacy or context from silence."""
        credential = attempt.credential
        try:
            return await self._find_ciphers(attempt)
        except NoAnswerError as error:
            if not credential.context or not self._heard:
                raise
            without = attempt._replace(credential=dataclasses.replace(credential, context=""))
            try:
                await self._find_ciphers(without)
            except SnmpError:
                raise error from None
            words = f"{self._address} accepts {credential.name}, but is silent in the context {credential.context!r}"
            raise AuthFailedError(words, "unknown_context") from error

    async def _find_ciphers(self, attempt: Attempt) -> Access:
        credential = attempt.credential
        if credential.auth_password is None:
            return await self.open(attempt)
        auths = (credential.auth,) if credential.auth else _AUTH_ORDER
        if credential.priv_password is None:
            return await self._first_auth(attempt, auths)
        if credential.auth and credential.priv:
            try:
                return await self.open(attempt)
            except NoAnswerError as error:
                try:
                    await self._first_auth(attempt, auths, without_privacy=True)
                except SnmpError:
                    raise error from None
                raise self._wrong_privacy(credential) from error
        base = await self._first_auth(attempt, auths, without_privacy=True)
        return await self._first_priv(base.attempt, (credential.priv,) if credential.priv else _PRIV_ORDER)

    async def _first_auth(
        self, attempt: Attempt, auths: Sequence[AuthProtocol], *, without_privacy: bool = False
    ) -> Access:
        """Return the first authentication that is accepted; without privacy, being refused the view is acceptance."""
        last: AuthFailedError | None = None
        for auth in auths:
            trial = attempt._replace(auth=auth, priv=None)
            try:
                return await self.open(trial)
            except AuthFailedError as error:
                if without_privacy and error.step in ("no_view", "security_level", "unknown_context"):
                    return Access(trial, Identity(False, "", ""))
                if error.step != "wrong_auth":
                    raise
                last = error
        assert last is not None
        raise last

    async def _first_priv(self, attempt: Attempt, privs: Sequence[PrivProtocol]) -> Access:
        waits = (self._client.timeout, self._client.timeout)
        for priv in privs:
            if priv in _REEDER and attempt.auth not in _SHORT_KEYS:
                continue  # the same key as without that extension
            try:
                return await self.open(attempt._replace(priv=priv), waits)
            except NoAnswerError:
                continue  # net-snmp is silent when it cannot decrypt
            except AuthFailedError as error:
                if error.step != "wrong_privacy":
                    raise
        raise self._wrong_privacy(attempt.credential)

    def _wrong_privacy(self, credential: Credential) -> AuthFailedError:
        return AuthFailedError(
            f"{self._address} knows the user of {credential.name} and accepts its authentication, "
            "but not its privacy (password or protocol)",
            "wrong_privacy",
        )

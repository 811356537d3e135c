"""How the agent speaks v3 to one device: engine discovery, time, and what a Report means (RFC 3414, 3.2 and 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dca.errors import AuthFailedError, AuthStep
from dca.snmp.community import read_pdu, request_halves
from dca.snmp.keys import Keys, master_keys
from dca.snmp.oids import oid
from dca.snmp.types import Pdu, Peer, Reply, Request
from dca.snmp.usm import AUTH, PRIV, REPORTABLE, Frame, decrypt, read_message, read_scoped, verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from dca.snmp.usm import Message

__all__ = ["UsmChannel"]

_WINDOW = 150
"""Seconds that an engine's time may be off (RFC 3414, 2.2.3)."""
_DISCOVERY = Request(Pdu.GET, ())
_DISCOVERY_FRAME = Frame(Keys(), REPORTABLE, engine_id=b"", boots=0, user=b"")
_REPORT = int(Pdu.REPORT)
_STATS = oid("1.3.6.1.6.3.15.1.1")
_SAID: dict[int, tuple[AuthStep, str]] = {
    1: ("security_level", "wants another security level than the credential's"),
    2: ("not_in_time_window", "insists that the message is out of its time window"),
    3: ("unknown_user", "does not know the user"),
    5: ("wrong_auth", "does not accept the authentication (password or protocol)"),
    6: ("wrong_privacy", "cannot decrypt the message (privacy password or protocol)"),
}
_NOT_IN_TIME_WINDOW, _UNKNOWN_ENGINE = 2, 4
_UNKNOWN_CONTEXTS = oid("1.3.6.1.6.3.12.1.5")
"""snmpUnknownContexts (RFC 3413, 3.2)."""


class UsmChannel:
    """The state of one device's engine: its ID, boots and time, and the keys bound to it.

    `clock` is monotonic seconds; engine time advances with it, so that a poll costs one datagram after any
    idle time. `salt` gives 64-bit numbers that do not repeat.
    """

    __slots__ = (
        "_boots",
        "_clock",
        "_context",
        "_flags",
        "_frame",
        "_keys",
        "_master",
        "_offset",
        "_resent",
        "_salt",
        "_user",
        "engine_id",
        "name",
    )

    def __init__(self, peer: Peer, clock: Callable[[], float], salt: Callable[[], int]) -> None:
        credential = peer.credential
        self.name = f"{peer.address} ({credential.name})"
        self._master = master_keys(credential, peer.auth, peer.priv)
        self._user = credential.user.encode()
        self._context = credential.context.encode()
        self._clock = clock
        self._salt = salt
        self._flags = (
            REPORTABLE | (AUTH if self._master.auth_protocol else 0) | (PRIV if self._master.priv_protocol else 0)
        )
        self.engine_id = b""
        self._keys = Keys()
        self._frame = _DISCOVERY_FRAME
        self._boots = 0
        self._offset = 0.0
        self._resent = 0

    def encode(self, request: Request, request_id: int) -> bytes:
        """Return the message of `request`, or the discovery that has to come before it."""
        self._resent = 0
        return self._message(request, request_id)

    def _message(self, request: Request, request_id: int) -> bytes:
        known = bool(self.engine_id)
        before, after = request_halves(request if known else _DISCOVERY)
        pdu = before + request_id.to_bytes(4, "big") + after
        return self._frame.message(
            pdu,
            message_id=request_id,
            time=max(0, int(self._clock() - self._offset)) if known else 0,
            salt=self._salt(),
        )

    def decode(self, data: bytes, request: Request, request_id: int) -> Reply | bytes | None:
        """Return what the device said, octets to send instead (discovered, or time learned), or None (not for us).

        Raises:
            AuthFailedError: the device said that it does not accept the credential, and why.
            BerError: it is no SNMPv3 message.
        """
        message = read_message(data)
        if message.message_id != request_id:
            return None
        trusted = message.engine_id == self.engine_id and bool(self.engine_id) and verify(message, self._keys)
        if trusted and not self._timely(message):
            return None
        if message.flags & PRIV and not trusted:
            return None
        scoped = decrypt(message, self._keys)
        _, _, at, end = read_scoped(scoped)
        kind, got, reply = read_pdu(scoped, at, end)
        if kind == _REPORT:
            return self._report(message, reply, request, request_id, trusted=trusted)
        wanted = self._flags & (AUTH | PRIV)
        if got != request_id or message.flags & wanted != wanted or (wanted and not trusted):
            return None  # not ours, or less protected than what was asked
        return reply

    def _timely(self, message: Message) -> bool:
        """Follow the engine's clock; tell whether the message is fresh."""
        now = self._clock()
        ours = now - self._offset
        if message.boots > self._boots or (message.boots == self._boots and message.time > ours):
            self._follow(message, now)
            return True
        return message.boots == self._boots and message.time >= ours - _WINDOW

    def _report(
        self, message: Message, reply: Reply, request: Request, request_id: int, *, trusted: bool
    ) -> bytes | None:
        counter = _which(reply)
        again = self._resent < 3  # discovery, a new engine behind the address, its time
        if counter == _UNKNOWN_ENGINE and again and message.engine_id and message.engine_id != self.engine_id:
            self._adopt(message)
            return self._again(request, request_id)
        if counter == _NOT_IN_TIME_WINDOW and again and (trusted or self._signed(message)):
            self._follow(message, self._clock())
            return self._again(request, request_id)
        if any(name.startswith(_UNKNOWN_CONTEXTS) for name, _, _ in reply.varbinds):
            words = "accepts the credential, but does not know its context"
            raise AuthFailedError(f"{self.name} {words}", "unknown_context")
        if counter not in _SAID:
            return None
        step, words = _SAID[counter]
        raise AuthFailedError(f"{self.name} {words}", step)

    def _signed(self, message: Message) -> bool:
        return message.engine_id == self.engine_id and verify(message, self._keys)

    def _adopt(self, message: Message) -> None:
        self.engine_id = message.engine_id
        self._keys = self._master.localize(message.engine_id)
        self._frame = _DISCOVERY_FRAME  # another engine's, until `_follow`
        self._follow(message, self._clock())

    def _follow(self, message: Message, now: float) -> None:
        """Take over the engine's boots and time."""
        self._offset = now - message.time
        if message.boots != self._boots or self._frame is _DISCOVERY_FRAME:
            self._boots = message.boots
            self._frame = Frame(
                self._keys,
                self._flags,
                engine_id=self.engine_id,
                boots=self._boots,
                user=self._user,
                context=self._context,
            )

    def _again(self, request: Request, request_id: int) -> bytes:
        self._resent += 1
        return self._message(request, request_id)


def _which(reply: Reply) -> int:
    """Return the arc of usmStats that a Report names; 0 for none."""
    for name, _, _ in reply.varbinds:
        if name.startswith(_STATS) and len(name) > len(_STATS):
            return name[len(_STATS)]
    return 0

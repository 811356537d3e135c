"""The authoritative SNMPv3 engine of a simulated device (RFC 3412, 7.2; RFC 3414, 3.2): it opens, or reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dca.sim.cells import encode, varbind
from dca.sim.pdus import read_request
from dca.snmp.ber import BerError, integer, tlv
from dca.snmp.keys import Keys, MasterKeys, master_keys
from dca.snmp.oids import oid
from dca.snmp.types import Pdu, Tag
from dca.snmp.usm import AUTH, PRIV, REPORTABLE, Frame, Message, decrypt, read_message, read_scoped
from dca.snmp.usm import verify as signed_with

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dca.model import Credential
    from dca.sim.clock import Clock

__all__ = ["Engine", "Opened"]

_WINDOW = 150
"""Seconds that a message may be late or early."""
_USM_STATS = "1.3.6.1.6.3.15.1.1"
_LEVEL, _WINDOWS, _USER, _ENGINE, _DIGEST, _DECRYPTION = (oid(f"{_USM_STATS}.{n}.0") for n in range(1, 7))
_CONTEXT = oid("1.3.6.1.6.3.12.1.5.0")


class Opened(NamedTuple):
    """A message that was accepted."""

    message: Message
    scoped: bytes
    at: int
    """Where the PDU starts in `scoped`; it stops at `end`."""
    end: int
    enough: bool
    """False: less protected than what its user has to use."""

    @property
    def user(self) -> str:
        """Return who sent it."""
        return self.message.user.decode("utf-8", "replace")


class Engine:
    """One engine: its ID, its boots and time, its users, and how often it reported what."""

    __slots__ = ("_boots", "_clock", "_counters", "_keys", "_salt", "_time_base", "_users", "engine_id")

    def __init__(self, engine_id: bytes, users: Iterable[Credential], clock: Clock, *, boots: int, time: int) -> None:
        self.engine_id = engine_id
        self._users = {user.user.encode(): user for user in users}
        self._keys: dict[bytes, tuple[Keys, int]] = {}
        self._clock = clock
        self._boots = boots
        self._time_base = time
        self._counters: dict[bytes, int] = {}
        self._salt = int.from_bytes(engine_id[-4:], "big") << 16

    @property
    def has_users(self) -> bool:
        """Tell whether anybody could speak to it."""
        return bool(self._users)

    @property
    def time(self) -> int:
        """Return snmpEngineTime, seconds."""
        return self._time_base + int(self._clock.real)

    def restart(self) -> None:
        """Count one boot more and begin the time anew (RFC 3414, 2.2.2)."""
        self._boots += 1
        self._time_base = -int(self._clock.real)

    def open(self, data: bytes) -> Opened | bytes | None:
        """Return the message's content, a Report to send instead, or None for silence.

        Raises:
            BerError: it is no SNMPv3 message.
        """
        message = read_message(data)
        if message.engine_id != self.engine_id:
            return self._report(message, _ENGINE)
        user = self._users.get(message.user)
        if user is None:
            return self._report(message, _USER)
        keys, level = self._keys_of(message.user, user)
        flags = message.flags & (AUTH | PRIV)
        if flags & ~level or flags == PRIV:
            return self._report(message, _LEVEL)
        if flags & AUTH:
            if not signed_with(message, keys):
                return self._report(message, _DIGEST)
            if message.boots != self._boots or abs(message.time - self.time) > _WINDOW:
                return self._report(message, _WINDOWS, keys)
        return self._scoped(message, keys, user, enough=flags == level)

    def _scoped(self, message: Message, keys: Keys, user: Credential, *, enough: bool) -> Opened | bytes | None:
        try:
            scoped = decrypt(message, keys)
            _, context, at, end = read_scoped(scoped)
        except BerError:
            return self._report(message, _DECRYPTION) if message.flags & PRIV else None
        if context != user.context.encode():
            return self._report(message, _CONTEXT, keys if message.flags & AUTH else None)
        return Opened(message, scoped, at, end, enough)

    def _keys_of(self, name: bytes, user: Credential) -> tuple[Keys, int]:
        """Return a user's keys and the level (flags) that it has to use; localized when it is first heard of."""
        known = self._keys.get(name)
        if known is None:
            master: MasterKeys = master_keys(user, user.auth, user.priv)
            level = (AUTH if master.auth_protocol else 0) | (PRIV if master.priv_protocol else 0)
            known = self._keys[name] = (master.localize(self.engine_id), level)
        return known

    def reply(self, opened: Opened, pdu: bytes) -> bytes:
        """Return the message that carries a Response, protected as the request was."""
        message = opened.message
        _, context, _, _ = read_scoped(opened.scoped)
        keys = self._keys[message.user][0]
        return self._message(message, pdu, keys, message.flags & (AUTH | PRIV), context)

    def _report(self, message: Message, what: bytes, keys: Keys | None = None) -> bytes | None:
        count = self._counters[what] = self._counters.get(what, 0) + 1
        if not message.flags & REPORTABLE:
            return None
        bound = varbind(what, encode(Tag.COUNTER32, count))
        pdu = tlv(Pdu.REPORT, integer(_request_id(message)) + b"\x02\x01\x00\x02\x01\x00" + tlv(0x30, bound))
        return self._message(message, pdu, keys or Keys(), AUTH if keys else 0, b"")

    def _message(self, message: Message, pdu: bytes, keys: Keys, flags: int, context: bytes) -> bytes:
        self._salt += 1
        frame = Frame(keys, flags, engine_id=self.engine_id, boots=self._boots, user=message.user, context=context)
        return frame.message(pdu, message_id=message.message_id, time=self.time, salt=self._salt)


def _request_id(message: Message) -> int:
    """Return the request-id where it can be read without a key; 0 otherwise, as RFC 3412, 7.1, allows."""
    if message.flags & PRIV:
        return 0
    try:
        scoped = message.data[message.body[0] : message.body[1]]
        _, _, at, end = read_scoped(scoped)
        return read_request(scoped, at, end).request_id
    except BerError:
        return 0

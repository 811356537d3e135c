"""SNMPv3 messages under the User-based Security Model (RFC 3412, RFC 3414): bytes in, bytes out.

Both directions are here, so that the simulator answers with the very code that asks; that this code is right
is proved against pysnmp and net-snmp, not against itself.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dca.snmp.ber import BerError, integer, octets, read_integer, read_tlv, tlv
from dca.snmp.ciphers import decrypt_octets, encrypt_octets

if TYPE_CHECKING:
    from dca.snmp.keys import Keys

__all__ = [
    "AUTH",
    "PRIV",
    "REPORTABLE",
    "Frame",
    "Message",
    "decrypt",
    "read_message",
    "read_scoped",
    "verify",
]

AUTH, PRIV, REPORTABLE = 1, 2, 4
"""Bits of msgFlags."""
_MAX_SIZE = integer(65507)
_MODEL = b"\x02\x01\x03"
_VERSION = b"\x02\x01\x03"


@dataclass(slots=True)
class Message:
    """A v3 message that was read: its header, and where its parts lie."""

    data: bytes
    message_id: int
    flags: int
    engine_id: bytes
    boots: int
    time: int
    user: bytes
    mac_at: int
    """Where the MAC's octets start in `data`."""
    mac: bytes
    salt: bytes
    body: tuple[int, int]
    """Where the scoped PDU (its TLV), or the encrypted octets, start and stop in `data`."""


class Frame:
    """What the messages to (or of) one engine have in common, built once: all but the PDU, the ids, time and salt.

    `boots` is the authoritative engine's; `engine_id` and `context` stand in the scoped PDU as well.
    """

    __slots__ = ("_after", "_before", "_boots", "_flags", "_header", "_keys", "_scope")

    def __init__(
        self, keys: Keys, flags: int, *, engine_id: bytes, boots: int, user: bytes, context: bytes = b""
    ) -> None:
        self._keys = keys
        self._flags = flags
        self._boots = boots
        self._header = _MAX_SIZE + b"\x04\x01" + bytes((flags,)) + _MODEL
        self._scope = octets(engine_id) + octets(context)
        self._before = octets(engine_id) + integer(boots)
        mac = octets(bytes(keys.mac_length) if flags & AUTH else b"")
        self._after = octets(user) + mac + (b"\x04\x08" if flags & PRIV else b"\x04\x00")

    def message(self, pdu: bytes, *, message_id: int, time: int, salt: int) -> bytes:
        """Return the message around an encoded PDU, encrypted and signed as the flags say.

        `time` (seconds) is the authoritative engine's; `salt` is any 64-bit number not used before.
        """
        flags, keys = self._flags, self._keys
        body = tlv(0x30, self._scope + pdu)
        parameters = self._before + integer(time) + self._after
        behind = 2  # octets after the MAC in msgSecurityParameters
        if flags & PRIV:
            salt_octets, encrypted = encrypt_octets(keys, body, self._boots, time, salt)
            body = tlv(0x04, encrypted)
            parameters += salt_octets
            behind += len(salt_octets)
        header = tlv(0x30, integer(message_id) + self._header)
        whole = tlv(0x30, _VERSION + header + tlv(0x04, tlv(0x30, parameters)) + body)
        if not flags & AUTH:
            return whole
        stop = len(whole) - len(body) - behind
        return whole[: stop - keys.mac_length] + _mac(keys, whole) + whole[stop:]


def _mac(keys: Keys, whole: bytes) -> bytes:
    return hmac.digest(keys.auth, whole, keys.digest)[: keys.mac_length]


def read_message(data: bytes) -> Message:
    """Read the header of a v3 message; nothing is believed yet.

    Raises:
        BerError: it is no v3 message under USM.
    """
    tag, at, end = read_tlv(data, 0, len(data))
    version, at = read_integer(data, at, end)
    if tag != 0x30 or version != 3:
        raise BerError("no SNMPv3 message")
    tag, start, at = read_tlv(data, at, end)
    if tag != 0x30:
        raise BerError("msgGlobalData is missing")
    message_id, start = read_integer(data, start, at)
    _, start = read_integer(data, start, at)
    flags = _read_octets(data, start, at)
    if len(flags[0]) != 1:
        raise BerError("msgFlags is not one octet")
    model, _ = read_integer(data, flags[1], at)
    if model != 3:
        raise BerError("another security model than USM")
    tag, start, body = read_tlv(data, at, end)
    tag_inner, start, stop = read_tlv(data, start, body)
    if tag != 0x04 or tag_inner != 0x30:
        raise BerError("the security parameters are missing")
    engine_id, start = _read_octets(data, start, stop)
    boots, start = read_integer(data, start, stop)
    time, start = read_integer(data, start, stop)
    user, start = _read_octets(data, start, stop)
    mac, start = _read_octets(data, start, stop)
    mac_at = start - len(mac)
    salt, _ = _read_octets(data, start, stop)
    encrypted = flags[0][0] & PRIV
    tag, inside, finish = read_tlv(data, body, end)
    if tag != (0x04 if encrypted else 0x30):
        raise BerError("the scoped PDU is missing")
    where = (inside, finish) if encrypted else (body, finish)
    return Message(data, message_id, flags[0][0], engine_id, boots, time, user, mac_at, mac, salt, where)


def _read_octets(data: bytes, at: int, end: int) -> tuple[bytes, int]:
    if at + 2 <= end and data[at] == 0x04 and data[at + 1] < 0x80:  # nearly always
        start = at + 2
        stop = start + data[at + 1]
        if stop > end:
            raise BerError("a length points past the end")
    else:
        tag, start, stop = read_tlv(data, at, end)
        if tag != 0x04:
            raise BerError("an OCTET STRING was expected")
    return data[start:stop], stop


def verify(message: Message, keys: Keys) -> bool:
    """Tell whether the message was signed with these keys."""
    if not message.flags & AUTH or len(message.mac) != keys.mac_length or not keys.mac_length:
        return False
    data, at = message.data, message.mac_at
    blank = data[:at] + bytes(keys.mac_length) + data[at + keys.mac_length :]
    return hmac.compare_digest(_mac(keys, blank), message.mac)


def decrypt(message: Message, keys: Keys) -> bytes:
    """Return the scoped PDU's TLV, decrypted where the message is encrypted.

    Raises:
        BerError: it does not decrypt to a scoped PDU.
    """
    start, stop = message.body
    if not message.flags & PRIV:
        return message.data[start:stop]
    if keys.priv_protocol is None or len(message.salt) != 8:
        raise BerError("encrypted, but not with a salt and a protocol that are known")
    plain = decrypt_octets(keys, message.data[start:stop], message.boots, message.time, message.salt)
    if plain[:1] != b"\x30":
        raise BerError("it decrypts to nothing that is SNMP")
    return plain


def read_scoped(scoped: bytes) -> tuple[bytes, bytes, int, int]:
    """Return (context engine ID, context name, where the PDU starts, where it stops) in a scoped PDU's TLV.

    Raises:
        BerError: it is none.
    """
    tag, at, end = read_tlv(scoped, 0, len(scoped))
    if tag != 0x30:
        raise BerError("no scoped PDU")
    engine_id, at = _read_octets(scoped, at, end)
    context, at = _read_octets(scoped, at, end)
    return engine_id, context, at, end

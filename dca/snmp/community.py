"""SNMPv1 and v2c messages (RFC 1157, RFC 3416): bytes in, bytes out.

Request-ids are always four octets (0x01000000 to 0x7fffffff), so that a request is built once
per set of OIDs and only its id is filled in.
"""

from __future__ import annotations

from functools import lru_cache

from dca.snmp.ber import BerError, integer, octets, read_integer, read_tlv, read_varbinds, tlv
from dca.snmp.types import Pdu, Reply, Request

__all__ = ["ID_FIRST", "ID_LAST", "CommunityChannel", "read_pdu", "request_halves"]

ID_FIRST = 0x01000000
ID_LAST = 0x7FFFFFFF
_RESPONSE, _REPORT = int(Pdu.RESPONSE), int(Pdu.REPORT)  # looking an enum's member up takes long


@lru_cache(maxsize=16384)
def _null_varbind(name: bytes) -> bytes:
    return tlv(0x30, tlv(0x06, name) + b"\x05\x00")


def _bound(name: bytes, typed: tuple[int, int | bytes]) -> bytes:
    tag, value = typed
    return tlv(0x30, tlv(0x06, name) + (integer(value, tag) if isinstance(value, int) else tlv(tag, value)))


@lru_cache(maxsize=2048)
def request_halves(request: Request) -> tuple[bytes, bytes]:
    """Return the PDU before and after its four request-id octets."""
    bound = (
        map(_null_varbind, request.oids) if request.pdu is not Pdu.SET else map(_bound, request.oids, request.values)
    )
    listed = tlv(0x30, b"".join(bound))
    if request.pdu is Pdu.GETBULK:
        rest = integer(request.non_repeaters) + integer(request.max_repetitions) + listed
    else:
        rest = b"\x02\x01\x00\x02\x01\x00" + listed
    whole = tlv(request.pdu, b"\x02\x04\x00\x00\x00\x00" + rest)
    cut = len(whole) - len(rest)
    return whole[: cut - 4], whole[cut:]


def read_pdu(data: bytes, at: int, end: int) -> tuple[int, int, Reply]:
    """Read a Response or Report PDU and return (its tag, its request-id, what it says).

    Raises:
        BerError: another PDU, or none.
    """
    tag, at, end = read_tlv(data, at, end)
    if tag != _RESPONSE and tag != _REPORT:  # noqa: PLR1714 - twice as fast as a tuple
        raise BerError("neither a Response nor a Report")
    if data[at : at + 2] == b"\x02\x04" and data[at + 6 : at + 12] == b"\x02\x01\x00\x02\x01\x00" and at + 12 < end:
        request_id = int.from_bytes(data[at + 2 : at + 6], "big", signed=True)  # the usual case, no calls
        status = index = 0
        at += 12
    else:
        request_id, at = read_integer(data, at, end)
        status, at = read_integer(data, at, end)
        index, at = read_integer(data, at, end)
    listed, at, stop = read_tlv(data, at, end)
    if listed != 0x30:
        raise BerError("the variable bindings are missing")
    return tag, request_id, Reply(read_varbinds(data, at, stop), status, index)


class CommunityChannel:
    """How to speak v1 or v2c with one community: no state, so one serves many devices."""

    __slots__ = ("_head", "_room")

    engine_id = b""
    """v1 and v2c know no engine."""

    def __init__(self, version: str, community: str) -> None:
        self._head = integer(0 if version == "1" else 1) + octets(community.encode("utf-8", "surrogateescape"))
        self._room = len(self._head)

    def encode(self, request: Request, request_id: int) -> bytes:
        """Return the message of `request`."""
        before, after = request_halves(request)
        body = self._head + before + request_id.to_bytes(4, "big") + after
        return tlv(0x30, body)

    def decode(self, data: bytes, request: Request, request_id: int) -> Reply | None:  # noqa: ARG002 - as UsmChannel
        """Return what the device said, or None when the datagram answers something else.

        Raises:
            BerError: it is no SNMP message.
        """
        tag, at, end = read_tlv(data, 0, len(data))
        if tag != 0x30:
            raise BerError("no SNMP message")
        if data.startswith(self._head, at):
            at += self._room
        else:
            at = self._check_head(data, at, end)
            if at < 0:
                return None
        kind, got, reply = read_pdu(data, at, end)
        return reply if got == request_id and kind == _RESPONSE else None

    def _check_head(self, data: bytes, at: int, end: int) -> int:
        """Read a head that is not octet by octet the one expected; -1 when it is not for this channel."""
        version, at = read_integer(data, at, end)
        tag, start, stop = read_tlv(data, at, end)
        if tag != 0x04:
            raise BerError("the community is missing")
        return stop if integer(version) + octets(data[start:stop]) == self._head else -1

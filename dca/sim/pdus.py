"""What a device answers to a PDU, out of its tree (RFC 1157, 4.1; RFC 3416, 4.2); None is silence."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dca.sim.cells import varbind
from dca.snmp.ber import BerError, integer, read_integer, read_tlv, read_varbinds, tlv
from dca.snmp.types import ErrorStatus, Pdu, Tag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dca.sim.mib import View
    from dca.snmp.types import VarBind

__all__ = ["Asked", "Manners", "answer", "error", "read_request", "response"]

_NULL = b"\x05\x00"
_NO_ERROR = b"\x02\x01\x00\x02\x01\x00"
_COUNTER64_MARK = bytes((Tag.COUNTER64,))
_OVERHEAD = 32
"""Octets of a Response around its variable bindings, at most."""


class Asked(NamedTuple):
    """A request PDU that was read."""

    pdu: int
    request_id: int
    first: int
    """error-status, or GETBULK's non-repeaters."""
    second: int
    """error-index, or GETBULK's max-repetitions."""
    names: list[bytes]
    bound: Sequence[VarBind] = ()
    """The names with the values that a SET gives them."""


class Manners(NamedTuple):
    """In what a device differs from the book."""

    version: str
    room: int
    """Octets that the whole message may have, less what is around the PDU."""
    bulk_rows: int = 0
    null_for_missing: bool = False


def read_request(data: bytes, at: int, end: int) -> Asked:
    """Read a request PDU.

    Raises:
        BerError: it is none.
    """
    tag, at, end = read_tlv(data, at, end)
    request_id, at = read_integer(data, at, end)
    first, at = read_integer(data, at, end)
    second, at = read_integer(data, at, end)
    listed, at, stop = read_tlv(data, at, end)
    if listed != 0x30:  # noqa: PLR2004 - SEQUENCE
        raise BerError("the variable bindings are missing")
    bound = read_varbinds(data, at, stop)
    return Asked(tag, request_id, first, second, [name for name, _, _ in bound], bound)


def answer(view: View, asked: Asked, manners: Manners) -> bytes | None:
    """Return the Response PDU, or None where a device of that version stays silent. Nobody may SET here."""
    if asked.pdu == Pdu.SET:
        return error(asked, ErrorStatus.NO_SUCH_NAME if manners.version == "1" else ErrorStatus.NO_ACCESS, 1)
    if manners.version == "1":
        return _answer_v1(view, asked, manners)
    if asked.pdu == Pdu.GET:
        bound = [view.get(name) or _missing(view, name, manners) for name in asked.names]
    elif asked.pdu == Pdu.GETNEXT:
        bound = [_next(view, name)[1] for name in asked.names]
    elif asked.pdu == Pdu.GETBULK:
        return response(asked, _bulk(view, asked, manners))
    else:
        return None
    if sum(map(len, bound)) + _OVERHEAD > manners.room:
        return response(asked, [], ErrorStatus.TOO_BIG)
    return response(asked, bound)


def error(asked: Asked, status: int, index: int) -> bytes:
    """Return a Response with an error-status and the request's own names."""
    return response(asked, [varbind(name, _NULL) for name in asked.names], status, index)


def response(asked: Asked, bound: list[bytes], status: int = 0, index: int = 0) -> bytes:
    """Return a Response with these variable bindings."""
    said = integer(status) + integer(index) if status else _NO_ERROR
    return tlv(Pdu.RESPONSE, integer(asked.request_id) + said + tlv(0x30, b"".join(bound)))


def _answer_v1(view: View, asked: Asked, manners: Manners) -> bytes | None:
    bound = []
    for index, name in enumerate(asked.names, 1):
        if asked.pdu == Pdu.GET:
            found = view.get(name)
            if found is not None and _is_counter64(name, found):
                found = None
        elif asked.pdu == Pdu.GETNEXT:
            found = _next_v1(view, name)
        else:
            return None
        if found is None:
            return error(asked, ErrorStatus.NO_SUCH_NAME, index)
        bound.append(found)
    if sum(map(len, bound)) + _OVERHEAD > manners.room:
        return error(asked, ErrorStatus.TOO_BIG, 0)
    return response(asked, bound)


def _is_counter64(name: bytes, bound: bytes) -> bool:
    """Tell whether the value of a varbind is of the one type that v1 does not have."""
    at = bound.find(name) + len(name)
    return bound[at : at + 1] == _COUNTER64_MARK


def _next_v1(view: View, name: bytes) -> bytes | None:
    found = view.after(name)
    while found is not None and _is_counter64(*found):
        found = view.after(found[0])
    return None if found is None else found[1]


def _missing(view: View, name: bytes, manners: Manners) -> bytes:
    if manners.null_for_missing:
        return varbind(name, _NULL)
    tag = Tag.NO_SUCH_INSTANCE if view.has_object(name) else Tag.NO_SUCH_OBJECT
    return varbind(name, bytes((tag, 0)))


def _next(view: View, name: bytes) -> tuple[bytes, bytes, bool]:
    """Return the next instance's OID and varbind, and whether there was one."""
    found = view.after(name)
    if found is None:
        return name, varbind(name, bytes((Tag.END_OF_MIB_VIEW, 0))), False
    return *found, True


def _bulk(view: View, asked: Asked, manners: Manners) -> list[bytes]:
    """Return GETBULK's varbinds, as many whole ones as fit."""
    once = min(max(asked.first, 0), len(asked.names))
    rows = max(asked.second, 0)
    if manners.bulk_rows:
        rows = min(rows, manners.bulk_rows)
    room = manners.room - _OVERHEAD
    bound: list[bytes] = []
    for name in asked.names[:once]:
        _, found, _ = _next(view, name)
        room -= len(found)
        if room < 0:
            return bound
        bound.append(found)
    names, more = asked.names[once:], True
    while rows > 0 and more and names:
        more = False
        following = []
        for name in names:
            after, found, there = _next(view, name)
            room -= len(found)
            if room < 0:
                return bound
            more = more or there
            bound.append(found)
            following.append(after)
        names = following
        rows -= 1
    return bound

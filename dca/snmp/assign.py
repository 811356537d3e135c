"""SET: give objects of a device new values (RFC 3416, 4.2.5), and say in words why it would not take them.

A SET is not like a question: asked twice it is done twice. `ONCE` are the waits for the client's `converse` that
send it a single time; who hears nothing does not know whether it was done, and has to look.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dca.errors import AuthFailedError, RefusedError, SnmpError
from dca.snmp.oids import dotted
from dca.snmp.types import Conversation, ErrorStatus, Pdu, Peer, Reply, Request

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ONCE", "lacks_write", "set_values"]

ONCE = (6.0,)
"""Seconds that the only try of a SET waits: some devices write to flash before they answer."""
_FORBIDDEN = (ErrorStatus.NO_ACCESS, ErrorStatus.AUTHORIZATION_ERROR)
_NAMES = {
    ErrorStatus.TOO_BIG: "tooBig",
    ErrorStatus.NO_SUCH_NAME: "noSuchName",
    ErrorStatus.BAD_VALUE: "badValue",
    ErrorStatus.READ_ONLY: "readOnly",
    ErrorStatus.GEN_ERR: "genErr",
    ErrorStatus.NO_ACCESS: "noAccess",
    ErrorStatus.WRONG_TYPE: "wrongType",
    ErrorStatus.WRONG_LENGTH: "wrongLength",
    ErrorStatus.WRONG_ENCODING: "wrongEncoding",
    ErrorStatus.WRONG_VALUE: "wrongValue",
    ErrorStatus.NO_CREATION: "noCreation",
    ErrorStatus.INCONSISTENT_VALUE: "inconsistentValue",
    ErrorStatus.RESOURCE_UNAVAILABLE: "resourceUnavailable",
    ErrorStatus.COMMIT_FAILED: "commitFailed",
    ErrorStatus.UNDO_FAILED: "undoFailed",
    ErrorStatus.AUTHORIZATION_ERROR: "authorizationError",
    ErrorStatus.NOT_WRITABLE: "notWritable",
    ErrorStatus.INCONSISTENT_NAME: "inconsistentName",
}
_VALUE = (
    ErrorStatus.BAD_VALUE,
    ErrorStatus.WRONG_TYPE,
    ErrorStatus.WRONG_LENGTH,
    ErrorStatus.WRONG_ENCODING,
    ErrorStatus.WRONG_VALUE,
    ErrorStatus.INCONSISTENT_VALUE,
)
_WRITE = (ErrorStatus.NO_SUCH_NAME, ErrorStatus.READ_ONLY, ErrorStatus.NO_CREATION, ErrorStatus.NOT_WRITABLE)


def set_values(peer: Peer, values: Sequence[tuple[bytes, int, int | bytes]]) -> Conversation[None]:
    """Give objects their values, (OID octets, tag, value) each: all of them or none.

    Raises:
        AuthFailedError: the credential may not write (``no_view``), or was not accepted.
        RefusedError: the device would not, and says why by its error-status.
        NoAnswerError: silence; whether it was done is not known.
        BadReplyError: no SNMP reply; the same.
    """
    names = tuple(name for name, _, _ in values)
    reply = yield Request(Pdu.SET, names, values=tuple((tag, value) for _, tag, value in values))
    if reply.error_status:
        raise _refused(peer, names, reply)


def lacks_write(error: SnmpError) -> bool:
    """Tell whether nothing was done, and another credential might be allowed to."""
    return isinstance(error, AuthFailedError) or (isinstance(error, RefusedError) and error.status in _WRITE)


def _refused(peer: Peer, names: tuple[bytes, ...], reply: Reply) -> SnmpError:
    status, index = reply.error_status, reply.error_index
    which = dotted(names[index - 1]) if 0 < index <= len(names) else "the SET"
    said = f"({_name(status)})"
    who = f"{peer.address} does not let {peer.credential.name} write {which} {said}"
    if status in _FORBIDDEN:
        words = f"{who}: put a credential that may write first in the device's range"
        return AuthFailedError(words, "no_view")
    if status in _WRITE:
        words = f"{who}: it has no such object, or it takes a credential that may write"
    elif status in _VALUE:
        words = f"{peer.address} does not take this value for {which} {said}"
    else:
        words = f"{peer.address} could not set {which} {said}"
    return RefusedError(words, status)


def _name(status: int) -> str:
    try:
        return _NAMES[ErrorStatus(status)]
    except (ValueError, KeyError):
        return f"error-status {status}"

"""The words of a conversation with a device: what is asked, what comes back, and who is asked.

A conversation is a generator. It yields a `Request`, is sent the `Reply` (or thrown an
`SnmpError`), and returns what it found out. It does no I/O, so the same conversation runs over
the engine, in a test against a dict, or in a benchmark::

    def name_of(peer: Peer) -> Conversation[str | None]:
        found = yield from get(peer, [SYS_NAME])
        return text(found.get(SYS_NAME))

OIDs are the BER content octets (`dca.snmp.oids.oid("1.3.6.1.2.1.1.5.0")`), values are what the
octets say (int for INTEGER, Counter, Gauge and TimeTicks; bytes for OCTET STRING, IpAddress,
Opaque and OBJECT IDENTIFIER; None for NULL and the exceptions): text and enums are the caller's.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar

if TYPE_CHECKING:
    from dca.model import AuthProtocol, Credential, PrivProtocol, SnmpVersion

__all__ = ["Conversation", "ErrorStatus", "Pdu", "Peer", "Reply", "Request", "Tag", "Value", "VarBind"]


class Tag(IntEnum):
    """BER tags of SNMP values (RFC 2578, RFC 3416)."""

    INTEGER = 0x02
    OCTET_STRING = 0x04
    NULL = 0x05
    OBJECT_IDENTIFIER = 0x06
    IP_ADDRESS = 0x40
    COUNTER32 = 0x41
    GAUGE32 = 0x42
    TIMETICKS = 0x43
    OPAQUE = 0x44
    COUNTER64 = 0x46
    NO_SUCH_OBJECT = 0x80
    NO_SUCH_INSTANCE = 0x81
    END_OF_MIB_VIEW = 0x82


class Pdu(IntEnum):
    """BER tags of the PDUs that dca sends or reads (RFC 3416)."""

    GET = 0xA0
    GETNEXT = 0xA1
    RESPONSE = 0xA2
    SET = 0xA3
    GETBULK = 0xA5
    REPORT = 0xA8


class ErrorStatus(IntEnum):
    """error-status of a Response (RFC 3416, section 3); values past genErr are v2's."""

    NO_ERROR = 0
    TOO_BIG = 1
    NO_SUCH_NAME = 2
    BAD_VALUE = 3
    READ_ONLY = 4
    GEN_ERR = 5
    NO_ACCESS = 6
    WRONG_TYPE = 7
    WRONG_LENGTH = 8
    WRONG_ENCODING = 9
    WRONG_VALUE = 10
    NO_CREATION = 11
    INCONSISTENT_VALUE = 12
    RESOURCE_UNAVAILABLE = 13
    COMMIT_FAILED = 14
    UNDO_FAILED = 15
    AUTHORIZATION_ERROR = 16
    NOT_WRITABLE = 17
    INCONSISTENT_NAME = 18


Value: TypeAlias = int | bytes | None
VarBind: TypeAlias = tuple[bytes, int, Value]
"""(OID octets, tag, value); a plain tuple, for there are very many of them."""


class Request(NamedTuple):
    """One PDU to send. For GETBULK the first `non_repeaters` OIDs are asked once."""

    pdu: Pdu
    oids: tuple[bytes, ...]
    non_repeaters: int = 0
    max_repetitions: int = 0
    values: tuple[tuple[int, int | bytes], ...] = ()
    """For SET: what each of the OIDs is given, (tag, value)."""


class Reply(NamedTuple):
    """What a Response PDU said: `error_index` counts from 1, 0 names none."""

    varbinds: list[VarBind]
    error_status: int = 0
    error_index: int = 0


T = TypeVar("T")
Conversation: TypeAlias = Generator[Request, Reply, T]


@dataclass(slots=True)
class Peer:
    """One device as the protocol sees it: where, how, and what was learned on the way."""

    address: str
    """IPv4 or IPv6 literal; host names are resolved before."""
    port: int
    credential: Credential
    version: SnmpVersion = "2c"
    """The version in use: the credential's, or the one being tried."""
    auth: AuthProtocol | None = None
    """For v3: the protocols in use; None is a lower security level. Those of the credential, or found out."""
    priv: PrivProtocol | None = None
    max_repetitions: int = 10
    """Rows a GETBULK asks for; falls when the device cannot, and is remembered."""
    no_bulk: bool = False
    """GETBULK brought nothing useful: GETNEXT is used."""
    requests: int = 0
    """Datagrams sent to it so far, retries included."""
    engine_id: bytes = b""
    """SNMPv3 engine ID, once known."""
    first_reply: float = field(default=0.0)
    """Clock reading (monotonic seconds) of its first reply; 0.0 before."""

"""Is it a printer? One small request, a second one only when the first leaves it open.

A printer is what a profile knows (by sysObjectID or sysDescr) or what has Printer-MIB objects (RFC 3805).
Everything else is left alone: nothing of it is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dca.errors import AuthFailedError
from dca.printers.text import clean_text
from dca.snmp.ask import get
from dca.snmp.oids import dotted, oid
from dca.snmp.types import Conversation, Pdu, Peer, Request, Tag

if TYPE_CHECKING:
    from dca.printers.profiles import Profiles

__all__ = ["Identity", "identify"]

_SYS_DESCR = oid("1.3.6.1.2.1.1.1.0")
_SYS_OBJECT_ID = oid("1.3.6.1.2.1.1.2.0")
_PRINTER_MIB = oid("1.3.6.1.2.1.43")


class Identity(NamedTuple):
    """What the first answer of a host tells."""

    is_printer: bool
    object_id: str
    """sysObjectID, dotted; "" when it has none."""
    description: str
    """sysDescr."""


def identify(peer: Peer, profiles: Profiles) -> Conversation[Identity]:
    """Ask who is there.

    Raises:
        SnmpError: no answer, or none that helps.
    """
    found = yield from get(peer, (_SYS_OBJECT_ID, _SYS_DESCR))
    object_id = found.get(_SYS_OBJECT_ID, (b"", 0, None))[2]
    description = found.get(_SYS_DESCR, (b"", 0, None))[2]
    named = dotted(object_id) if isinstance(object_id, bytes) else ""
    described = clean_text(description)
    if (named or described) and profiles.is_printer(named, described):
        return Identity(True, named, described)
    reply = yield Request(Pdu.GETNEXT, (_PRINTER_MIB,))
    inside = [name for name, tag, _ in reply.varbinds if tag < Tag.NO_SUCH_OBJECT and name.startswith(_PRINTER_MIB)]
    if not found and not reply.varbinds and peer.version == "3":
        raise AuthFailedError(f"{peer.address} accepts {peer.credential.name}, but lets it see nothing", "no_view")
    return Identity(bool(inside) and not reply.error_status, named, described)

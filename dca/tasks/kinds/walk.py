"""``walk``: everything that one device says below an OID, for diagnosis: redacted, and as much as a result holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dca.printers import objects
from dca.printers.never import is_forbidden
from dca.snmp.ask import get
from dca.snmp.oids import oid
from dca.snmp.types import Tag
from dca.tasks.guard import Guard
from dca.tasks.kind import Kind
from dca.tasks.packing import Pack
from dca.tasks.reach import cells_of, device_of
from dca.tasks.redact import WITHHELD, Redactor
from dca.tasks.walking import Walker

if TYPE_CHECKING:
    from dca.model import Known
    from dca.snmp.types import Peer
    from dca.tasks.kind import Order, Result, Tools

__all__ = ["KIND"]

_MOST_ROWS = 100_000
_SECONDS = 840.0
"""After so many seconds it is cut, so that what was read is not lost to the time limit."""


@dataclass(frozen=True)
class _Parameters:
    root: str = "1.3.6.1"
    limit: int = 20_000
    """Rows."""

    def __post_init__(self) -> None:
        name = oid(self.root)  # raises ValueError in words
        if not name.startswith(oid("1.3.6.1")):
            raise ValueError(f"root is {self.root}; it has to lie below 1.3.6.1")
        if is_forbidden(name):
            raise ValueError(f"{self.root} is never read (see docs/readings.md)")
        if any(name.startswith(tree) for tree in WITHHELD):
            raise ValueError(f"{self.root} tells of other machines, users or jobs and is not given (see docs/tasks.md)")
        if not 1 <= self.limit <= _MOST_ROWS:
            raise ValueError(f"limit is {self.limit}; it may be 1 to {_MOST_ROWS} rows")


async def _run(order: Order, tools: Tools) -> Result:
    known, wanted = device_of(order), order.parameters
    peer, place = tools.peer(known)
    order.progress("looking at what it is")
    walker = Walker(peer, oid(wanted.root), await _guard(peer, known, tools))
    redactor, pack = Redactor(place.credentials), Pack()
    until = tools.client.clock() + _SECONDS
    why = ""
    while not why and not walker.ended:
        for row in await tools.client.converse(peer, walker.part()):
            if pack.lines >= wanted.limit:
                why = f"the limit of {wanted.limit} rows is reached"
            elif not pack.add(redactor.line(row)):
                why = "a result can hold no more"
            if why:
                break
        if not why and tools.client.clock() > until:
            why = f"it took longer than {_SECONDS:.0f} s"
        order.progress(f"{pack.lines} rows")
    if not pack.finish():
        why = why or "a result can hold no more"
    why = why or ("" if walker.ended == "end" else walker.ended)
    return {
        "root": wanted.root,
        "rows": pack.lines,
        "redacted": redactor.redacted,
        "withheld": walker.withheld,
        "left_out": walker.left_out,
        "cut": bool(why),
        "why": why,
        "requests": peer.requests,
        "encoding": "gzip+base64",
        "walk": pack.text(),
    }


async def _guard(peer: Peer, known: Known, tools: Tools) -> Guard:
    """Ask for objects that are known to be harmless: which make it is, and how far a walk may go.

    Raises:
        SnmpError: it answers none of it.
    """
    cells = cells_of(known)
    names = [*objects.IDENTITY, *cells.console]
    for profile in tools.profiles:
        if profile.name in cells.profiles and peer.version != "1":  # in v1 each that is missing costs a request
            names += profile.scalars
    asked = [name for name in dict.fromkeys(names) if not is_forbidden(name)]
    found = await tools.client.converse(peer, get(peer, asked))
    bound = found.get(objects.SYS_OBJECT_ID)
    object_id = bound[2] if bound is not None and bound[1] == Tag.OBJECT_IDENTIFIER else b""
    return Guard(found, object_id if isinstance(object_id, bytes) else b"")


KIND = Kind(
    name="walk",
    summary="Read everything that one device says over SNMP, without names, addresses of others and secrets.",
    parameters=_Parameters,
    default="allow",
    limit=900,
    run=_run,
)

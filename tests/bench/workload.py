"""The PDUs that are measured: the same as in `cli.c`, and those that dca asks instead of them.

C is a GET of 12 objects and GETBULK 25 walks of three tables, A the GET, B one table.
"""

from __future__ import annotations

from collections.abc import Callable

from dca.model import AuthProtocol, Credential, PrivProtocol, Secret
from dca.snmp.ask import columns, get
from dca.snmp.oids import oid
from dca.snmp.types import Conversation, Pdu, Peer, Request, Tag

__all__ = ["GET12", "POLLS", "REPETITIONS", "SUPPLIES", "V2C", "V3", "Poll", "full", "steady", "walk"]

_MIB = "1.3.6.1.2.1"
GET12 = tuple(
    oid(f"{_MIB}.{tail}")
    for tail in (
        *("1.1.0", "1.2.0", "1.3.0", "1.5.0", "1.6.0"),
        *("25.3.2.1.3.1", "25.3.2.1.5.1", "25.3.5.1.1.1", "25.3.5.1.2.1"),
        *("43.5.1.1.17.1", "43.10.2.1.4.1.1", "43.16.5.1.2.1.1"),
    )
)
SUPPLIES, TRAYS, ALERTS = (oid(f"{_MIB}.43.{tail}") for tail in ("11.1.1", "8.2.1", "18.1.1"))
TABLES = (SUPPLIES, TRAYS, ALERTS)
_COLUMNS = {SUPPLIES: range(2, 10), TRAYS: (*range(2, 14), 18), ALERTS: range(2, 10)}
COLUMNS = tuple(tuple(table + bytes((column,)) for column in _COLUMNS[table]) for table in TABLES)
DYNAMIC = (
    *(SUPPLIES + bytes((9, 1, supply)) for supply in range(1, 7)),
    *(TRAYS + bytes((10, 1, tray)) for tray in range(1, 5)),
    *(ALERTS + bytes((8, 1, alert)) for alert in range(1, 4)),
)
KNOWN_CELLS = (*GET12, *DYNAMIC)
"""The 25 cells whose values change: a status poll of a known device."""
REPETITIONS = 25
V2C = Credential("public", "2c", Secret("public"))
V3 = Credential(
    "bench",
    "3",
    user="bench",
    auth=AuthProtocol.SHA256,
    auth_password=Secret("authpass12345"),
    priv=PrivProtocol.AES128,
    priv_password=Secret("privpass12345"),
)
Poll = Callable[[Peer], Conversation[int]]


def walk(table: bytes) -> Conversation[int]:
    """Walk a table from its root as cli.c does; return how many cells it has."""
    at, cells = table, 0
    while True:
        reply = yield Request(Pdu.GETBULK, (at,), 0, REPETITIONS)
        for name, tag, _ in reply.varbinds:
            if not name.startswith(table) or tag == Tag.END_OF_MIB_VIEW:
                return cells
            cells += 1
            at = name


def full(_peer: Peer) -> Conversation[int]:
    """Poll with the very PDUs of workload C: 7 of them."""
    reply = yield Request(Pdu.GET, GET12)
    cells = len(reply.varbinds)
    for table in TABLES:
        cells += yield from walk(table)
    return cells


def ask(peer: Peer) -> Conversation[int]:
    """Poll with the same PDUs through `dca.snmp.ask`, which does the errors and odd devices too."""
    cells = len((yield from get(peer, GET12)))
    for table in TABLES:
        cells += len((yield from columns(peer, [table], rows=1000)).rows[table])
    return cells


def side_by_side(peer: Peer) -> Conversation[int]:
    """Poll the same cells as the reader does: all columns of a table in one GETBULK."""
    cells = len((yield from get(peer, GET12)))
    for wanted in COLUMNS:
        cells += sum(map(len, (yield from columns(peer, wanted)).rows.values()))
    return cells


def steady(peer: Peer) -> Conversation[int]:
    """Poll the cells that are known: one GET of 25."""
    return len((yield from get(peer, KNOWN_CELLS)))


POLLS: dict[str, Poll] = {"full": full, "ask": ask, "columns": side_by_side, "steady": steady}

"""What conversations ask with: single objects, and the columns of tables; however the device makes it difficult.

Both send as few PDUs as the device allows, and learn about it on the way (`Peer.max_repetitions`, `Peer.no_bulk`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from dca.errors import AuthFailedError, NoAnswerError, RefusedError, SnmpError
from dca.snmp.oids import arcs
from dca.snmp.types import Conversation, ErrorStatus, Pdu, Peer, Reply, Request, Tag, Value, VarBind

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MAX_OIDS", "Columns", "Row", "columns", "get"]

MAX_OIDS = 25
"""Objects in one GET: what the weakest printers still take."""
_MAX_CELLS = 96
"""Cells that one GETBULK asks for: its answer still fits common limits."""
_NOTHING = int(Tag.NO_SUCH_OBJECT)
"""Tags from here on say that there is no value; a plain int, for looking an enum's member up takes long."""
_STEPS = 400
"""PDUs after which a table is called endless."""
Row: TypeAlias = tuple[bytes, int, Value]
"""(octets of the index, tag, value)."""


def get(peer: Peer, oids: Sequence[bytes], *, at_once: int = MAX_OIDS) -> Conversation[dict[bytes, VarBind]]:
    """Ask for single objects and return those that exist, by OID.

    A PDU that is too big is halved; in v1 an object that is missing is left out and the rest asked again.

    Raises:
        SnmpError: the device answered none of it (NoAnswerError, AuthFailedError, RefusedError, BadReplyError).
    """
    found: dict[bytes, VarBind] = {}
    parts = [tuple(oids[at : at + at_once]) for at in range(0, len(oids), at_once)]
    while parts:
        part = parts.pop(0)
        reply = yield Request(Pdu.GET, part)
        if not reply.error_status:
            for varbind in reply.varbinds:
                if varbind[1] < _NOTHING:
                    found[varbind[0]] = varbind
            continue
        parts[:0] = _smaller(peer, part, reply)
    return found


def _smaller(peer: Peer, part: tuple[bytes, ...], reply: Reply) -> list[tuple[bytes, ...]]:
    """Return what to ask instead of a GET that was refused."""
    status, index = reply.error_status, reply.error_index
    if status in (ErrorStatus.AUTHORIZATION_ERROR, ErrorStatus.NO_ACCESS):
        raise _refused(peer, status)
    if status != ErrorStatus.TOO_BIG and 0 < index <= len(part):
        rest = part[: index - 1] + part[index:]  # noSuchName, genErr: that one is not to be had
        return [rest] if rest else []
    if len(part) == 1:
        if status in (ErrorStatus.NO_SUCH_NAME, ErrorStatus.GEN_ERR, ErrorStatus.TOO_BIG):
            return []
        raise _refused(peer, status)
    half = (len(part) + 1) // 2
    return [part[:half], part[half:]]


def _refused(peer: Peer, status: int) -> SnmpError:
    if status in (ErrorStatus.AUTHORIZATION_ERROR, ErrorStatus.NO_ACCESS):
        return AuthFailedError(
            f"{peer.address} accepts {peer.credential.name}, but lets it see nothing of this", "no_view"
        )
    names = {member.value: member.name for member in ErrorStatus}
    words = names.get(status, f"error-status {status}").lower()
    return RefusedError(f"{peer.address} refused the request: {words}", status)


class Columns(NamedTuple):
    """What a walk brought."""

    rows: dict[bytes, list[Row]]
    """By the column's prefix; a column that is empty or missing has no rows."""
    cut: frozenset[bytes]
    """The columns that did not come to their end, for whatever reason: what is here of them is not all."""
    error: SnmpError | None
    """What ended the walk before its time, if that was an error."""


class _Column:
    """A column on its way through the table."""

    __slots__ = ("at", "cut", "done", "limit", "prefix", "rows")

    def __init__(self, prefix: bytes, limit: int) -> None:
        self.prefix = prefix
        self.at = prefix
        self.rows: list[Row] = []
        self.done = False
        self.cut = False
        self.limit = limit

    def break_off(self) -> None:
        """Leave the column where it is."""
        self.done = self.cut = True

    def take(self, cells: list[VarBind]) -> bool:
        """Take the next cells; False, and nothing is taken, when the device walks in circles."""
        if self.done:
            return True
        prefix, size = self.prefix, len(self.prefix)
        fresh = [(name[size:], tag, value) for name, tag, value in cells if tag < _NOTHING and name.startswith(prefix)]
        self.rows += fresh
        if len(fresh) < len(cells):
            self.done = True
            return True
        last = cells[-1][0]
        if last <= self.at and arcs(last) <= arcs(self.at):  # octets sort as arcs do, nearly always
            del self.rows[-len(fresh) :]
            return False
        self.at = last
        if len(self.rows) > self.limit:
            del self.rows[self.limit :]
            self.break_off()
        return True


def columns(peer: Peer, prefixes: Sequence[bytes], *, rows: int = 64) -> Conversation[Columns]:
    """Walk columns, also of different tables, side by side.

    GETBULK with as many repetitions as the device takes; GETNEXT in v1 and where GETBULK brings nothing or walks in
    circles. A column ends where the device leaves it; one that is left before (more than `rows` rows, circles, an
    error, silence) is named as cut, and what was read of it is kept.
    """
    asked = [_Column(prefix, rows) for prefix in prefixes]
    failed: SnmpError | None = None
    try:
        yield from _walk(peer, asked, min(peer.max_repetitions, rows + 1))
    except SnmpError as error:
        failed = error
    cut = frozenset(column.prefix for column in asked if column.cut or not column.done)
    return Columns({column.prefix: column.rows for column in asked}, cut, failed)


def _walk(peer: Peer, asked: list[_Column], repetitions: int) -> Conversation[None]:
    for _ in range(_STEPS):
        active = [column for column in asked if not column.done]
        if not active:
            return
        if peer.version == "1" or peer.no_bulk:
            yield from _next_rows(peer, active)
        else:
            repetitions = yield from _bulk_rows(peer, active, repetitions)


def _next_rows(peer: Peer, active: list[_Column]) -> Conversation[None]:
    """Advance each column by one row with GETNEXT."""
    for at in range(0, len(active), MAX_OIDS):
        part = active[at : at + MAX_OIDS]
        while part:
            reply = yield Request(Pdu.GETNEXT, tuple(column.at for column in part))
            if not reply.error_status:
                _share_next(part, reply.varbinds)
                break
            index = reply.error_index
            if reply.error_status != ErrorStatus.TOO_BIG and 0 < index <= len(part):
                _end(part[index - 1], reply.error_status)
                part = part[: index - 1] + part[index:]
            elif len(part) > 1:
                part = part[: len(part) // 2]  # the others come with the next round
            elif reply.error_status in (ErrorStatus.NO_SUCH_NAME, ErrorStatus.GEN_ERR, ErrorStatus.TOO_BIG):
                _end(part[0], reply.error_status)
                part = []
            else:
                raise _refused(peer, reply.error_status)


def _end(column: _Column, status: int) -> None:
    """End a column at an error: noSuchName is how v1 says that the MIB ends, all else breaks it off."""
    column.done = True
    column.cut = status != ErrorStatus.NO_SUCH_NAME


def _share_next(part: list[_Column], varbinds: list[VarBind]) -> None:
    """Give each column its next cell; one that gets none, or an old one, is broken off."""
    for at, column in enumerate(part):
        if at >= len(varbinds) or not column.take(varbinds[at : at + 1]):
            column.break_off()


def _bulk_rows(peer: Peer, active: list[_Column], repetitions: int) -> Conversation[int]:
    """Advance the columns with one GETBULK and return how many repetitions to ask for next."""
    part = active[:_MAX_CELLS]
    repetitions = max(1, min(repetitions, _MAX_CELLS // len(part)))
    try:
        reply = yield Request(Pdu.GETBULK, tuple(column.at for column in part), 0, repetitions)
    except NoAnswerError:
        if not peer.first_reply:
            raise
        yield from _next_rows(peer, active)  # it has answered other requests: GETBULK is what it cannot do
        peer.no_bulk = True
        return repetitions
    if reply.error_status == ErrorStatus.TOO_BIG and (repetitions > 1 or len(part) > 1):
        if repetitions > 1:
            peer.max_repetitions = repetitions = repetitions // 2
        else:
            yield from _bulk_rows(peer, part[: len(part) // 2], 1)
        return repetitions
    if reply.error_status or not reply.varbinds or not _share(part, reply.varbinds):
        peer.no_bulk = True  # an error, nothing, or circles: once more, row by row
    return repetitions


def _share(part: list[_Column], varbinds: list[VarBind]) -> bool:
    """Give each column its cells of a GETBULK, which come row by row; False when one of them walks in circles."""
    if len(part) == 1:
        return part[0].take(varbinds)
    count = len(part)
    fine = True
    for position, column in enumerate(part):
        cells = varbinds[position::count]
        if cells:
            fine = column.take(cells) and fine
    return fine

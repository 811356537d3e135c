"""A walk of one device, in parts: each part is a short conversation, so that other readings have their turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dca.errors import NoAnswerError, SnmpError
from dca.printers.never import NEVER, is_forbidden
from dca.snmp.oids import arcs, dotted
from dca.snmp.types import Conversation, ErrorStatus, Pdu, Peer, Reply, Request, Tag, VarBind
from dca.tasks.guard import behind
from dca.tasks.redact import WITHHELD

if TYPE_CHECKING:
    from dca.tasks.guard import Guard

__all__ = ["Walker"]

_REQUESTS = 20
"""PDUs of one part."""
_MOST_REPETITIONS = 25


class Walker:
    """Where a walk below `root` is, and what was left out on the way."""

    def __init__(self, peer: Peer, root: bytes, guard: Guard) -> None:
        self._peer = peer
        self._root = root
        self._guard = guard
        self._at = root
        self.ended = ""
        """Why it is over; "" while it goes on, "end" at the end of the tree."""
        self.left_out: list[str] = []
        """What was leapt over, in words."""
        self.withheld = 0
        """Objects that were read and are not given."""

    def part(self) -> Conversation[list[VarBind]]:
        """Walk on for some requests and return the rows; look at `ended` then. Errors end the walk, none is raised."""
        rows: list[VarBind] = []
        for _ in range(_REQUESTS):
            if self.ended:
                break
            steps = self._guard.steps(self._at)
            if steps < 1:
                self._leap()
                continue
            try:
                reply = yield self._request(steps)
            except SnmpError as error:
                self._failed(error)
                continue
            self._take(reply, rows)
        return rows

    def _request(self, steps: int) -> Request:
        peer = self._peer
        if peer.version == "1" or peer.no_bulk:
            return Request(Pdu.GETNEXT, (self._at,))
        return Request(Pdu.GETBULK, (self._at,), 0, max(1, min(peer.max_repetitions, steps, _MOST_REPETITIONS)))

    def _failed(self, error: SnmpError) -> None:
        peer = self._peer
        if isinstance(error, NoAnswerError) and peer.first_reply and peer.version != "1" and not peer.no_bulk:
            peer.no_bulk = True  # it has answered before: once more with GETNEXT
        else:
            self.ended = str(error)

    def _take(self, reply: Reply, rows: list[VarBind]) -> None:
        peer, status = self._peer, reply.error_status
        if status == ErrorStatus.TOO_BIG and peer.version != "1" and not peer.no_bulk:
            if peer.max_repetitions > 1:
                peer.max_repetitions //= 2
            else:
                peer.no_bulk = True
        elif status == ErrorStatus.NO_SUCH_NAME:
            self.ended = "end"
        elif status or not reply.varbinds:
            self.ended = f"after {dotted(self._at)} the device answers with error-status {status} and no object"
        else:
            self._take_rows(reply.varbinds, rows)

    def _take_rows(self, found: list[VarBind], rows: list[VarBind]) -> None:
        for row in found:
            name = row[0]
            if row[1] == Tag.END_OF_MIB_VIEW or not name.startswith(self._root):
                self.ended = "end"
            elif arcs(name) <= arcs(self._at):
                self.ended = f"the device walks in circles after {dotted(self._at)}"
            elif is_forbidden(name):  # of a make that it showed nothing of before
                self._guard.close(tree for trees in NEVER.values() for tree in trees)
                self._leave(next(tree for trees in NEVER.values() for tree in trees if name.startswith(tree)))
                return
            elif any(name.startswith(tree) for tree in WITHHELD):
                self.withheld += 1
                self._go_behind(next(tree for tree in WITHHELD if name.startswith(tree)))
                return
            else:
                self._at = name
                rows.append(row)
            if self.ended:
                return

    def _leap(self) -> None:
        """Go on behind the next subtree that is never asked for."""
        self._leave(self._guard.leap(self._at)[0])

    def _leave(self, tree: bytes) -> None:
        self.left_out.append(f"from {dotted(self._at)} to the end of {dotted(tree)}, which is never read")
        self._go_behind(tree)

    def _go_behind(self, tree: bytes) -> None:
        self._at = behind(tree)
        if not self._at.startswith(self._root):
            self.ended = "end"

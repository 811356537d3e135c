"""What is never asked of a printer, whatever a profile or a remembered cell says.

Reading can do harm: below Epson's ``1248.1.2.2.44`` a plain GET carries commands that write the EEPROM, below
``1248.1.7`` and ``1248.1.8`` are fax, e-mail and address books, and Kyocera's ``1347.47`` holds the names of jobs
and users. A GET of such an object is refused here. A walk is refused where it could run into one from a
neighbouring table, and a walk of standard tables takes at most as many steps at once as objects are known to lie
between the end of the standard tables and the fence: the device has shown them in answers to GETs before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from dca.errors import ProfileError, SnmpError
from dca.snmp.oids import dotted, oid
from dca.snmp.types import Pdu, Request, Tag

if TYPE_CHECKING:
    from dca.snmp.types import Conversation, Reply

__all__ = ["NEVER", "Fence", "fenced", "is_forbidden", "is_walk_forbidden"]

T = TypeVar("T")
_EPSON = oid("1.3.6.1.4.1.1248")
_KYOCERA = oid("1.3.6.1.4.1.1347")
NEVER: dict[bytes, tuple[bytes, ...]] = {
    _EPSON: (oid("1.3.6.1.4.1.1248.1.2.2.44"), oid("1.3.6.1.4.1.1248.1.7"), oid("1.3.6.1.4.1.1248.1.8")),
    _KYOCERA: (oid("1.3.6.1.4.1.1347.47"),),
}
"""By make (the octets of its tree) the subtrees that are never asked for, in their order."""
_MAKES = tuple(NEVER)


def is_forbidden(name: bytes) -> bool:
    """Tell whether this object must not be asked for."""
    return name.startswith(_MAKES) and any(name.startswith(NEVER[make]) for make in _MAKES if name.startswith(make))


def is_walk_forbidden(prefix: bytes) -> bool:
    """Tell whether a walk that begins here could come to a forbidden object of the same make."""
    for make, subtrees in NEVER.items():
        if prefix.startswith(make) or make.startswith(prefix):
            return prefix < max(subtrees) + b"\xff"
    return False


class Fence:
    """What is known about the way from a device's standard tables to its forbidden objects."""

    __slots__ = ("_guarded", "_posts")

    def __init__(self, steps: int = 0) -> None:
        self._guarded = steps > 0
        self._posts: set[bytes] | int = steps if steps > 0 else set()

    @property
    def steps(self) -> int:
        """Steps that a walk may take at once; 0 where the make has nothing forbidden."""
        if not self._guarded:
            return 0
        return max(1, self._posts if isinstance(self._posts, int) else len(self._posts))

    def check(self, request: Request) -> Request:
        """Return the request as it may be sent.

        Raises:
            ProfileError: it asks for a forbidden object, or walks towards one.
        """
        if request.pdu == Pdu.GET:
            for name in request.oids:
                if name.startswith(_MAKES) and is_forbidden(name):
                    raise ProfileError(f"{dotted(name)} is never read (see docs/readings.md); nothing was sent")
            return request
        for name in request.oids:
            if name.startswith(_MAKES) and is_walk_forbidden(name):
                raise ProfileError(f"{dotted(name)} is never walked: what lies behind it is never read")
        steps = self.steps
        if steps and request.pdu == Pdu.GETBULK and request.max_repetitions > steps:
            return request._replace(max_repetitions=steps)
        return request

    def learn(self, reply: Reply) -> None:
        """Take from an answer to a GET which make it is and what lies before the fence."""
        if isinstance(self._posts, int) or reply.error_status:
            return
        for name, tag, value in reply.varbinds:
            if isinstance(value, bytes) and tag == Tag.OBJECT_IDENTIFIER and value.startswith(_MAKES):
                self._guarded = True  # sysObjectID
            if tag < Tag.NO_SUCH_OBJECT and name.startswith(_MAKES):
                self._guarded = True
                if any(name < min(subtrees) for make, subtrees in NEVER.items() if name.startswith(make)):
                    self._posts.add(name)


def fenced(conversation: Conversation[T], fence: Fence) -> Conversation[T]:
    """Run the conversation so that nothing forbidden is sent.

    Raises:
        ProfileError: it asks for something forbidden; that request is not sent.
    """
    try:
        request = next(conversation)
        while True:
            request = fence.check(request)
            try:
                reply = yield request
            except SnmpError as error:
                request = conversation.throw(error)
                continue
            if request.pdu == Pdu.GET:
                fence.learn(reply)
            request = conversation.send(reply)
    except StopIteration as end:
        result: T = end.value
        return result

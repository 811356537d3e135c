"""SET for tasks: with the credential that may, once, and never again after silence unless that does no harm."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dca.discovery.access import attempts_of
from dca.errors import BadReplyError, NoAnswerError, SnmpError, TaskError
from dca.printers import objects
from dca.snmp.ask import get
from dca.snmp.assign import ONCE, lacks_write, set_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dca.discovery.ranges import ResolvedRange
    from dca.model import Known
    from dca.snmp.types import Peer
    from dca.tasks.kind import Tools

__all__ = ["Written", "uptime_of", "write"]


class Written(NamedTuple):
    """What came of a SET."""

    peer: Peer
    """How the device was spoken to."""
    answered: bool
    """False: silence; whether it was done is not known."""
    uptime: int | None
    """sysUpTime right before, hundredths of a second; None where the device does not tell."""


async def write(
    tools: Tools, known: Known, values: Sequence[tuple[bytes, int, int | bytes]], *, harmless: bool = False
) -> Written:
    """Set objects of a device, (OID octets, tag, value) each.

    The credential that reads is tried first, then the others of the range, as long as the device says that it may
    not write. Silence ends it, for it may have been done; with `harmless` the next credential is tried instead.

    Raises:
        TaskError: no credential may write (``refused``), or there is no answer at all (``no_answer``).
    """
    first, place = tools.peer(known)
    said: list[str] = []
    silent: Written | None = None
    for number, peer in enumerate(_peers(first, known, place)):
        try:
            uptime = await uptime_of(tools, peer)
        except SnmpError as error:
            if not number and isinstance(error, NoAnswerError):
                raise TaskError(f"nothing was set: {error}", "no_answer") from error
            said.append(str(error))
            continue
        try:
            await tools.client.converse(peer, set_values(peer, values), waits=ONCE)
        except (NoAnswerError, BadReplyError):
            silent = Written(peer, answered=False, uptime=uptime)
            if not harmless:
                return silent
        except SnmpError as error:
            said.append(str(error))
            if not lacks_write(error):
                break
        else:
            return Written(peer, answered=True, uptime=uptime)
    if silent is not None:
        return silent
    raise TaskError("nothing was set: " + "; ".join(said), "refused")


async def uptime_of(tools: Tools, peer: Peer) -> int | None:
    """Return sysUpTime, hundredths of a second; None where the device does not tell.

    Raises:
        SnmpError: no answer, or none that helps.
    """
    found = await tools.client.converse(peer, get(peer, [objects.SYS_UPTIME]))
    bound = found.get(objects.SYS_UPTIME)
    return bound[2] if bound is not None and isinstance(bound[2], int) else None


def _peers(first: Peer, known: Known, place: ResolvedRange) -> Iterator[Peer]:
    yield first
    for attempt in attempts_of(place.credentials):
        if attempt.credential != first.credential:
            yield attempt.peer(known.address, known.port, known)

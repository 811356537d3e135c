"""Find out which addresses answer: every address of the ranges is asked once per way to speak, thousands at a time.

SNMP only: no other port of an unknown host is touched (a probe of TCP 9100 prints pages and wakes machines).
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from dca.discovery.access import Attempt, attempts_of, remembered
from dca.discovery.identify import Identity, identify
from dca.errors import NoAnswerError, SnmpError
from dca.snmp.client import Probe

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from dca.discovery.ranges import Ranges, Target
    from dca.model import Known
    from dca.printers.profiles import Profiles
    from dca.snmp.client import SnmpClient
    from dca.snmp.types import Conversation, Peer

__all__ = ["Found", "Progress", "sweep"]


class Found(NamedTuple):
    """An address that answered."""

    target: Target
    attempt: Attempt
    """The way it answered to, or the last that it refused."""
    identity: Identity | None
    """None when it refused every credential."""
    error: SnmpError | None = None


@dataclass
class Progress:
    """How far a sweep is; changes while it runs."""

    total: int = 0
    """Addresses to ask."""
    done: int = 0
    """Addresses that answered, or were silent to every way to speak."""
    printers: int = 0
    others: int = 0
    """Hosts that answered and are no printers: left alone, nothing of them is kept."""
    refused: int = 0
    """Hosts that answered but accepted no credential."""
    packets: int = 0


async def sweep(
    client: SnmpClient,
    ranges: Ranges,
    profiles: Profiles,
    *,
    known_at: Callable[[str, int], Known | None] = lambda _address, _port: None,
    progress: Progress | None = None,
) -> AsyncIterator[Found]:
    """Yield every address that answers, printers and refusals, as soon as it does; others are only counted.

    A device that is known is asked first in the way that worked. Host names among the ranges are resolved before.
    """
    progress = progress or Progress()
    progress.total = ranges.count
    round_ = _Sweep(client, ranges, profiles, known_at=known_at, progress=progress)
    running = asyncio.create_task(client.probe_each(round_.next, round_.wake))
    running.add_done_callback(lambda _: round_.arrived.set())
    try:
        while True:
            await round_.arrived.wait()
            round_.arrived.clear()
            over = running.done()
            while round_.found:
                yield round_.found.popleft()
            if over:
                break
        await running
    finally:
        running.cancel()


class _Sweep:
    """The state of one sweep; its conversations run in the engine's thread."""

    def __init__(
        self,
        client: SnmpClient,
        ranges: Ranges,
        profiles: Profiles,
        *,
        known_at: Callable[[str, int], Known | None],
        progress: Progress,
    ) -> None:
        self._targets = ranges.addresses()
        self._profiles = profiles
        self._known_at = known_at
        self._progress = progress
        self._patience = client.timeout
        self._loop = asyncio.get_running_loop()
        self._again: deque[tuple[Target, list[Attempt], int]] = deque()
        self._ways = {found.label: attempts_of(found.credentials) for found in ranges.resolved}
        self.found: deque[Found] = deque()
        self.arrived = asyncio.Event()

    def next(self) -> Probe | None:
        """Return the next address to ask: one that has another way left, else a new one."""
        if self._again:
            return self._probe(*self._again.popleft())
        target = next(self._targets, None)
        if target is None:
            return None
        return self._probe(target, self._ways_to(target), 0)

    def _ways_to(self, target: Target) -> list[Attempt]:
        ways = self._ways[target.range.label]
        known = self._known_at(target.address, target.port)
        first = remembered(known, target.range.credentials) if known else None
        return [first, *(way for way in ways if way != first)] if first else ways

    def _probe(self, target: Target, ways: list[Attempt], at: int) -> Probe:
        way = ways[at]
        peer = way.peer(target.address, target.port)
        wait = self._patience
        # the two versions of one community are each other's second try
        once = any(other.credential == way.credential and other.version != way.version for other in ways)
        return Probe(peer, self._ask(peer, target, ways, at), (wait,) if once else (wait, wait))

    def _ask(self, peer: Peer, target: Target, ways: list[Attempt], at: int) -> Conversation[None]:
        try:
            identity = yield from identify(peer, self._profiles)
        except SnmpError as error:
            self._progress.packets += peer.requests
            heard = bool(peer.first_reply) or not isinstance(error, NoAnswerError)
            ciphers_open = heard and ways[at].version == "3"  # `find_access` looks for them
            if at + 1 < len(ways) and not ciphers_open:
                self._again.append((target, ways, at + 1))
                return
            self._progress.done += 1
            if heard:
                self._progress.refused += 1
                self.found.append(Found(target, ways[at], None, error))
            return
        self._progress.packets += peer.requests
        self._progress.done += 1
        if identity.is_printer:
            self._progress.printers += 1
            self.found.append(Found(target, ways[at], identity))
        else:
            self._progress.others += 1

    def wake(self) -> None:
        """Tell the event loop that something was found; called in the engine's thread."""
        if self.found and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.arrived.set)

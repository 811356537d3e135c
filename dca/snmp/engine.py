"""One engine for all devices: a socket per address family, a generator per device, deadlines in order.

The engine knows no loop and no thread: `poll` sends what is due, waits, and hands on what came.
`dca.snmp.client` gives it a thread; tests and benchmarks call it themselves.

A device has at most one request in flight, so a datagram belongs to the talk of the address it came from,
and counts only if its request-id (and for v3 its authentication) fits.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from dca.errors import BadReplyError, DcaError, NoAnswerError, NotAllowedError, SnmpError
from dca.snmp.ber import BerError
from dca.snmp.budget import Budget, network_of
from dca.snmp.channels import Channel, Channels
from dca.snmp.community import ID_FIRST, ID_LAST

if TYPE_CHECKING:
    from dca.snmp.types import Conversation, Peer, Reply, Request

__all__ = ["Done", "Engine", "Wire", "growing_waits"]

Done = Callable[[Any, BaseException | None], None]
"""Called once with (what the conversation returned, None) or (None, why it ended)."""
_BATCH = 64
"""Datagrams taken in one go, before deadlines are looked at again."""
_STARTS = 256
"""Conversations begun in one go, before answers are looked at."""
_GROWTH = (1.0, 1.5, 2.0, 3.0, 4.0)
"""How long each try waits, in timeouts; the last holds for all that follow."""


def growing_waits(timeout: float, retries: int) -> tuple[float, ...]:
    """Return how long each try waits for its answer, seconds."""
    return tuple(timeout * _GROWTH[min(tried, len(_GROWTH) - 1)] for tried in range(retries + 1))


class Wire(Protocol):
    """The sockets, or a test's stand-in: `dca.snmp.sockets.UdpWire`."""

    def send(self, data: bytes, address: str, port: int) -> None:
        """Send one datagram; OSError says that it cannot leave."""

    def receive(self) -> tuple[bytes, tuple[str, int]] | None:
        """Return the next datagram and its source, or None when there is none."""

    def wait(self, seconds: float) -> None:
        """Wait until a datagram may be there, or so long."""


class _Talk:
    """One conversation, waiting or in progress; `channel` is set when it begins."""

    __slots__ = (
        "channel",
        "conversation",
        "data",
        "done",
        "garbled",
        "key",
        "peer",
        "probe",
        "request",
        "request_id",
        "sent",
        "serial",
        "tries",
        "waits",
    )

    channel: Channel

    def __init__(
        self,
        peer: Peer,
        conversation: Conversation[Any],
        done: Done,
        waits: tuple[float, ...],
        *,
        probe: bool = False,
    ) -> None:
        self.peer = peer
        self.conversation = conversation
        self.done = done
        self.waits = waits
        self.probe = probe
        self.key = (peer.address, peer.port)
        self.data = b""
        self.request: Request | None = None
        self.request_id = 0
        self.tries = 0
        self.serial = 0
        self.sent = False
        self.garbled = ""
        """What was wrong with the last datagram from there that was no reply."""


class Engine:
    """Carries conversations to their end, many at a time.

    `allowed` decides for every conversation whether its address and port may be contacted at all.
    `waits` tells how long each try waits for its answer, seconds. `in_flight` devices are talked to at once; more
    wait, except probes, which are many and mostly in vain. `random_id` gives the first request-id.
    """

    def __init__(
        self,
        wire: Wire,
        *,
        allowed: Callable[[str, int], bool],
        clock: Callable[[], float],
        random_id: Callable[[], int],
        waits: tuple[float, ...] = growing_waits(1.0, 2),
        in_flight: int = 64,
        budget: Budget | None = None,
    ) -> None:
        self._wire = wire
        self._allowed = allowed
        self._clock = clock
        self._waits = waits
        self._in_flight = in_flight
        self._budget = budget or Budget(0, 0)
        self._channels = Channels(clock, random_id)
        self._id = ID_FIRST + random_id() % (ID_LAST - ID_FIRST)
        self._waiting: deque[_Talk] = deque()
        self._probes: deque[_Talk] = deque()
        self._probing = 0
        self._talks: dict[tuple[str, int], _Talk] = {}
        self._deadlines: dict[float, deque[tuple[float, _Talk, int]]] = {}
        self._later: list[tuple[float, int, _Talk]] = []
        self.ignored = 0
        """Datagrams that answered nothing that was asked."""
        self.unsent = 0
        """Datagrams that this machine could not send (no route, no buffer)."""

    @property
    def busy(self) -> int:
        """Return how many conversations are running or waiting."""
        return len(self._talks) + len(self._waiting) + len(self._probes)

    def submit(
        self, peer: Peer, conversation: Conversation[Any], done: Done, waits: tuple[float, ...] | None = None
    ) -> None:
        """Take a conversation on; `done` is called when it ends. `waits` replaces the engine's for this one."""
        self._waiting.append(_Talk(peer, conversation, done, waits or self._waits))

    def probe(self, peer: Peer, conversation: Conversation[Any], done: Done, waits: tuple[float, ...]) -> None:
        """Take a conversation on that is probably in vain: it starts at once, and does not count as in flight."""
        self._probes.append(_Talk(peer, conversation, done, waits, probe=True))

    def cancel(self, done: Done) -> None:
        """End every conversation that was submitted with this `done`, without calling it."""
        for talk in [talk for talk in self._talks.values() if talk.done == done]:
            self._forget(talk)
            talk.conversation.close()
        for queue in (self._waiting, self._probes):
            for talk in [talk for talk in queue if talk.done == done]:
                queue.remove(talk)
                talk.conversation.close()

    def cancel_all(self, reason: DcaError) -> None:
        """End every conversation with `reason`."""
        for talk in list(self._talks.values()):
            self._finish(talk, None, reason)
        while self._waiting or self._probes:
            talk = (self._waiting or self._probes).popleft()
            talk.conversation.close()
            talk.done(None, reason)

    def poll(self, seconds: float) -> None:
        """Send what is due, wait at most `seconds` for answers, and hand them on."""
        now = self._clock()
        self._start(now)
        if self._later:
            self._send_later(now)
        self._wire.wait(0.0 if self._probes else self._patience(now, seconds))
        receive = self._wire.receive
        for _ in range(_BATCH):
            found = receive()
            if found is None:
                break
            self._hear(*found)
        self._expire(self._clock())

    def run(self) -> None:
        """Poll until every conversation has ended."""
        while self.busy:
            self.poll(1.0)

    def _patience(self, now: float, seconds: float) -> float:
        until = now + seconds
        if self._later:
            until = min(until, self._later[0][0])
        for queue in self._deadlines.values():
            while queue and queue[0][1].serial != queue[0][2]:
                queue.popleft()  # answered meanwhile
            if queue:
                until = min(until, queue[0][0])
        return max(0.0, until - now)

    def _start(self, now: float) -> None:
        skipped: list[_Talk] = []
        while self._waiting and len(self._talks) - self._probing < self._in_flight:
            self._begin(self._waiting.popleft(), now, skipped)
        self._waiting.extendleft(reversed(skipped))
        for _ in range(min(_STARTS, len(self._probes))):
            skipped = []
            self._begin(self._probes.popleft(), now, skipped)
            self._probes.extend(skipped)

    def _begin(self, talk: _Talk, now: float, skipped: list[_Talk]) -> None:
        if talk.key in self._talks:
            skipped.append(talk)  # one at a time for a device
            return
        peer = talk.peer
        try:
            if not self._allowed(peer.address, peer.port):
                raise NotAllowedError(
                    f"{peer.address} port {peer.port} is outside the configured ranges; nothing was sent"
                )
            talk.channel = self._channels.of(peer)
        except DcaError as error:
            talk.conversation.close()
            talk.done(None, error)
            return
        self._talks[talk.key] = talk
        self._probing += talk.probe
        self._step(talk, None, now)

    def _step(self, talk: _Talk, reply: Reply | None, now: float) -> None:
        """Give the conversation its reply and send what it asks next."""
        try:
            talk.request = talk.conversation.send(reply)  # type: ignore[arg-type] # the first send() has to be None
        except StopIteration as stop:
            self._finish(talk, stop.value, None)
        except Exception as error:  # noqa: BLE001 - a conversation's bug ends this conversation only
            self._finish(talk, None, error)
        else:
            self._ask(talk, now)

    def _throw(self, talk: _Talk, error: SnmpError, now: float) -> None:
        try:
            talk.request = talk.conversation.throw(error)
        except StopIteration as stop:
            self._finish(talk, stop.value, None)
        except Exception as raised:  # noqa: BLE001 - as above
            self._finish(talk, None, raised)
        else:
            self._ask(talk, now)

    def _ask(self, talk: _Talk, now: float) -> None:
        self._id = talk.request_id = self._id + 1 if self._id < ID_LAST else ID_FIRST
        talk.tries = 0
        assert talk.request is not None
        talk.data = talk.channel.encode(talk.request, talk.request_id)
        self._send(talk, now)

    def _send(self, talk: _Talk, now: float) -> None:
        talk.serial += 1
        talk.sent = False
        if self._budget.limited:
            moment = self._budget.reserve(network_of(talk.peer.address), now)
            if moment > now:
                heapq.heappush(self._later, (moment, id(talk), talk))
                return
        self._send_now(talk, now)

    def _send_now(self, talk: _Talk, now: float) -> None:
        talk.sent = True
        talk.peer.requests += 1
        try:
            self._wire.send(talk.data, *talk.key)
        except OSError:  # no route, no buffer: as if it were lost on the way
            self.unsent += 1
        wait = talk.waits[talk.tries]
        queue = self._deadlines.get(wait)
        if queue is None:
            queue = self._deadlines[wait] = deque()
        queue.append((now + wait, talk, talk.serial))

    def _send_later(self, now: float) -> None:
        later = self._later
        while later and later[0][0] <= now:
            _, _, talk = heapq.heappop(later)
            if self._talks.get(talk.key) is talk and not talk.sent:
                self._send_now(talk, now)

    def _hear(self, data: bytes, source: tuple[str, int]) -> None:
        talk = self._talks.get(source)
        if talk is None or not talk.sent or talk.request is None:
            self.ignored += 1
            return
        now = self._clock()
        try:
            reply = talk.channel.decode(data, talk.request, talk.request_id)
        except BerError as error:
            talk.garbled = str(error)  # perhaps not even from there: a true reply may still come
            return
        except SnmpError as error:
            if not talk.peer.first_reply:
                talk.peer.first_reply = now
            talk.serial += 1
            self._throw(talk, error, now)
            return
        if reply is None:
            self.ignored += 1
            return
        if not talk.peer.first_reply:
            talk.peer.first_reply = now
        if isinstance(reply, bytes):  # v3: discovered, or in time now
            talk.data = reply
            talk.tries = 0
            self._send(talk, now)
            return
        talk.serial += 1
        talk.peer.engine_id = talk.channel.engine_id
        self._step(talk, reply, now)

    def _expire(self, now: float) -> None:
        for queue in list(self._deadlines.values()):  # a retry may open a new one
            while queue and queue[0][0] <= now:
                _, talk, serial = queue.popleft()
                if talk.serial != serial:
                    continue
                if talk.tries + 1 < len(talk.waits):
                    talk.tries += 1
                    self._send(talk, now)
                else:
                    talk.serial += 1
                    self._throw(talk, _silence(talk), now)

    def _forget(self, talk: _Talk) -> None:
        talk.serial += 1
        if self._talks.pop(talk.key, None) is not None:
            self._probing -= talk.probe

    def _finish(self, talk: _Talk, result: object, error: BaseException | None) -> None:
        self._forget(talk)
        talk.conversation.close()
        talk.done(result, error)


def _silence(talk: _Talk) -> SnmpError:
    """Say what is known of a device that gave no reply."""
    place = f"{talk.peer.address} port {talk.peer.port}"
    if talk.garbled:
        return BadReplyError(f"{place} sent something that is no SNMP reply: {talk.garbled}")
    asked = f"{len(talk.waits)} requests" if len(talk.waits) > 1 else "the request"
    return NoAnswerError(f"{place} gave no answer to {asked}")

"""One simulated device: datagram in, datagram out, in every version that it speaks."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from dca.sim.engine import Engine
from dca.sim.habits import Habits
from dca.sim.identity import Identity, invent
from dca.sim.life import Life
from dca.sim.mib import View
from dca.sim.pdus import Manners, answer, error, read_request
from dca.sim.start import begin
from dca.sim.tree import shape_of
from dca.sim.writes import Written, assign
from dca.snmp.ber import BerError, integer, octets, read_integer, read_tlv, tlv
from dca.snmp.types import ErrorStatus, Pdu

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from dca.model import Credential
    from dca.sim.clock import Clock
    from dca.sim.pdus import Asked
    from dca.sim.spec import Model
    from dca.sim.state import State

__all__ = ["Device"]

_V3_OVERHEAD = 160
"""Octets of a v3 message around its PDU, at most, with a context name of some length."""
_RESTART = 4.0
"""Real seconds that it is silent while it restarts."""


class Device:
    """A device of a model: its state changes with the clock, its answers follow.

    `number` makes it another one than its neighbours (serial, MAC, engine ID), `seed` decides its life.
    `users` are SNMPv3 credentials with their protocols named; `versions` (of "1", "2c", "3") are the model's
    unless given, and v3 needs a user. `left` sets the share that is left of some supplies at the start.
    Who knows `write_community`, or is one of `writers` (names of `users`), may SET what `dca.sim.writes` lets be
    set; with neither every SET is refused.
    """

    __slots__ = (
        "_back_at",
        "_community",
        "_engine",
        "_habits",
        "_life",
        "_ready_at",
        "_slept",
        "_view",
        "_write_community",
        "_writers",
        "address",
        "answers",
        "clock",
        "identity",
        "journal",
        "model",
        "requests",
        "sets",
        "silent",
        "state",
        "versions",
    )

    def __init__(
        self,
        model: Model,
        clock: Clock,
        *,
        address: str = "127.0.0.1",
        number: int = 1,
        seed: int = 1,
        habits: Habits | None = None,
        community: str = "public",
        write_community: str = "",
        writers: Iterable[str] = (),
        users: Iterable[Credential] = (),
        versions: Iterable[str] | None = None,
        location: str = "",
        name: str = "",
        left: Mapping[int, float] | None = None,
    ) -> None:
        random = Random(f"{seed}/{model.key}/{number}")  # noqa: S311 - a life that can be repeated, no secret
        self.address = address
        self.model = model
        self.clock = clock
        self.silent = False
        """True: it is unplugged; nothing is answered."""
        self.requests = 0
        """Datagrams received."""
        self.answers = 0
        self.sets = 0
        """Objects that were set."""
        self.journal: Callable[[Written], None] = _forget
        """Called for each object that was set."""
        self.versions = tuple(model.versions if versions is None else versions)
        self._habits = habits or Habits()
        self.identity: Identity = invent(model, random, number, location=location, name=name)
        self.state: State = begin(model, self.identity, clock, self._habits, random, left=left or {})
        self._life = Life(self.state, self._habits, random)
        self._view = View(shape_of(model), self.state)
        self._community = community.encode()
        self._write_community = write_community.encode() or None
        self._writers = frozenset(writers)
        self._back_at = 0.0
        self._ready_at = 0.0
        self._slept = False
        engine_id = (0x80000000 | model.enterprise).to_bytes(4, "big") + b"\x03" + self.identity.mac
        boots, time = random.randrange(1, 60), random.randrange(1000, 5_000_000)
        self._engine = Engine(engine_id, users, clock, boots=boots, time=time)

    @property
    def engine_id(self) -> bytes:
        """Return its SNMPv3 engine ID."""
        return self._engine.engine_id

    @property
    def wait(self) -> float:
        """Return for how many real seconds it keeps its answers back: it is still waking up."""
        return max(0.0, self._ready_at - self.clock.real)

    def advance(self) -> State:
        """Let its life go on to the clock's time and return its state."""
        self._life.advance(self.clock.now)
        return self.state

    def answer(self, datagram: bytes) -> bytes | None:
        """Return what it answers; None: nothing (asleep, wrong community, a version it does not speak, garbage)."""
        self.requests += 1
        if self.silent or not self._awake():
            return None
        try:
            tag, at, end = read_tlv(datagram, 0, len(datagram))
            version, at = read_integer(datagram, at, end)
            if tag != 0x30:  # noqa: PLR2004 - SEQUENCE
                return None
            said = self._answer_v3(datagram) if version == 3 else self._answer_community(version, datagram, at, end)  # noqa: PLR2004
        except BerError:
            return None
        self.answers += said is not None
        return said

    def _awake(self) -> bool:
        if self._back_at:
            if self.clock.real < self._back_at:
                return False
            self._back_at = 0.0
            self._engine.restart()
        if self.advance().asleep:
            self._slept = True
            return False
        if self._slept:
            self._slept = False
            self._ready_at = self.clock.real + self._habits.wake_delay
        return True

    def _answer_community(self, version: int, data: bytes, at: int, end: int) -> bytes | None:
        spoken = {0: "1", 1: "2c"}.get(version)
        if spoken is None or spoken not in self.versions:
            return None
        tag, start, at = read_tlv(data, at, end)
        community = data[start:at]
        if tag != 0x04 or community not in (self._community, self._write_community):  # noqa: PLR2004 - OCTET STRING
            return None
        head = integer(version) + octets(community)
        model = self.model
        manners = Manners(spoken, model.max_size - len(head) - 4, model.bulk_rows, model.null_for_missing)
        asked = read_request(data, at, end)
        pdu = self._say(asked, manners, writer=community == self._write_community)
        return None if pdu is None else tlv(0x30, head + pdu)

    def _answer_v3(self, data: bytes) -> bytes | None:
        if "3" not in self.versions or not self._engine.has_users:
            return None
        opened = self._engine.open(data)
        if opened is None or isinstance(opened, bytes):
            return opened
        asked = read_request(opened.scoped, opened.at, opened.end)
        if not opened.enough:
            return self._engine.reply(opened, error(asked, ErrorStatus.AUTHORIZATION_ERROR, 0))
        model = self.model
        manners = Manners("3", model.max_size - _V3_OVERHEAD, model.bulk_rows, model.null_for_missing)
        pdu = self._say(asked, manners, writer=opened.user in self._writers)
        return None if pdu is None else self._engine.reply(opened, pdu)

    def _say(self, asked: Asked, manners: Manners, *, writer: bool) -> bytes | None:
        if asked.pdu != Pdu.SET or not writer:
            return answer(self._view, asked, manners)
        done = assign(self.state, asked, manners.version, address=self.address, restart=self._restart)
        for written in done.written:
            self.sets += 1
            self.journal(written)
        return done.pdu

    def _restart(self) -> None:
        self.state.restart()
        self._back_at = self.clock.real + _RESTART


def _forget(_written: Written) -> None:
    """Keep no journal."""

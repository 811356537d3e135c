"""Devices that answer from a recording or from a few rows, and conversations driven against them without a network."""

from __future__ import annotations

import bisect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dca.errors import NoAnswerError, SnmpError
from dca.model import Credential, Secret
from dca.printers.profiles import Profiles, load_profiles
from dca.printers.reader import Reading, read_full, read_known
from dca.snmp.oids import arcs, oid
from dca.snmp.types import Conversation, Pdu, Peer, Reply, Request, Tag, VarBind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dca.printers.cells import Cells
    from dca.wire.snapshot_pb2 import Snapshot

RECORDINGS = Path(__file__).parent / "recordings"
NOW = 1_700_000_000.0


def _value(tag: str, text: str) -> tuple[int, Any]:
    kind = int(tag.rstrip("x"))
    if tag.endswith("x"):
        return kind, bytes.fromhex(text)
    if kind == Tag.OCTET_STRING:
        return kind, text.encode()
    if kind == Tag.OBJECT_IDENTIFIER:
        return kind, oid(text)
    return (kind, None) if kind == Tag.NULL else (kind, int(text))


class Device:
    """An agent: rows ``oid|tag|value`` (snmprec), all versions' habits, and faults on demand."""

    def __init__(self, rows: Iterable[str], *, version: str = "2c") -> None:
        self.version = version
        self.values: dict[tuple[int, ...], VarBind] = {}
        for row in rows:
            name, tag, text = row.split("|", 2)
            name = name if name.startswith("1.3.6.1.") else f"1.3.6.1.2.1.{name}"
            self.values[tuple(map(int, name.split(".")))] = (oid(name), *_value(tag, text))
        self._keys: list[tuple[int, ...]] = []
        self.reached: set[bytes] = set()
        """Every object whose value left the device."""
        self.asked: list[Request] = []
        self.fault: Callable[[int, Request], Reply | SnmpError | None] = lambda _, __: None
        """(number of the request from 1, request) -> what comes instead of the answer."""

    def answer(self, request: Request) -> Reply:
        self.asked.append(request)
        instead = self.fault(len(self.asked), request)
        if isinstance(instead, SnmpError):
            raise instead
        reply = instead if instead is not None else self._answer(request)
        self.reached.update(name for name, tag, _ in reply.varbinds if tag < 0x80)
        return reply

    def _answer(self, request: Request) -> Reply:
        if request.pdu == Pdu.GETBULK:
            return Reply(self._bulk(request))
        found: list[VarBind] = []
        for number, name in enumerate(request.oids, 1):
            key = _key(name)
            cell = self.values.get(key) if request.pdu == Pdu.GET else self._next(key)
            if cell is None and self.version == "1":
                return Reply([(name, Tag.NULL, None) for name in request.oids], 2, number)
            missing = Tag.NO_SUCH_INSTANCE if request.pdu == Pdu.GET else Tag.END_OF_MIB_VIEW
            found.append(cell or (name, missing, None))
        return Reply(found)

    def _bulk(self, request: Request) -> list[VarBind]:
        assert self.version != "1", "v1 has no GETBULK"
        cursors = list(request.oids)
        found: list[VarBind] = []
        for _ in range(request.max_repetitions):
            for at, name in enumerate(cursors):
                cell = self._next(_key(name)) or (name, Tag.END_OF_MIB_VIEW, None)
                found.append(cell)
                cursors[at] = cell[0]
        return found

    def _next(self, key: tuple[int, ...]) -> VarBind | None:
        if len(self._keys) != len(self.values):
            self._keys = sorted(self.values)
        keys = self._keys
        at = bisect.bisect_right(keys, key)
        return self.values[keys[at]] if at < len(keys) else None


def _key(name: bytes) -> tuple[int, ...]:
    first, *rest = arcs(name)
    return (min(first // 40, 2), first - 40 * min(first // 40, 2), *rest)


class Lab:
    """Devices and the readings of them."""

    def __init__(self, profiles: Profiles) -> None:
        self.profiles = profiles

    @staticmethod
    def recorded(name: str, *, version: str = "2c", without: str = "no such row") -> Device:
        """Return the device of a recording, less the rows that begin with `without`."""
        rows = (RECORDINGS / f"{name}.snmprec").read_text("utf-8").splitlines()
        return Device((row for row in rows if not row.startswith(without)), version=version)

    @staticmethod
    def device(*rows: str, version: str = "2c") -> Device:
        """Return a printer with these rows; OIDs below mib-2 are given without their beginning."""
        base = ("25.3.2.1.2.1|6|1.3.6.1.2.1.25.3.1.5", "25.3.5.1.1.1|2|3", "1.3.0|67|100")
        given = {row.split("|")[0] for row in rows}
        return Device([row for row in base if row.split("|")[0] not in given] + list(rows), version=version)

    @staticmethod
    def peer(device: Device) -> Peer:
        return Peer("192.0.2.1", 161, Credential("lab", community=Secret("public")), device.version)  # type: ignore[arg-type]

    @staticmethod
    def drive(conversation: Conversation[Any], device: Device, peer: Peer) -> Any:
        """Run a conversation against the device."""
        try:
            request = next(conversation)
            while True:
                try:
                    reply = device.answer(request)
                except SnmpError as error:
                    request = conversation.throw(error)
                    continue
                peer.first_reply = peer.first_reply or 1.0
                request = conversation.send(reply)
        except StopIteration as end:
            return end.value

    def read(self, device: Device) -> Reading:
        peer = self.peer(device)
        return self.drive(read_full(peer, self.profiles, now=lambda: NOW), device, peer)

    def snapshot(self, device: Device) -> Snapshot:
        return self.read(device).snapshot

    def known(self, device: Device, cells: Cells, kind: Any) -> Snapshot | None:
        peer = self.peer(device)
        device.asked.clear()
        return self.drive(read_known(peer, cells, kind, now=lambda: NOW), device, peer)


@pytest.fixture(scope="session")
def lab() -> Lab:
    return Lab(load_profiles())


@pytest.fixture(scope="session")
def silence() -> NoAnswerError:
    return NoAnswerError("192.0.2.1 gave no answer")

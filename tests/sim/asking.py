"""Ask a simulated device without a socket, with a clock that the test moves."""

from __future__ import annotations

from dca.sim import Clock, Device, Habits, load_models
from dca.snmp.community import CommunityChannel
from dca.snmp.oids import dotted, oid
from dca.snmp.types import Pdu, Reply, Request, Tag

REQUEST_ID = 0x01020304
HOUR = 3600.0


class Hand:
    """A clock's source that stands until it is moved."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def device(key: str = "hp-mono", hand: Hand | None = None, *, speed: float = 1.0, **settings) -> Device:
    settings.setdefault("habits", Habits())
    return Device(load_models()[key], Clock(speed, hand or Hand()), **settings)


def ask(one: Device, pdu: Pdu, *names: str, version: str = "2c", community: str = "public", **bulk) -> Reply | None:
    channel = CommunityChannel(version, community)
    request = Request(pdu, tuple(map(oid, names)), **bulk)
    said = one.answer(channel.encode(request, REQUEST_ID))
    return None if said is None else channel.decode(said, request, REQUEST_ID)


def get(one: Device, *names: str, **more) -> list:
    reply = ask(one, Pdu.GET, *names, **more)
    assert reply is not None
    assert reply.error_status == 0
    return [value for _, _, value in reply.varbinds]


def walk(one: Device, root: str = "1.3.6.1", **more) -> dict[str, tuple[int, object]]:
    found: dict[str, tuple[int, object]] = {}
    name, inside = root, oid(root)
    while True:
        reply = ask(one, Pdu.GETNEXT, name, **more)
        assert reply is not None
        if reply.error_status:
            return found
        ((octets, tag, value),) = reply.varbinds
        if tag == Tag.END_OF_MIB_VIEW or not octets.startswith(inside):
            return found
        name = dotted(octets)
        assert name not in found, "it goes round"
        found[name] = (tag, value)


def column(one: Device, entry: str, number: int) -> dict[str, object]:
    prefix = f"1.3.6.1.2.1.43.{entry}.{number}"
    return {name.removeprefix(f"{prefix}."): value for name, (_, value) in walk(one, prefix).items()}

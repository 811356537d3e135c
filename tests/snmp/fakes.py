"""A wire in memory with a clock of its own: devices are functions, time passes only when the engine waits."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from dca.snmp.ber import integer, octets, read_integer, read_tlv, tlv
from dca.snmp.types import Tag, VarBind

Device = Callable[[bytes], Sequence[bytes]]
"""Takes a datagram and returns what the device sends back at once."""


def encode_value(tag: int, value: object) -> bytes:
    if value is None:
        return bytes((tag, 0))
    if isinstance(value, bytes):
        return tlv(tag, value)
    assert isinstance(value, int)
    return integer(value, tag)


def encode_varbinds(varbinds: Sequence[VarBind]) -> bytes:
    return tlv(0x30, b"".join(tlv(0x30, tlv(0x06, name) + encode_value(tag, value)) for name, tag, value in varbinds))


def read_request(data: bytes) -> tuple[int, bytes, int, int, int, int, list[bytes]]:
    """Return (version, community, PDU tag, request-id, second, third, OIDs)."""
    _, at, end = read_tlv(data, 0, len(data))
    version, at = read_integer(data, at, end)
    _, start, at = read_tlv(data, at, end)
    community = data[start:at]
    pdu, at, end = read_tlv(data, at, end)
    request_id, at = read_integer(data, at, end)
    second, at = read_integer(data, at, end)
    third, at = read_integer(data, at, end)
    _, at, end = read_tlv(data, at, end)
    names = []
    while at < end:
        _, start, at = read_tlv(data, at, end)
        _, start, stop = read_tlv(data, start, at)
        names.append(data[start:stop])
    return version, community, pdu, request_id, second, third, names


def response(
    request: bytes, varbinds: Sequence[VarBind], status: int = 0, index: int = 0, *, request_id: int | None = None
) -> bytes:
    version, community, _, asked, *_ = read_request(request)
    pdu = integer(asked if request_id is None else request_id) + integer(status) + integer(index)
    return tlv(0x30, integer(version) + octets(community) + tlv(0xA2, pdu + encode_varbinds(varbinds)))


def serving(cells: dict[bytes, tuple[int, object]]) -> Device:
    """Return a v2c device that holds these cells and answers GET, GETNEXT and GETBULK rightly."""
    order = sorted(cells)

    def after(name: bytes) -> VarBind:
        for candidate in order:
            if candidate > name:
                return (candidate, *cells[candidate])  # type: ignore[return-value]
        return (name, Tag.END_OF_MIB_VIEW, None)

    def answer(data: bytes) -> Sequence[bytes]:
        _, _, pdu, _, non_repeaters, repetitions, names = read_request(data)
        found: list[VarBind] = []
        if pdu == 0xA0:
            found = [
                (name, *cells[name]) if name in cells else (name, Tag.NO_SUCH_INSTANCE, None)  # type: ignore[misc]
                for name in names
            ]
        elif pdu == 0xA1:
            found = [after(name) for name in names]
        else:
            found = [after(name) for name in names[:non_repeaters]]
            names = names[non_repeaters:]
            for _ in range(repetitions):
                row = [after(name) for name in names]
                found += row
                names = [name for name, _, _ in row]
        return [response(data, found)]

    return answer


class MemoryWire:
    """Devices by (address, port); `now` advances only in `wait`, and only when nothing is there to be received."""

    def __init__(self) -> None:
        self.devices: dict[tuple[str, int], Device] = {}
        self.sent: list[tuple[float, str, int, bytes]] = []
        self.inbox: deque[tuple[bytes, tuple[str, int]]] = deque()
        self.now = 100.0

    def clock(self) -> float:
        return self.now

    def send(self, data: bytes, address: str, port: int) -> None:
        self.sent.append((self.now, address, port, data))
        device = self.devices.get((address, port))
        if device is not None:
            self.inbox.extend((reply, (address, port)) for reply in device(data))

    def receive(self) -> tuple[bytes, tuple[str, int]] | None:
        return self.inbox.popleft() if self.inbox else None

    def wait(self, seconds: float) -> None:
        if not self.inbox:
            self.now += seconds

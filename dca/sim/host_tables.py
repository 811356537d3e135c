"""The tables that every host has: system, interfaces, and HOST-RESOURCES (RFC 3418, RFC 2863, RFC 2790)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dca.sim.ailments import device_status, errors, printer_status
from dca.sim.cells import Cell, Keep, Stands, VendorCell, number, octets, pointer, text
from dca.sim.vendor import template
from dca.snmp.types import Tag

if TYPE_CHECKING:
    from dca.sim.mib import Builder
    from dca.sim.spec import Interface, Model
    from dca.sim.state import State

__all__ = ["add_host"]

_SYSTEM = "1.3.6.1.2.1.1"
_IF_ENTRY = "1.3.6.1.2.1.2.2.1"
_HR_DEVICE = "1.3.6.1.2.1.25.3.2.1"
_HR_PRINTER = "1.3.6.1.2.1.25.3.5.1"
_HR_TYPES = "1.3.6.1.2.1.25.3.1"
_TYPES = {"other": 1, "processor": 3, "network": 4, "printer": 5, "disk": 6}
_UPTIME = Cell(Tag.TIMETICKS, lambda state: state.uptime, Keep.NEVER)


def add_host(builder: Builder, model: Model) -> None:
    """Add them for a model."""
    _system(builder, model)
    builder.scalar("1.3.6.1.2.1.2.1", number(len(model.interfaces)))
    for interface in model.interfaces:
        builder.row(_IF_ENTRY, interface.index, _interface(interface))
    _host_resources(builder, model)


def _system(builder: Builder, model: Model) -> None:
    columns: dict[int, VendorCell] = {
        1: template(model.descr),
        2: pointer(model.object_id),
        3: _UPTIME,
        4: template(model.contact),
        5: template("{name}"),
        6: template("{location}"),
        7: number(72),
    }
    for column, cell in columns.items():
        builder.scalar(f"{_SYSTEM}.{column}", cell)


def _interface(interface: Interface) -> dict[int, Stands | Cell]:
    def traffic(per_page: int) -> Cell:
        if not interface.up:
            return Cell(Tag.COUNTER32, lambda _state: 0)
        return Cell(Tag.COUNTER32, lambda state: state.counts.total * per_page)

    def hardware(state: State) -> bytes:
        return state.identity.mac[:-1] + bytes(((state.identity.mac[-1] + interface.index - 1) & 0xFF,))

    up = number(1 if interface.up else 2)
    return {
        1: number(interface.index),
        2: text(interface.description),
        3: number(interface.type),
        4: number(1500),
        5: number(interface.speed, Tag.GAUGE32),
        6: Cell(Tag.OCTET_STRING, hardware, Keep.EVER) if interface.mac else octets(b""),
        7: up,
        8: up,
        9: number(0, Tag.TIMETICKS),
        10: traffic(41_873),
        11: traffic(67),
        13: number(0, Tag.COUNTER32),
        14: number(0, Tag.COUNTER32),
        16: traffic(2_711),
        17: traffic(31),
        19: number(0, Tag.COUNTER32),
        20: number(0, Tag.COUNTER32),
    }


def _host_resources(builder: Builder, model: Model) -> None:
    builder.scalar("1.3.6.1.2.1.25.1.1", _UPTIME)
    builder.scalar("1.3.6.1.2.1.25.2.2", number(1_048_576))
    index = model.device_index
    if model.printer:
        _device(builder, index, "printer", template(model.hr_descr), model.hr_object_id)
        builder.cell(f"{_HR_DEVICE}.5", index, Cell(Tag.INTEGER, device_status))
        builder.row(
            _HR_PRINTER,
            index,
            {1: Cell(Tag.INTEGER, printer_status), 2: Cell(Tag.OCTET_STRING, errors)},
        )
    others = [place for place in range(1, len(model.hr_others) + 2) if place != index or not model.printer]
    for place, (kind, descr) in zip(others, model.hr_others, strict=False):
        _device(builder, place, kind, text(descr), "0.0")


def _device(builder: Builder, index: int, kind: str, descr: Stands | Cell, object_id: str) -> None:
    builder.row(
        _HR_DEVICE,
        index,
        {
            1: number(index),
            2: pointer(f"{_HR_TYPES}.{_TYPES[kind]}"),
            3: descr,
            4: pointer(object_id),
            5: number(2),
            6: number(0, Tag.COUNTER32),
        },
    )

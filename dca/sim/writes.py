"""What a device lets be written, and what it does then (RFC 3416, 4.2.5): a reset, a text for its panel."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dca.sim.cells import encode, varbind
from dca.sim.pdus import error, response
from dca.snmp.oids import dotted, oid
from dca.snmp.types import ErrorStatus, Tag

if TYPE_CHECKING:
    from collections.abc import Callable

    from dca.sim.pdus import Asked
    from dca.sim.state import State
    from dca.snmp.types import VarBind

__all__ = ["Assigned", "Written", "assign"]

_RESET = oid("1.3.6.1.2.1.43.5.1.1.3")
_PANEL = oid("1.3.6.1.2.1.43.16.5.1.2")
_HP_MESSAGE = oid("1.3.6.1.4.1.11.2.3.9.4.2.1.1.2.37.1.1.0")
"""BACKGROUND-STATUS-MSG-LINE1-PART1 (HP-LASERJET-COMMON-MIB): two octets of symbol set, then the text."""
_HP = 11
_NOT_RESETTING, _LAST_RESET = 3, 6
_MOST_TEXT = 255


class Written(NamedTuple):
    """One object that was set."""

    address: str
    oid: str
    value: int | str
    """A text as it was read, with what is no character replaced."""


class Assigned(NamedTuple):
    """What came of a SET."""

    pdu: bytes
    """The Response."""
    written: tuple[Written, ...]


def assign(state: State, asked: Asked, version: str, *, address: str, restart: Callable[[], None]) -> Assigned:
    """Set what is asked, all of it or nothing; return the Response PDU and what was written.

    `restart` is called where a reset was among it.
    """
    for index, bound in enumerate(asked.bound, 1):
        status = _fault(state, bound, version)
        if status:
            return Assigned(error(asked, status, index), ())
    said = response(asked, [varbind(name, encode(Tag(tag), _plain(value))) for name, tag, value in asked.bound])
    written = tuple(_set(state, bound, address, restart) for bound in asked.bound)
    return Assigned(said, written)


def _fault(state: State, bound: VarBind, version: str) -> int:
    """Return the error-status of an object that cannot be set so; 0 where it can."""
    name, tag, value = bound
    first = version == "1"
    index = oid(f"0.0.{state.model.device_index}")[1:]
    if state.model.printer and name == _RESET + index:
        fits = tag == Tag.INTEGER
        legal = isinstance(value, int) and _NOT_RESETTING <= value <= _LAST_RESET
    elif _is_panel(state, name, index):
        fits = tag == Tag.OCTET_STRING
        legal = isinstance(value, bytes) and len(value) <= _MOST_TEXT
    else:
        return ErrorStatus.NO_SUCH_NAME if first else ErrorStatus.NOT_WRITABLE
    if not fits:
        return ErrorStatus.BAD_VALUE if first else ErrorStatus.WRONG_TYPE
    if not legal:
        return ErrorStatus.BAD_VALUE if first else ErrorStatus.WRONG_VALUE
    return 0


def _is_panel(state: State, name: bytes, index: bytes) -> bool:
    first_line = name == _PANEL + index + b"\x01" and state.model.printer and state.model.lines > 0
    return first_line or (name == _HP_MESSAGE and state.model.enterprise == _HP)


def _plain(value: int | bytes | None) -> int | bytes:
    return b"" if value is None else value


def _set(state: State, bound: VarBind, address: str, restart: Callable[[], None]) -> Written:
    name, _, value = bound
    if isinstance(value, int):
        if value != _NOT_RESETTING:
            restart()
        return Written(address, dotted(name), value)
    raw = _plain(value)
    assert isinstance(raw, bytes)
    text = raw[2:].decode("hp_roman8") if name == _HP_MESSAGE else raw.decode("utf-8", "replace")
    state.message = text
    state.version += 1
    return Written(address, dotted(name), text)

"""One visit to one device: the way in, the reading, and a snapshot that tells how it went, whatever happened."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, NamedTuple

from dca.discovery.access import Attempt, attempts_of, find_access, remembered
from dca.discovery.identity import device_id_of
from dca.errors import AuthFailedError, NoAnswerError, SnmpError
from dca.model import Known
from dca.printers.reader import Cells, Reading, failure, read_full, read_known
from dca.wire.snapshot_pb2 import (
    OUTCOME_ASLEEP,
    OUTCOME_AUTH_FAILED,
    OUTCOME_NO_ANSWER,
    OUTCOME_NOT_A_PRINTER,
    OUTCOME_REFUSED,
    READ_KIND_FULL,
    Device,
    Outcome,
    ReadKind,
    Snapshot,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dca.model import Credential
    from dca.printers.profiles import Profiles
    from dca.snmp.client import SnmpClient
    from dca.snmp.types import Peer

__all__ = ["Visit", "visit"]


class Visit(NamedTuple):
    """What a visit brought."""

    snapshot: Snapshot
    known: Known | None
    """The device as it is to be remembered; None when it is no printer or nothing answered and it was not known."""


async def visit(
    client: SnmpClient,
    address: str,
    port: int,
    credentials: Sequence[Credential],
    *,
    profiles: Profiles,
    range_label: str = "",
    known: Known | None = None,
    hint: Attempt | None = None,
    kind: ReadKind.ValueType = READ_KIND_FULL,
    name_of: Callable[[Device, str, int], str] = device_id_of,
    now: Callable[[], float] = time.time,
) -> Visit:
    """Read the device at the address; never raises for what the device does, the snapshot's outcome tells.

    `known` is what the registry remembers of the device that was there; `hint` is the way in that a sweep has just
    found. `name_of` names a device by what it says of itself (`Registry.name_of` knows of doubles). `kind` STATUS and
    SUPPLIES need a known device with cells and become a full reading without. `now` is Unix seconds, UTC.
    """
    asked = now()
    before = client.clock()
    first = hint or (remembered(known, credentials) if known else None)
    peer: Peer | None = None
    reading: Reading | None = None
    try:
        if first is None:
            first = (await find_access(client, address, port, attempts_of(credentials), profiles)).attempt
        peer = first.peer(address, port, known)
        reading = await _read(client, peer, profiles, known=known, kind=kind, now=now)
        snapshot = reading.snapshot
    except SnmpError as error:
        snapshot = failure(_outcome(error, known), str(error), kind=kind)
    seconds = client.clock() - before
    _stamp(snapshot, peer, address=address, range_label=range_label, asked=asked, seconds=seconds)
    if reading is None or not reading.is_printer:
        if known is not None:
            known = dataclasses.replace(known, last_tried=asked, outcome=snapshot.outcome, reason=snapshot.reason)
            known.silent_since = known.silent_since or asked
            snapshot.device_id = known.device_id
        return Visit(snapshot, known)
    assert peer is not None
    if known is None or snapshot.kind == READ_KIND_FULL:
        snapshot.device_id = name_of(snapshot.device, address, port)
    else:
        snapshot.device_id = known.device_id
    return Visit(snapshot, _remember(snapshot, reading, peer, range_label=range_label, known=known, asked=asked))


async def _read(
    client: SnmpClient,
    peer: Peer,
    profiles: Profiles,
    *,
    known: Known | None,
    kind: ReadKind.ValueType,
    now: Callable[[], float],
) -> Reading:
    if known is not None and known.cells and kind != READ_KIND_FULL:
        cells = Cells.from_bytes(known.cells)
        snapshot = await client.converse(peer, read_known(peer, cells, kind, now=now)) if cells else None
        if snapshot is not None and cells is not None:
            return Reading(snapshot, cells, is_printer=True)
    return await client.converse(peer, read_full(peer, profiles, now=now))


def _outcome(error: SnmpError, known: Known | None) -> Outcome.ValueType:
    if isinstance(error, NoAnswerError):
        return OUTCOME_ASLEEP if known is not None and known.quirks.get("sleeps") else OUTCOME_NO_ANSWER
    return OUTCOME_AUTH_FAILED if isinstance(error, AuthFailedError) else OUTCOME_REFUSED


def _stamp(
    snapshot: Snapshot, peer: Peer | None, *, address: str, range_label: str, asked: float, seconds: float
) -> None:
    """Fill in what the visit knows and the reader does not."""
    snapshot.host = address
    snapshot.duration_ms = round(seconds * 1000)
    if not snapshot.HasField("read_at"):
        snapshot.read_at.FromNanoseconds(round(asked * 1000) * 1_000_000)
    if range_label:
        snapshot.range = range_label
    if peer is None:
        return
    snapshot.requests = peer.requests
    if peer.first_reply and snapshot.outcome != OUTCOME_NOT_A_PRINTER:
        snapshot.credential = peer.credential.name
        snapshot.protocol = f"snmpv{peer.version}"
        if peer.engine_id:
            snapshot.device.engine_id = peer.engine_id.hex()


def _remember(
    snapshot: Snapshot, reading: Reading, peer: Peer, *, range_label: str, known: Known | None, asked: float
) -> Known:
    device = snapshot.device
    device_id = snapshot.device_id
    quirks: dict[str, int | bool] = dict(known.quirks) if known else {}
    quirks["max_repetitions"] = peer.max_repetitions
    if peer.no_bulk:
        quirks["no_bulk"] = True
    if known is not None and _woke(snapshot, known, asked):
        quirks["sleeps"] = True
    same = known if known is not None and known.device_id == device_id else None
    old = same or Known(device_id, peer.address, peer.port, range_label, peer.credential.name, peer.version)
    return dataclasses.replace(
        old,
        address=peer.address,
        port=peer.port,
        range=range_label or old.range,
        credential=peer.credential.name,
        version=peer.version,
        auth=peer.auth,
        priv=peer.priv,
        manufacturer=device.manufacturer or old.manufacturer,
        model=device.model or old.model,
        serial=device.serial or old.serial,
        mac=device.mac or old.mac,
        engine_id=device.engine_id or old.engine_id,
        name=device.name or old.name,
        cells=reading.cells.to_bytes(),
        outcome=snapshot.outcome,
        reason=snapshot.reason,
        first_seen=old.first_seen or asked,
        last_read=asked,
        last_tried=asked,
        silent_since=0.0,
        quirks=quirks,
    )


def _woke(snapshot: Snapshot, known: Known, asked: float) -> bool:
    """Tell whether a device that was silent had been on all the while: then it slept."""
    silent = asked - known.silent_since if known.silent_since else 0.0
    return silent > 0 and snapshot.HasField("uptime") and snapshot.uptime / 100 > silent

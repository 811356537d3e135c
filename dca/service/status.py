"""What the agent knows, reads and delivers, read from its state directory: running or not makes no difference."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dca.errors import StoreError
from dca.identity.lockout import Lockout, Standing
from dca.service.notes import Notes, load_notes
from dca.service.picture import is_after, is_read, merge, parse
from dca.store import get_meta, holder, load_devices, load_snapshots, read_only
from dca.tasks.ledger import unfinished
from dca.telemetry import Figures, read_figures
from dca.telemetry.agent_id import AGENT_ID
from dca.wire.snapshot_pb2 import Snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from dca.model import Known

__all__ = ["DeviceStatus", "Status", "read_status"]


@dataclass(frozen=True)
class DeviceStatus:
    """One known device."""

    known: Known
    """How it is remembered: who, where, since when it is silent and why."""
    picture: Snapshot
    """What is known of it from its last readings together; empty when nothing was read yet."""
    last: Snapshot | None
    """The last reading as it was, also one that brought nothing."""

    @property
    def answers(self) -> bool:
        """Tell whether its last reading was answered."""
        return not self.known.silent_since


@dataclass(frozen=True)
class Status:
    """The state directory at one moment."""

    read_at: float
    """Unix seconds, as all times here."""
    pid: int | None
    """The running agent's process; None while there is none."""
    agent_id: str
    figures: Figures
    """The outbox: depth, age of its oldest row, rows written, acknowledged, dropped so far."""
    notes: Notes
    """Start, last discovery, last delivery and its error, next runs."""
    devices: tuple[DeviceStatus, ...] = field(default=())
    """In the order they were found."""
    lock: Standing = field(default=Standing(0, 0, locked=False))
    """How many activations were tried in vain."""
    asks: int = 0
    """Tasks that wait for a word of the customer (``dca approve``)."""


def read_status(state_dir: Path, *, now: float | None = None) -> Status:
    """Read the state directory; quick, changes nothing, and takes nothing from a running agent.

    Raises:
        StoreError: no agent has run with this directory yet, or this user may not read it.
    """
    now = time.time() if now is None else now
    try:
        pid = holder(state_dir)
        with read_only(state_dir) as connection:
            snapshots = load_snapshots(connection)
            return Status(
                read_at=now,
                pid=pid,
                agent_id=str(get_meta(connection, AGENT_ID, "")),
                figures=read_figures(connection, now),
                notes=load_notes(connection),
                devices=tuple(
                    _device(known, *snapshots.get(known.device_id, (None, None))) for known in load_devices(connection)
                ),
                lock=Lockout(state_dir).standing(),
                asks=sum(entry.code == "approval" for entry in unfinished(connection)),
            )
    except OSError as error:
        raise StoreError(
            f"the state directory {state_dir} cannot be read: {error.strerror or error}; "
            "ask as the user that the agent runs as, or as root"
        ) from error


def _device(known: Known, last: bytes | None, full: bytes | None) -> DeviceStatus:
    newest, picture = parse(last), parse(full) or Snapshot()
    if newest is not None and is_read(newest) and is_after(newest, picture):
        if not picture.host:
            picture.CopyFrom(newest)
        else:
            picture = merge(picture, newest)
    if picture.host:
        for name in ("manufacturer", "model", "serial"):
            if not getattr(picture.device, name):
                setattr(picture.device, name, getattr(known, name))
    return DeviceStatus(known, picture, newest)

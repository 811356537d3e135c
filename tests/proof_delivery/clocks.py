"""Clock jumps that no certificate would survive, 1970 among them: they run in the proof's own process, whose TLS keeps
the true time: the agent's outbox, delivery and uplink with an injected clock, over the relay, to the real hub."""

from __future__ import annotations

import contextlib
import random
from typing import TYPE_CHECKING

from dca.contract.codes import Code
from dca.errors import DeliveryError
from dca.identity.activate import HubPlace, activate
from dca.identity.lockout import Lockout
from dca.identity.vault import Vault
from dca.store import Store
from dca.telemetry import Delivery, NewRow, Outbox, Uplink, Weight
from dca.wire.report_pb2 import ROW_KIND_SNAPSHOT, AgentInfo
from dca.wire.snapshot_pb2 import OUTCOME_OK, READ_KIND_STATUS, Snapshot

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["JUMPS", "jump_clocks"]

START = 1_795_608_000.0  # 2026-11-25T12:00:00Z
JUMPS = (3600.0, -3600.0, -86_400.0, 400 * 86_400.0, -800 * 86_400.0, 0.5, -START + 5)
"""Seconds; the last one is a machine that wakes up in 1970."""


async def jump_clocks(state: Path, relay_port: int, code: str) -> int:
    """Put rows, jump, deliver; return how many rows were put."""
    now = START
    chance = random.Random(1)
    store = await Store.open(state, clock=lambda: now)
    place = HubPlace("127.0.0.1", relay_port)
    identity = await activate(Code.parse(code), place, Vault(state), Lockout(state))
    outbox = await Outbox.open(store, clock=lambda: now, known_as=identity.agent_id)
    uplink = Uplink(place.calls(identity.hub_ca, identity.key, identity.chain), deadline=10)
    delivery = Delivery(
        outbox, uplink, lambda: AgentInfo(version="proof", hostname="clocks"), clock=lambda: now, waits=(0.1,)
    )
    put = 0
    try:
        for jump in (*JUMPS, *JUMPS):
            put += (await outbox.put([_reading(now, chance) for _ in range(20)])).stored
            now = max(now + jump, 5.0)
            put += (await outbox.put_event("clock_stepped", f"by {jump:.0f} s")).stored
            with contextlib.suppress(DeliveryError):
                await delivery.deliver_once()
        for _ in range(20):
            with contextlib.suppress(DeliveryError):
                await delivery.deliver_once()
            if not (await outbox.figures()).depth:
                break
    finally:
        await uplink.close()
        await outbox.close()
        await store.close()
    return put


def _reading(now: float, chance: random.Random) -> NewRow:
    number = chance.randrange(10)
    snapshot = Snapshot(
        host=f"127.21.0.{number + 1}",
        device_id=f"{number:016x}",
        outcome=OUTCOME_OK,
        kind=READ_KIND_STATUS,
        status="idle",
        duration_ms=chance.getrandbits(31),  # no two readings are the same bytes
    )
    snapshot.read_at.FromMicroseconds(int(now * 1e6))
    return NewRow(ROW_KIND_SNAPSHOT, snapshot.SerializeToString(), Weight.STATUS)

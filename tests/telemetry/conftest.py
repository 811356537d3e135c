"""An outbox to work on, rows to put into it, and a clock that stands still."""

from __future__ import annotations

import pytest

from dca.store import Store
from dca.telemetry import NewRow, Outbox, Weight
from dca.wire.report_pb2 import ROW_KIND_EVENT, Event

NOON = 1_795_608_000.0  # 2026-11-25T12:00:00Z


class Clock:
    """Unix seconds, moved by hand."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


class Bench:
    """A state directory whose outbox can be closed, opened and looked into."""

    def __init__(self, directory, cap_bytes: int) -> None:
        self.directory = directory
        self.cap_bytes = cap_bytes
        self.clock = Clock()
        self.store: Store = None  # type: ignore[assignment]
        self.outbox: Outbox = None  # type: ignore[assignment]

    async def open(self, cap_bytes: int | None = None) -> Outbox:
        self.store = await Store.open(self.directory, cap_bytes=cap_bytes or self.cap_bytes, clock=self.clock)
        self.outbox = await Outbox.open(self.store, clock=self.clock)
        return self.outbox

    async def close(self) -> None:
        if self.outbox:
            await self.outbox.close()
            await self.store.close()

    async def reopen(self, cap_bytes: int | None = None) -> Outbox:
        await self.close()
        return await self.open(cap_bytes)

    async def rows(self) -> dict[tuple[bytes, int], bytes]:
        """What is in the file."""
        query = "SELECT epoch, number, payload FROM outbox ORDER BY id"
        found = await self.store.run(lambda connection: connection.execute(query).fetchall())
        return {(epoch, number): payload for epoch, number, payload in found}

    async def events(self) -> list[Event]:
        query = "SELECT payload FROM outbox WHERE kind = ? ORDER BY id"
        found = await self.store.run(lambda connection: connection.execute(query, (ROW_KIND_EVENT,)).fetchall())
        return [Event.FromString(payload) for (payload,) in found]

    async def reports(self) -> list[Event]:
        """What was told of drops and damage."""
        query = "SELECT payload FROM outbox WHERE kind = ? AND weight = ? ORDER BY id"
        values = (ROW_KIND_EVENT, Weight.REPORT)
        found = await self.store.run(lambda connection: connection.execute(query, values).fetchall())
        return [Event.FromString(payload) for (payload,) in found]

    async def balance(self) -> None:
        """The books must balance whenever nothing is under way."""
        figures = await self.outbox.figures()
        gone = figures.rows_acknowledged + sum(figures.rows_dropped.values()) + figures.rows_aside + figures.rows_lost
        assert figures.rows_written == gone + figures.depth, figures


def snapshots(count: int, weight: Weight = Weight.FULL, size: int = 100, mark: str = "") -> list[NewRow]:
    return [NewRow(1, f"{mark}{number}:".encode().ljust(size, b"."), weight) for number in range(count)]


@pytest.fixture
async def bench(tmp_path):
    made = Bench(tmp_path / "state", 4_000_000)
    await made.open()
    yield made
    await made.close()


@pytest.fixture(name="snapshots")
def give_snapshots():
    return snapshots


@pytest.fixture
def make_bench():
    return Bench

"""The outbox against a dict, in any order of operations, with kills, restarts and restored backups."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from dca.store import Store
from dca.telemetry import NewRow, Outbox, RowName, Weight

WEIGHTS = st.sampled_from(list(Weight))
ROWS = st.lists(st.tuples(WEIGHTS, st.binary(max_size=300)), max_size=12)
STRANGER = RowName(b"stranger's epoch", 1)


class Machine(RuleBasedStateMachine):
    """What is in `waiting` must be in the outbox, byte by byte, and nothing else."""

    @initialize()
    def start(self):
        self.runner = asyncio.Runner()
        self.root = Path(tempfile.mkdtemp(prefix="dca-test-"))
        self.turn = 0
        self.directory = self.root / "0"
        self.waiting: dict[RowName, bytes] = {}
        self.names: set[RowName] = set()
        self.epochs: set[bytes] = set()
        self.backup: tuple[Path, dict[RowName, bytes]] | None = None
        self.open()

    def teardown(self):
        if hasattr(self, "runner"):
            self.close()
            self.runner.close()
            shutil.rmtree(self.root)

    def open(self):
        async def opened():
            self.store = await Store.open(self.directory, cap_bytes=8 << 20)
            self.outbox = await Outbox.open(self.store)

        self.runner.run(opened())
        assert self.outbox.epoch not in self.epochs
        self.epochs.add(self.outbox.epoch)
        self.number = 0

    def close(self):
        async def closed():
            await self.outbox.close()
            await self.store.close()

        self.runner.run(closed())

    def copy(self) -> Path:
        """What a kill leaves: the files as they are while they are open."""
        self.turn += 1
        target = self.root / str(self.turn)
        shutil.copytree(self.directory, target)
        return target

    @rule(rows=ROWS)
    def put(self, rows):
        result = self.runner.run(self.outbox.put([NewRow(1, payload, weight) for weight, payload in rows]))
        assert result == (len(rows), 0, 0)
        for _, payload in rows:
            self.number += 1
            name = RowName(self.outbox.epoch, self.number)
            assert name not in self.names
            self.names.add(name)
            self.waiting[name] = payload

    @rule(limit=st.integers(1, 20), max_bytes=st.integers(1, 2000))
    def take(self, limit, max_bytes):
        batch = self.runner.run(self.outbox.take(limit, max_bytes))
        expected = list(self.waiting.items())[: len(batch.rows)]
        assert [(row.name, row.payload) for row in batch.rows] == expected
        assert batch.backlog == len(self.waiting) - len(batch.rows)
        assert 1 <= len(batch.rows) <= limit or not self.waiting
        assert len(batch.rows) <= 1 or sum(len(row.payload) for row in batch.rows) <= max_bytes

    @rule(data=st.data())
    def acknowledge(self, data):
        some = self.some(data)
        gone = self.runner.run(self.outbox.acknowledge([*some, STRANGER]))
        assert gone == len(some)
        for name in some:
            del self.waiting[name]

    @rule(data=st.data())
    def set_aside(self, data):
        some = self.some(data)
        assert self.runner.run(self.outbox.set_aside(dict.fromkeys([*some, STRANGER], "no"))) == len(some)
        for name in some:
            del self.waiting[name]

    def some(self, data) -> list[RowName]:
        if not self.waiting:
            return []
        return data.draw(st.lists(st.sampled_from(list(self.waiting)), unique=True, max_size=15))

    @rule()
    def restart(self):
        self.close()
        self.open()

    @rule()
    def kill(self):
        left = self.copy()
        self.close()
        self.directory = left
        self.open()

    @rule()
    def back_up(self):
        self.backup = (self.copy(), dict(self.waiting))

    @precondition(lambda self: self.backup)
    @rule()
    def restore(self):
        self.close()
        (self.directory, self.waiting), self.backup = self.backup, None
        self.open()

    @invariant()
    def the_file_holds_what_the_model_holds(self):
        query = "SELECT epoch, number, payload FROM outbox ORDER BY id"
        found = self.runner.run(self.store.run(lambda connection: connection.execute(query).fetchall()))
        assert [(RowName(epoch, number), payload) for epoch, number, payload in found] == list(self.waiting.items())

    @invariant()
    def the_books_balance(self):
        figures = self.runner.run(self.outbox.figures())
        assert figures.depth == len(self.waiting)
        assert figures.rows_written == figures.rows_acknowledged + figures.rows_aside + figures.depth
        assert figures.rows_dropped == {}
        assert figures.rows_lost == 0


TestOutbox = Machine.TestCase
TestOutbox.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)

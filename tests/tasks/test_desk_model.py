"""The desk in any order of deliveries, repetitions, kills, restarts, approvals, cancellations and clock steps."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from dca.tasks.ledger import entries
from dca.tasks.spool import Answer, Spool
from dca.tasks.states import FINAL
from tests.tasks.counter import NOON, Counter, Tools, body

KINDS = st.sampled_from(["look", "survey", "restart"])
WAIT = '{"text": "wait"}'


class Machine(RuleBasedStateMachine):
    """Whatever happens: what changes something is begun once at most, and an end stays an end."""

    @initialize()
    def start(self):
        self.runner = asyncio.Runner()
        self.root = Path(tempfile.mkdtemp(prefix="dca-test-"))
        self.counter = Counter(self.root / "state")
        self.counter.policy.actions["survey"] = "ask"
        self.asked = {}
        self.cancelled = set()
        self.ends = {}
        self.runs(self.counter.open(run=False))

    def teardown(self):
        if hasattr(self, "runner"):
            try:
                self.runs(self.settle())
            finally:
                self.runs(self.counter.close())
                self.runner.close()
                shutil.rmtree(self.root)

    def runs(self, work):
        return self.runner.run(work)

    async def settle(self):
        """Let everything end: then every task has an end, and the hub was told exactly this one."""
        self.counter.desk.use(self.counter.policy, Tools())
        for _ in range(20):
            for task_id in self.asked:
                self.counter.works.let_end(task_id)
            await self.spin()
            await self.counter.look_again()
        self.counter.clock.pass_by(9 * 86_400)
        await self.counter.look_again()
        await self.spin()
        for task_id in self.asked:
            finals = [one for one in await self.counter.results(task_id) if one.state in FINAL]
            assert len(finals) == 1, finals
            assert task_id not in self.ends or finals[0].state == self.ends[task_id]

    async def spin(self):
        """Let everything that can go on go on."""
        for _ in range(5):
            await self.counter.store.run(lambda _: None)
            await asyncio.sleep(0)

    @rule(kind=KINDS, wait=st.booleans(), later=st.sampled_from([0, 60]))
    def deliver(self, kind, wait, later):
        now = self.counter.clock.now
        made = body(
            kind,
            number=len(self.asked) + 1,
            parameters=WAIT if wait else "{}",
            issued_at=now,
            not_before=now + later,
            expires=now + 600,
        )
        self.asked[made.id] = made
        self.runs(self.counter.ask(made))

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), times=st.integers(1, 4))
    def deliver_again(self, data, times):
        some = data.draw(st.lists(st.sampled_from(list(self.asked.values())), min_size=1, max_size=4))

        async def at_once():
            await asyncio.gather(*(self.counter.ask(made) for made in some * times))

        self.runs(at_once())

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def deliver_and_kill_meanwhile(self, data):
        made = data.draw(st.sampled_from(list(self.asked.values())))
        turns = data.draw(st.integers(0, 12))

        async def work():
            taking = asyncio.create_task(self.counter.ask(made))
            for _ in range(turns):
                await asyncio.sleep(0)
            await self.counter.kill()
            await asyncio.gather(taking, return_exceptions=True)
            await self.counter.open(run=False)

        self.runs(work())

    @rule(use=st.booleans())
    def kill(self, use):
        self.runs(self.counter.kill())
        self.runs(self.counter.open(run=False, use=use))

    @rule()
    def stop_and_start(self):
        self.runs(self.counter.close())
        self.runs(self.counter.open(run=False))

    @rule()
    def reload(self):
        self.runs(self.counter.desk.let_go(0.0))
        self.counter.desk.use(self.counter.policy, Tools())

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), approve=st.booleans())
    def answer(self, data, approve):
        task_id = data.draw(st.sampled_from(list(self.asked)))
        Spool(self.counter.directory).put(Answer(task_id, approve=approve, by="peter"))

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def cancel(self, data):
        task_id = data.draw(st.sampled_from(list(self.asked)))
        now = self.counter.clock.now
        order = body(
            "cancel",
            number=99,
            parameters=json.dumps({"task": task_id}),
            issued_at=now,
            not_before=now,
            expires=now + 600,
        )
        self.runs(self.counter.ask(order))

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def let_end(self, data):
        self.counter.works.let_end(data.draw(st.sampled_from(list(self.asked))))

    @rule(seconds=st.sampled_from([1, 61, 700, -300]))
    def time_passes(self, seconds):
        self.counter.clock.now = max(self.counter.clock.now + seconds, NOON)
        self.counter.clock.ticks += abs(seconds)

    @rule()
    def look(self):
        async def work():
            await self.counter.look_again()
            await self.spin()

        self.runs(work())

    @invariant()
    def nothing_that_changes_is_begun_twice(self):
        if not hasattr(self, "counter"):
            return
        for task_id, made in self.asked.items():
            begun = self.counter.works.started.count(task_id)
            assert begun <= 1 or made.kind != "restart", made.kind

    @invariant()
    def an_end_stays_an_end(self):
        if not hasattr(self, "counter"):
            return
        for entry in self.runs(self.counter.store.run(lambda connection: entries(connection, 1000))):
            if entry.task_id in self.ends:
                assert entry.state == self.ends[entry.task_id]
            elif entry.state in FINAL:
                self.ends[entry.task_id] = entry.state


TestDesk = Machine.TestCase
TestDesk.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)

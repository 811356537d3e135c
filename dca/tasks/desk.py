"""Where the hub's tasks come in: remembered, put to the customer's policy, begun, and answered.

A task is in the record before anything is done about it, and its beginning is on the disk before its handler starts.
So it is done once, however often and by whichever way it comes in, and after a kill it is known which one was under
way. What has begun and changes something is never begun again.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
from typing import TYPE_CHECKING

from dca.contract.tasks import MAX_LIFE
from dca.errors import AuditError, StoreError, TaskError
from dca.tasks.approvals import Approvals
from dca.tasks.book import Book
from dca.tasks.canceller import Canceller
from dca.tasks.cases import Cases, details_of
from dca.tasks.floor import CANCEL, Floor
from dca.tasks.journal import Journal
from dca.tasks.judge import Item, Judged, judge
from dca.tasks.kinds import kinds as every_kind
from dca.tasks.ledger import Entry
from dca.tasks.refusals import Refusals
from dca.tasks.restart import adopt
from dca.tasks.spool import Spool
from dca.tasks.states import FINAL, Outcome, State
from dca.tasks.verify import Asked, check, open_task

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from dca.store import Store
    from dca.tasks.kind import Kind, Order, Result, Tools
    from dca.tasks.parties import Auditor, Clocks, Decider
    from dca.tasks.runner import Run
    from dca.telemetry import Outbox

__all__ = ["Desk"]

_log = logging.getLogger(__name__)

_LOOK = 1.0
"""Seconds between two looks at the spool and at what waits."""
_TIDY = 60.0
"""Seconds between two looks at what the record holds and nobody has at hand."""


class Desk:
    """Takes tasks, from `open` to `close`, through every reload of the config.

    `task_key` is the hub's (Ed25519, 32 bytes); `offset` gives the seconds that the hub's clock is ahead of this one;
    `on_result` hears that a row for the hub waits in the outbox; `most_at_once` limits what runs side by side.
    Nothing begins before `use`.
    """

    def __init__(
        self,
        store: Store,
        outbox: Outbox,
        *,
        agent_id: str,
        task_key: bytes,
        audit: Auditor,
        clock: Clocks,
        on_result: Callable[[], None],
        offset: Callable[[], float] = lambda: 0.0,
        kinds: Mapping[str, Kind] | None = None,
        most_at_once: int = 4,
    ) -> None:
        self._agent_id = agent_id
        self._key = task_key
        self._clock = clock
        self._offset = offset
        self._kinds = every_kind() if kinds is None else kinds
        journal = Journal(audit)
        self._cases = Cases(Book(store, outbox, clock.wall, on_result), journal)
        self._floor = Floor(most_at_once, self._tell, self._ended)
        self._canceller = Canceller(self._cases, self._floor, self._now)
        self._refusals = Refusals(outbox, journal, clock.monotonic)
        self._spool = Spool(store.directory)
        self._approvals = Approvals(self._cases, self._spool, self._advance)
        self._policy: Decider | None = None
        self._tools: Tools | None = None
        self._decide_anew = False
        self._tidied = clock.monotonic()
        self._wake = asyncio.Event()
        self._work: set[asyncio.Task[None]] = set()
        self._fault = ""

    async def open(self) -> None:
        """Bring every task that an earlier run has not ended into a known state; none of them begins before `use`.

        Raises:
            StoreError: the record or the spool cannot be read or written.
        """
        self._spool.prepare()
        await self._cases.book.open(self._now())
        await adopt(self._cases, self._kinds)

    async def take(self, data: bytes) -> None:
        """Take one serialized `Task` and return when it is remembered; what is none is refused, and not raised.

        Finished even when the caller is cancelled.

        Raises:
            StoreError: it cannot be remembered, so it is to be given again later.
        """
        if self._cases.closing.is_set():
            raise StoreError("the agent is stopping; its next start takes the task")
        try:
            asked = open_task(data, self._key)
        except TaskError as error:
            await self._refusals.add(error, len(data))
            return
        await asyncio.shield(self._spawn(self._receive(asked)))

    def use(self, policy: Decider, tools: Tools) -> None:
        """Decide by this policy and work with these tools from now on; what waits is decided anew."""
        self._policy, self._tools = policy, tools
        self._decide_anew = True
        self._wake.set()

    async def let_go(self, grace: float) -> None:
        """Let go of the tools, before a reload: nothing begins until `use`, what runs has `grace` seconds to end.

        After that, what only looks is put back and begins again at `use`; what changes something has failed.
        """
        async with self._cases.moving:
            self._tools = None
        await self._floor.clear(grace)

    async def run(self) -> None:
        """Move on what waits, take approvals, forget what is old; until cancelled."""
        while True:
            self._wake.clear()
            try:
                await self._round()
                self._fault = ""
            except (StoreError, AuditError) as error:
                if str(error) != self._fault:
                    self._fault = str(error)
                    _log.error("tasks have to wait: %s", error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    await self._wake.wait()

    async def close(self, grace: float) -> None:
        """Take nothing more, let what runs end within `grace` seconds, and write how everything stands."""
        self._cases.closing.set()
        await self.let_go(grace)
        while self._work:
            await asyncio.wait(set(self._work))
        await self._cases.journal.close()

    def _now(self) -> float:
        """Return the hub's time."""
        return self._clock.wall() + self._offset()

    async def _receive(self, asked: Asked) -> None:
        book = self._cases.book
        async with self._cases.moving:
            if not book.knows(asked.id):
                try:
                    await self._remember(asked)
                except TaskError as error:
                    if error.code == "anew":  # the state file was damaged, and a fresh one took its place
                        await book.open(self._now())
                        await self._remember(asked)
                return
        if asked.id not in self._cases.open:
            with contextlib.suppress(StoreError):  # it is remembered, which is what counts
                await book.tell_again(asked.id)

    async def _remember(self, asked: Asked) -> None:
        """Take a task that did not come in before. Raises TaskError (``known``, ``anew``) and StoreError."""
        entry = Entry(
            asked.id,
            min(asked.number, 2**63 - 1),
            asked.kind,
            device_id=asked.device_id,
            requested_by=asked.requested_by,
            role=asked.role,
            reason=asked.reason,
            issued_at=asked.issued_at,
            expires_at=asked.expires,
            received_at=self._clock.wall(),
            body=asked.body,
        )
        try:
            began = self._cases.book.began
            found = check(asked, self._kinds, agent_id=self._agent_id, now=self._now(), began=began)
        except TaskError as error:
            state = State.EXPIRED if error.code == "expired" else State.REFUSED
            expires = min(asked.expires, entry.received_at + MAX_LIFE)
            entry = dataclasses.replace(entry, expires_at=expires)
            self._cases.ended(await self._cases.book.add(entry, Outcome(state, str(error), error.code)))
            return
        await self._advance(Item(asked, *found, entry), new=True)

    async def _advance(self, item: Item, *, new: bool = False) -> None:
        """Do what is to be done about a task that does not run. Raises as `Book.add` and `Book.save` do."""
        if self._policy is None or self._tools is None or self._cases.closing.is_set():
            if new:
                item.entry = await self._cases.book.add(item.entry, None)
                self._cases.open[item.asked.id] = item
            return
        free = self._floor.free or item.kind.name == CANCEL
        registry = self._tools.registry
        judged = judge(item, self._policy, registry, now=self._now(), wall=self._clock.wall(), free=free)
        if new or Outcome(item.entry.state, item.entry.text, item.entry.code) != judged.outcome.tidy():
            await self._follow(item, judged, new=new)

    async def _follow(self, item: Item, judged: Judged, *, new: bool) -> None:
        """Write what was decided into the record and the audit log, both at once, and do it when both are written."""
        cases, outcome = self._cases, judged.outcome
        write = cases.book.add if new else cases.book.save
        before = item.entry
        written, audited = await asyncio.gather(
            write(self._decided(before, judged), outcome), self._audit(item, judged), return_exceptions=True
        )
        if isinstance(written, BaseException):
            raise written
        item.entry = written
        cases.open[item.asked.id] = item
        if isinstance(audited, AuditError):
            # As it was: where the disk does not take its end either, it is decided anew, and nobody waits for that.
            item.entry = dataclasses.replace(written, state=State.RECEIVED, code="", text="", begun=before.begun)
            text = f"no task is done while the agent's audit log cannot be written: {audited}"
            await cases.end_at_once(item, Outcome(State.REFUSED, text, "audit"))
        elif isinstance(audited, BaseException):
            raise audited
        elif outcome.state in FINAL:
            cases.ended(item.entry)
        elif outcome.state is State.RUNNING:
            self._begin(item, judged)

    def _decided(self, entry: Entry, judged: Judged) -> Entry:
        """Return how a task stands in the record when it was decided like this."""
        now = self._clock.wall()
        if judged.ruling is not None:
            entry = dataclasses.replace(entry, decided_at=now)
        if judged.outcome.state is State.RUNNING:
            entry = dataclasses.replace(entry, started_at=now, begun=entry.begun + 1)
        return entry

    async def _audit(self, item: Item, judged: Judged) -> None:
        """Write the policy's word into the audit log if it is a new one, and in any case before a task begins.

        Raises:
            AuditError: it cannot be written.
        """
        ruling = judged.ruling
        if ruling is None or (judged.outcome.state is not State.RUNNING and item.ruled == (ruling.action, ruling.why)):
            return
        where = f" at {judged.device.address}" if judged.device is not None else ""
        await self._cases.journal.write(
            "task_decided",
            f"{item.kind.name}{where}: {ruling.action}, {ruling.why}",
            who=f"hub:{item.asked.requested_by}",
            details={**details_of(item.entry), "action": ruling.action, "approved_by": item.entry.approved_by},
        )
        item.ruled = (ruling.action, ruling.why)

    def _begin(self, item: Item, judged: Judged) -> None:
        tools = self._tools
        assert tools is not None

        async def handle(order: Order) -> Result:
            if item.kind.name == CANCEL:
                return await self._canceller.cancel(order)
            return await item.kind.run(order, tools)

        self._floor.begin(item, judged.device, handle)
        self._cases.journal.note("task_started", item.kind.name, who="agent", details=details_of(item.entry))

    async def _ended(self, item: Item, outcome: Outcome, run: Run) -> None:
        """Take what came of a run."""
        if run.stopped == "interrupted" and outcome.code == "interrupted" and not item.kind.changes:
            begun = item.entry.begun - 1
            item.entry = dataclasses.replace(item.entry, state=State.RECEIVED, code="", text="", begun=begun)
        else:
            await self._cases.end(item, outcome)
        self._wake.set()

    def _tell(self, task_id: str, line: str) -> None:
        self._spawn(self._cases.book.tell(task_id, Outcome(State.RUNNING, line)))

    async def _round(self) -> None:
        """Look once at everything that waits. Raises StoreError and AuditError."""
        await self._approvals.look()
        anew, self._decide_anew = self._decide_anew, False
        try:
            for item in sorted(self._cases.open.values(), key=lambda item: item.asked.number):
                if anew or self._may_move(item):
                    async with self._cases.moving:
                        if item.asked.id in self._cases.open and item.entry.state is not State.RUNNING:
                            await self._advance(item)
        except StoreError:
            self._decide_anew = anew
            raise
        if self._clock.monotonic() - self._tidied >= _TIDY:
            self._tidied = self._clock.monotonic()
            await adopt(self._cases, self._kinds)
            await self._cases.book.prune(self._now())

    def _may_move(self, item: Item) -> bool:
        """Tell whether a task could have come to something else without a new policy or an approval."""
        entry = item.entry
        return entry.state is State.RECEIVED or entry.code in {"busy", "not_before"} or self._now() >= entry.expires_at

    def _spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, StoreError):
            _log.error("a task was not taken in order", exc_info=error)

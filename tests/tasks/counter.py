"""A desk to work at: hub, clocks, policy, devices and audit log, all made up; kinds whose handlers wait to be told."""

from __future__ import annotations

import asyncio
import dataclasses
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dca.contract.tasks import sign
from dca.discovery.registry import Registry
from dca.errors import AuditError
from dca.model import Known
from dca.store import Store
from dca.tasks.desk import Desk
from dca.tasks.kind import Kind
from dca.telemetry import Outbox
from dca.wire.report_pb2 import ROW_KIND_EVENT, ROW_KIND_TASK_RESULT, Event
from dca.wire.task_pb2 import TaskBody, TaskResult, TaskState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOON = 1_795_608_000.0  # 2026-11-25T12:00:00Z
AGENT = "5f0c8a1e-0000-4000-8000-000000000001"
DEVICE = "00000000000000d1"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()


class Clock:
    """Two clocks, moved by hand."""

    def __init__(self) -> None:
        self.now = NOON
        self.ticks = 0.0

    def wall(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.ticks

    def pass_by(self, seconds: float) -> None:
        self.now += seconds
        self.ticks += seconds


class Said(NamedTuple):
    action: str
    why: str = "rule 1"


class Policy:
    """Says of each kind what it was told to say."""

    def __init__(self, **actions: str) -> None:
        self.actions = actions
        self.asked: list[tuple[str, str | None, str]] = []

    def decide(self, kind, *, device, role, at):
        assert at.tzinfo is not None
        self.asked.append((kind.name, device and device.device_id, role))
        return Said(self.actions.get(kind.name, "allow"))


class Audit:
    def __init__(self) -> None:
        self.entries: list[tuple[str, str, str, dict[str, str]]] = []
        self.broken = False

    def append(self, what, text, *, who="agent", details=None):
        if self.broken:
            raise AuditError("the audit log cannot be written")
        self.entries.append((what, text, who, dict(details or {})))

    def whats(self, task_id: str) -> list[str]:
        return [what for what, _, _, details in self.entries if details.get("task") == task_id]


class Tools:
    def __init__(self) -> None:
        known = Known(DEVICE, "127.0.0.2", 161, "office", "public", "2c")
        self.registry = Registry([known])


@dataclass(frozen=True)
class Words:
    text: str = ""


@dataclass(frozen=True)
class Target:
    task: str


@dataclass
class Works:
    """The handlers. Each start is noted; one with the text ``wait`` waits until it is let go, others end at once."""

    started: list[str] = dataclasses.field(default_factory=list)
    ended: list[str] = dataclasses.field(default_factory=list)
    gates: dict[str, asyncio.Event] = dataclasses.field(default_factory=dict)
    begun: dict[str, asyncio.Event] = dataclasses.field(default_factory=dict)
    orders: dict[str, Any] = dataclasses.field(default_factory=dict)
    act: dict[str, Any] = dataclasses.field(default_factory=dict)
    """By the text of the parameters: an async function of the order."""

    async def run(self, order, _tools):
        self.started.append(order.id)
        self.orders[order.id] = order
        self.begun.setdefault(order.id, asyncio.Event()).set()
        text = order.parameters.text
        if text in self.act:
            return await self.act[text](order)
        if text == "wait":
            await self.gates.setdefault(order.id, asyncio.Event()).wait()
        self.ended.append(order.id)
        return {"text": text}

    async def wait_for(self, task_id: str) -> None:
        async with asyncio.timeout(10):
            await self.begun.setdefault(task_id, asyncio.Event()).wait()

    def let_end(self, task_id: str) -> None:
        self.gates.setdefault(task_id, asyncio.Event()).set()


async def _never(_order, _tools):
    raise AssertionError("the desk does this itself")


def kinds_of(works: Works) -> dict[str, Kind]:
    def kind(name: str, **more: Any) -> Kind:
        return Kind(name, "Does it.", Words, "allow", more.pop("limit", 60), works.run, **more)

    made = [
        kind("look"),
        kind("survey", on_device=False),
        kind("restart", changes=True),
        kind("brief", on_device=False, limit=0.05),
        Kind("cancel", "Ends another.", Target, "allow", 30, _never, on_device=False),
    ]
    return {one.name: one for one in made}


def body(kind: str = "look", **fields: Any) -> TaskBody:
    """Return a task that is in order but for `fields`; times are Unix seconds."""
    times = {"issued_at": NOON, "not_before": NOON, "expires": NOON + 3600}
    times |= {name: fields.pop(name) for name in list(fields) if name in times}
    values = {
        "id": str(uuid.uuid4()),
        "agent_id": AGENT,
        "number": 1,
        "kind": kind,
        "device_id": "" if kind in {"survey", "brief", "cancel"} else DEVICE,
        "requested_by": "jane",
        "reason": "ticket 7",
        "role": "support",
    }
    made = TaskBody(**(values | fields))
    for name, seconds in times.items():
        if seconds is not None:
            getattr(made, name).FromMicroseconds(int(seconds * 1e6))
    return made


def signed(made: TaskBody, key: Ed25519PrivateKey = KEY) -> bytes:
    return sign(made, key).SerializeToString()


class Counter:
    """One agent's desk in a state directory; it can be closed, killed and opened again."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.clock = Clock()
        self.audit = Audit()
        self.policy = Policy()
        self.works = Works()
        self.offset = 0.0
        self.results_heard = 0
        self.most_at_once = 4
        self.desk: Desk = None  # type: ignore[assignment]
        self.running: asyncio.Task[None] | None = None

    async def open(self, *, use: bool = True, run: bool = True) -> Desk:
        self.store = await Store.open(self.directory, clock=self.clock.wall)
        self.outbox = await Outbox.open(self.store, clock=self.clock.wall)
        self.desk = Desk(
            self.store,
            self.outbox,
            agent_id=AGENT,
            task_key=PUBLIC,
            audit=self.audit,
            clock=self.clock,
            on_result=self._heard,
            offset=lambda: self.offset,
            kinds=kinds_of(self.works),
            most_at_once=self.most_at_once,
        )
        await self.desk.open()
        if use:
            self.desk.use(self.policy, Tools())
        if run:
            self.running = asyncio.create_task(self.desk.run())
        return self.desk

    async def close(self, grace: float = 0.0) -> None:
        await self._stop_loop()
        if self.desk is not None:
            await self.desk.close(grace)
            await self.outbox.close()
            await self.store.close()
            self.desk = None  # type: ignore[assignment]

    async def kill(self) -> None:
        """End it as a kill does: nothing is written any more."""
        await self._stop_loop()
        await self.store.close()
        for one in list(self.desk._floor._running.values()):
            one.run.stop("interrupted")
        await self.desk.close(0.0)
        assert not self.desk._floor._running
        await self.outbox._salvager.close()
        self.desk = None  # type: ignore[assignment]

    async def _stop_loop(self) -> None:
        if self.running is not None:
            self.running.cancel()
            await asyncio.gather(self.running, return_exceptions=True)
            self.running = None

    def _heard(self) -> None:
        self.results_heard += 1

    async def ask(self, made: TaskBody) -> str:
        """Give the desk a task and return its id."""
        await self.desk.take(signed(made))
        return made.id

    async def look_again(self) -> None:
        """Let the desk do one round, as it does every second."""
        await self.desk._round()

    async def results(self, task_id: str | None = None) -> list[TaskResult]:
        found = [TaskResult.FromString(payload) for payload in await self._payloads(ROW_KIND_TASK_RESULT)]
        return [one for one in found if task_id is None or one.task_id == task_id]

    async def states(self, task_id: str) -> list[str]:
        names = [TaskState.Name(one.state) for one in await self.results(task_id)]
        return [name.removeprefix("TASK_STATE_").lower() for name in names]

    async def last(self, task_id: str) -> TaskResult:
        return (await self.results(task_id))[-1]

    async def events(self) -> list[Event]:
        return [Event.FromString(payload) for payload in await self._payloads(ROW_KIND_EVENT)]

    async def until(self, task_id: str, state: str) -> TaskResult:
        """Wait until the hub would know that the task is in `state`."""
        await self.poll(lambda states: state in states, task_id)
        return await self.last(task_id)

    async def poll(self, wanted: Callable[[list[str]], bool], task_id: str) -> None:
        """Wait until the states that were told of a task are as `wanted`."""
        async with asyncio.timeout(10):
            while not wanted(await self.states(task_id)):  # noqa: ASYNC110 - the outbox tells nobody
                await asyncio.sleep(0)

    async def _payloads(self, kind: int) -> list[bytes]:
        query = "SELECT payload FROM outbox WHERE kind = ? ORDER BY id"
        return [
            payload
            for (payload,) in await self.store.run(lambda connection: connection.execute(query, (kind,)).fetchall())
        ]

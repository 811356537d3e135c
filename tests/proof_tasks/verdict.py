"""What became of every task: by the hub's record, by each row that the agent sent, and by what the devices saw."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dca.hub.ingest.results import DONE_TWICE
from dca.hub.tasks.states import FINAL, STATES, state_word
from dca.wire.report_pb2 import ROW_KIND_TASK_RESULT
from dca.wire.task_pb2 import TaskResult

if TYPE_CHECKING:
    import asyncpg

    from tests.proof_tasks.site import Site

__all__ = ["Verdict", "judge"]

TASKS = "SELECT id, kind, state, code, text, reason, device_id, parameters FROM tasks WHERE kind <> 'cancel'"
CANCELS = "SELECT count(*) FROM tasks WHERE kind = 'cancel'"
OPEN = f"SELECT count(*) FROM tasks WHERE NOT state = ANY(ARRAY[{', '.join(str(int(one)) for one in sorted(FINAL))}])"


@dataclass
class Verdict:
    tasks: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    """By the word of the state."""
    codes: Counter[str] = field(default_factory=Counter)
    """By state and code, of what was not done."""
    cancels: int = 0
    """Tasks of kind cancel, beside the others."""
    lost: int = 0
    """Never came to an end, or are done by the agent's word and not by the device's."""
    twice: int = 0
    """Done a second time, by the agent's word or by the device's."""
    untrue: int = 0
    """Reported as never begun, and the device was written to all the same."""
    notes: list[str] = field(default_factory=list)


async def judge(site: Site, expected: int) -> Verdict:
    """Compare what the hub holds with what the devices wrote down; `expected` tasks were asked for."""
    asker = site.asker
    tasks = await asker.rows(TASKS)
    verdict = Verdict(len(tasks), cancels=await asker.value(CANCELS))
    verdict.lost = max(expected - len(tasks), 0)
    verdict.lost += await asker.value(f"{OPEN} AND kind = 'cancel'")
    done = await _ends_told(site)
    told_twice = {row[0] for row in await asker.rows("SELECT task FROM task_events WHERE code = $1", DONE_TWICE)}
    written = _sets(site)
    for task in tasks:
        times = len(done[str(task["id"])])
        if times > 1 or task["id"] in told_twice:
            verdict.twice += 1
            verdict.notes.append(f"task {task['reason']} was reported done {times} times")
        _judge_one(verdict, task, written[_key(site, task)])
    return verdict


def _judge_one(verdict: Verdict, task: asyncpg.Record, sets: int) -> None:
    word, name = state_word(task["state"]), f"task {task['reason']} ({task['kind']} {task['id']})"
    verdict.ends[word] += 1
    if word != "done":
        verdict.codes[f"{word}/{task['code']}"] += 1
        if word in {"refused", "failed"}:
            verdict.notes.append(f"{name} is {word}: {task['text']}")
    if task["state"] not in FINAL:
        verdict.lost += 1
        verdict.notes.append(f"{name} has come to no end: {word}")
    if task["kind"] not in {"panel_message", "device_restart"}:
        return
    if sets > 1:
        verdict.twice += 1
        verdict.notes.append(f"{name} was done {sets} times by the device's word")
    if word == "done" and not sets:
        verdict.lost += 1
        verdict.notes.append(f"{name} is done by the agent's word, and the device knows nothing")
    if word in {"expired", "refused"} and sets:
        verdict.untrue += 1
        verdict.notes.append(f"{name} is {word}, and the device was written to")


async def _ends_told(site: Site) -> defaultdict[str, set[int]]:
    """Return for each task the different moments at which it was done, of every row that came."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    for (payload,) in await site.asker.rows("SELECT payload FROM rows WHERE kind = $1", int(ROW_KIND_TASK_RESULT)):
        told = TaskResult.FromString(payload)
        if told.state == STATES["done"]:
            found[told.task_id].add(told.at.ToNanoseconds())
    return found


def _sets(site: Site) -> Counter[str]:
    """Return how often each text was set, and each of the devices to restart was."""
    restarted = {device.host for device in site.victims}
    return Counter(line.host if line.host in restarted else line.value for line in site.written())


def _key(site: Site, task: asyncpg.Record) -> str:
    """Return by what the device knows this task: its text is its mark."""
    hosts = {device.id: device.host for device in site.victims}
    return hosts.get(task["device_id"], task["reason"])

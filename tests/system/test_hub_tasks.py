"""Tasks at the hub on real PostgreSQL servers: made, handed out, told of, cancelled, expired."""

from __future__ import annotations

import asyncio
import itertools
import json
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from dca.contract.tasks import is_signed
from dca.errors import HubError
from dca.hub.agents import AgentRef
from dca.hub.database import connect
from dca.hub.ingest.results import DONE_TWICE
from dca.hub.tasks import expire, open_tasks
from dca.hub.tasks.handout import DUE
from dca.hub.tasks.issue import MAX_OPEN
from dca.hub.tasks.story import find_task, list_tasks, story_of
from dca.wire import task_pb2 as wire
from dca.wire.task_pb2 import TaskBody
from tests.hub.errands import MINUTE, Desk, add_agent, desk_on, tell, told
from tests.hub.office import NOON

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

DAY = timedelta(days=1)
POLICY = json.dumps({"read": "allow", "discover": "ask", "device_restart": "deny", "walk": "rules", "cancel": "allow"})


@pytest.fixture
async def desk(empty_database: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_on(empty_database, tmp_path) as made:
        yield made


@pytest.fixture
async def agent(desk: Desk) -> AgentRef:
    return await add_agent(desk.database, policy=POLICY)


# asking


async def test_a_task_is_signed_over_all_that_it_says_and_kept_with_who_asked_and_why(
    desk: Desk, agent: AgentRef
) -> None:
    made = await desk.ask(agent, device_id="d1", role="support", not_before=NOON + MINUTE, life=600)
    (task,) = await open_tasks(desk.database, agent.id, now=NOON)
    assert is_signed(task, desk.key.public())
    body = TaskBody.FromString(task.body)
    assert (body.id, body.agent_id, body.number) == (str(made.id), str(agent.agent_id), 1)
    assert (body.kind, json.loads(body.parameters), body.device_id) == ("read", {"kind": "full"}, "d1")
    assert (body.requested_by, body.role, body.reason) == ("ann", "support", "toner call 4711")
    times = (body.issued_at, body.not_before, body.expires)
    assert [stamp.ToDatetime(NOON.tzinfo) for stamp in times] == [NOON, NOON + MINUTE, NOON + 11 * MINUTE]
    story = await story_of(desk.database, made.id)
    assert story is not None
    assert [(e["by"], e["code"], e["text"]) for e in story.events] == [("ann", "asked", "toner call 4711")]


async def test_numbers_count_up_for_each_agent(desk: Desk, agent: AgentRef) -> None:
    other = await add_agent(desk.database, "warehouse-pc")
    assert [(await desk.ask(agent)).number for _ in range(3)] == [1, 2, 3]
    assert (await desk.ask(other)).number == 1


async def test_a_refused_wish_takes_no_number_and_leaves_nothing(desk: Desk, agent: AgentRef) -> None:
    with pytest.raises(HubError, match="denies device_restart"):
        await desk.ask(agent, "device_restart")
    assert (await desk.ask(agent)).number == 1
    assert await desk.database.fetchval("SELECT count(*) FROM tasks") == 1


async def test_what_the_policy_denies_is_asked_only_when_that_is_meant(desk: Desk, agent: AgentRef) -> None:
    assert (await desk.ask(agent, "device_restart", anyway=True)).policy == "deny"
    assert (await desk.ask(agent, "walk")).policy == "rules"


async def test_a_kind_that_the_agent_does_not_know_is_not_asked(desk: Desk, agent: AgentRef) -> None:
    with pytest.raises(HubError, match=r"did you mean discover\?"):
        await desk.ask(agent, "discovr")
    with pytest.raises(HubError, match="knows no kind of task 'zzz'"):
        await desk.ask(agent, "zzz")
    new = await add_agent(desk.database, "new-pc")
    assert (await desk.ask(new, "discovr")).policy == ""


async def test_a_revoked_or_unknown_agent_gets_no_task(desk: Desk) -> None:
    revoked = await add_agent(desk.database, revoked_at=NOON)
    with pytest.raises(HubError, match="is revoked"):
        await desk.ask(revoked)
    with pytest.raises(HubError, match="there is no agent"):
        await desk.ask(AgentRef(99, uuid4(), "ghost", "Office"))


async def test_an_agent_that_takes_nothing_is_not_buried_in_tasks(desk: Desk, agent: AgentRef) -> None:
    first = await desk.ask(agent)
    await desk.database.execute(
        "INSERT INTO tasks (id, agent, number, kind, parameters, requested_by, role, reason, issued_at, not_before,"
        " expires_at, body, signature) SELECT gen_random_uuid(), agent, 1 + n, kind, parameters, requested_by, role,"
        " reason, issued_at, not_before, expires_at, body, signature FROM tasks, generate_series(1, $1) n",
        MAX_OPEN - 1,
    )
    with pytest.raises(HubError, match="1000 tasks wait"):
        await desk.ask(agent)
    await tell(desk.database, agent, [told(first.id, wire.TASK_STATE_DONE, 1)])
    await desk.database.execute("UPDATE agents SET policy = $1, task_number = 5000", POLICY)
    await desk.ask(agent)


async def test_tasks_of_one_agent_made_at_once_have_numbers_of_their_own(
    desk: Desk, empty_database: str, agent: AgentRef
) -> None:
    connections = [await connect(empty_database) for _ in range(4)]
    desks = [Desk(connection, desk.key) for connection in connections]
    made = await asyncio.gather(*(one.ask(agent) for one in desks))
    assert sorted(task.number for task in made) == [1, 2, 3, 4]
    for connection in connections:
        await connection.close()


# handing out


async def test_tasks_are_handed_out_in_order_until_the_agent_tells_of_them(desk: Desk, agent: AgentRef) -> None:
    made = [(await desk.ask(agent)).id for _ in range(3)]
    assert await desk.handed(agent) == made
    await tell(desk.database, agent, [told(made[0], wire.TASK_STATE_WAITING, 1)])
    assert await desk.handed(agent) == made[1:]
    assert await desk.handed(agent, NOON + timedelta(hours=2)) == []
    other = await add_agent(desk.database, "warehouse-pc")
    assert await desk.handed(other) == []


async def test_an_answer_holds_no_more_than_it_should(
    desk: Desk, agent: AgentRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [(await desk.ask(agent, parameters={"text": "x" * 2000})).id for _ in range(4)]
    monkeypatch.setattr("dca.hub.tasks.handout.MAX_BYTES", 5000)
    assert await desk.handed(agent) == made[:2]
    assert await desk.database.fetchval("SELECT count(*) FROM tasks WHERE handed_at IS NOT NULL") == 2
    assert len(await open_tasks(desk.database, agent.id, 1, now=NOON)) == 1


async def test_with_nothing_to_hand_out_one_index_is_looked_at(desk: Desk, agent: AgentRef) -> None:
    await desk.database.execute("SET enable_seqscan = off")
    plan = "\n".join(line[0] for line in await desk.database.fetch("EXPLAIN " + DUE, agent.id, NOON, 50))
    assert "tasks_open" in plan


# what agents tell


async def test_a_task_goes_through_its_states_and_its_end_stays(desk: Desk, agent: AgentRef) -> None:
    made = await desk.ask(agent)
    await tell(desk.database, agent, [told(made.id, wire.TASK_STATE_RUNNING, 1, text="3 of 9")])
    assert await desk.state(made.id) == (wire.TASK_STATE_RUNNING, "3 of 9", "")
    end = told(made.id, wire.TASK_STATE_DONE, 2, at=NOON - MINUTE, text="read", result='{"pages": 7}')
    late = told(made.id, wire.TASK_STATE_RUNNING, 3, at=NOON + MINUTE)
    failed = told(made.id, wire.TASK_STATE_FAILED, 4, at=NOON + MINUTE, code="failed")
    await tell(desk.database, agent, [end, late])
    await tell(desk.database, agent, [failed])
    assert await desk.state(made.id) == (wire.TASK_STATE_DONE, "read", "")
    assert await desk.database.fetchval("SELECT result->>'pages' FROM tasks") == "7"
    assert await desk.codes(made.id) == ["asked", "", "", "", "failed"]


async def test_the_same_row_twice_tells_nothing_new(desk: Desk, agent: AgentRef) -> None:
    made = await desk.ask(agent)
    row = told(made.id, wire.TASK_STATE_DONE, 1)
    await tell(desk.database, agent, [row])
    await tell(desk.database, agent, [row])
    again = told(made.id, wire.TASK_STATE_DONE, 2)  # the agent was asked again, and says the same again
    await tell(desk.database, agent, [again])
    assert await desk.codes(made.id) == ["asked", ""]


async def test_a_task_that_is_done_a_second_time_is_noticed(desk: Desk, agent: AgentRef) -> None:
    made = await desk.ask(agent)
    rows = [told(made.id, wire.TASK_STATE_DONE, 1), told(made.id, wire.TASK_STATE_DONE, 2, at=NOON + MINUTE)]
    await tell(desk.database, agent, rows)
    assert await desk.codes(made.id) == ["asked", "", "", DONE_TWICE]


async def test_nobody_tells_of_anothers_task(desk: Desk, agent: AgentRef) -> None:
    thief = await add_agent(desk.database, "other-pc")
    made, unknown = await desk.ask(agent), uuid4()
    rows = [told(made.id, wire.TASK_STATE_DONE, 1), told(unknown, wire.TASK_STATE_DONE, 2)]
    kept = await tell(desk.database, thief, rows)
    assert kept.fresh == 2
    assert (await desk.state(made.id))[0] == 0
    assert await desk.codes(made.id) == ["asked"]
    found = await desk.database.fetch("SELECT agent, name, text FROM events ORDER BY id")
    assert [(row["agent"], row["name"]) for row in found] == [(thief.id, "task_unknown")] * 2
    assert str(unknown) in found[1]["text"]


@pytest.mark.parametrize(
    ("result", "kept"),
    [
        ('{"a": "x\\u0000y\\ud800", "b": [1.5, null, true]}', {"a": "xy?", "b": [1.5, None, True]}),
        ("[1]", None),
        ('{"a": 1e999}', None),
        ('{"a": NaN}', None),
        ('{"a": ' + "[" * 5000 + "]" * 5000 + "}", None),
        ('{"a": ' + "9" * 4000 + "}", {"a": int("9" * 4000)}),
        ("{", None),
        ("\x00", None),
    ],
    ids=itertools.count(),
)
async def test_no_result_stops_a_report(desk: Desk, agent: AgentRef, result: str, kept: object) -> None:
    made = await desk.ask(agent)
    await tell(desk.database, agent, [told(made.id, wire.TASK_STATE_DONE, 1, text="ok\0", result=result)])
    row = await desk.database.fetchrow("SELECT state, text, result FROM tasks")
    assert row["state"] == wire.TASK_STATE_DONE
    assert (json.loads(row["result"]) if row["result"] else None) == kept
    assert row["text"].startswith("ok")
    assert ("no JSON object" in row["text"]) == (kept is None)


# ending


async def test_what_was_never_handed_out_is_cancelled_at_once(desk: Desk, agent: AgentRef) -> None:
    made = await desk.ask(agent)
    assert (await desk.cancel(made.id)).by is None
    assert await desk.state(made.id) == (wire.TASK_STATE_CANCELLED, "no longer needed", "cancelled")
    assert await desk.handed(agent) == []
    with pytest.raises(HubError, match="is over: it is cancelled"):
        await desk.cancel(made.id)


async def test_what_the_agent_may_have_is_cancelled_by_a_task_of_its_own(desk: Desk, agent: AgentRef) -> None:
    made = await desk.ask(agent)
    await desk.handed(agent)
    by = (await desk.cancel(made.id)).by
    assert by is not None
    body = TaskBody.FromString(by.task.body)
    assert (body.kind, json.loads(body.parameters)) == ("cancel", {"task": str(made.id)})
    assert await desk.handed(agent, NOON + MINUTE) == [made.id, by.id]
    assert (await desk.state(made.id))[0] == 0
    with pytest.raises(HubError, match="being told already"):
        await desk.cancel(made.id)
    with pytest.raises(HubError, match="itself a cancellation"):
        await desk.cancel(by.id)
    await tell(desk.database, agent, [told(by.id, wire.TASK_STATE_FAILED, 1)])
    assert (await desk.cancel(made.id)).by is not None
    assert await desk.codes(made.id) == ["asked", "cancel_asked", "cancel_asked"]


async def test_what_was_never_told_of_expires_and_the_agents_word_wins_later(desk: Desk, agent: AgentRef) -> None:
    lost, waiting, running = [(await desk.ask(agent, life=60)).id for _ in range(3)]
    long = (await desk.ask(agent)).id
    await tell(
        desk.database,
        agent,
        [told(waiting, wire.TASK_STATE_WAITING, 1), told(running, wire.TASK_STATE_RUNNING, 2)],
    )
    assert await expire(desk.database, NOON + MINUTE) == 0
    assert await expire(desk.database, NOON + 2 * MINUTE) == 2
    assert await expire(desk.database, NOON + 3 * MINUTE) == 0
    states = [(await desk.state(task))[0] for task in (lost, waiting, running, long)]
    assert states == [wire.TASK_STATE_EXPIRED, wire.TASK_STATE_EXPIRED, wire.TASK_STATE_RUNNING, 0]
    await tell(desk.database, agent, [told(lost, wire.TASK_STATE_DONE, 3), told(waiting, wire.TASK_STATE_EXPIRED, 4)])
    await tell(desk.database, agent, [told(waiting, wire.TASK_STATE_DONE, 5)])
    assert [(await desk.state(task))[0] for task in (lost, waiting)] == [wire.TASK_STATE_DONE, wire.TASK_STATE_EXPIRED]


async def test_what_began_and_is_heard_of_no_more_ends_a_day_after_its_time(desk: Desk, agent: AgentRef) -> None:
    running = (await desk.ask(agent, life=60)).id
    await tell(desk.database, agent, [told(running, wire.TASK_STATE_RUNNING, 1)])
    assert await expire(desk.database, NOON + MINUTE + DAY) == 0
    assert await expire(desk.database, NOON + 2 * MINUTE + DAY) == 1
    assert (await desk.state(running))[0] == wire.TASK_STATE_EXPIRED
    await tell(desk.database, agent, [told(running, wire.TASK_STATE_DONE, 2)])
    assert (await desk.state(running))[0] == wire.TASK_STATE_DONE


# finding


async def test_tasks_are_found_by_the_beginning_of_their_id(desk: Desk, agent: AgentRef) -> None:
    made = [(await desk.ask(agent, device_id=f"d{n}", now=NOON + n * MINUTE)).id for n in range(3)]
    assert await find_task(desk.database, str(made[1])[:13].upper()) == made[1]
    for text, says in (("zz", "no task's id"), ("00", "no task's id"), (str(uuid4()), "there is no task")):
        with pytest.raises(HubError, match=says):
            await find_task(desk.database, text)
    await desk.database.execute("DELETE FROM task_events")
    await desk.database.execute("UPDATE tasks SET id = ('abcd' || substr(id::text, 5))::uuid")
    with pytest.raises(HubError, match="several tasks"):
        await find_task(desk.database, "abcd")
    found = await list_tasks(desk.database, 2)
    assert [row["device_id"] for row in found] == ["d2", "d1"]
    assert [row["device_id"] for row in await list_tasks(desk.database, 9, agent=agent.id, device_id="d0")] == ["d0"]
    assert await list_tasks(desk.database, 9, state=wire.TASK_STATE_DONE) == []

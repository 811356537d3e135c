"""The task that ends another one."""

from __future__ import annotations

import asyncio
import json

import pytest

from dca.tasks.states import Outcome, State
from tests.tasks.counter import Policy, Tools, body

WAIT = '{"text": "wait"}'


async def cancel(counter, task_id: str) -> dict:
    order = body("cancel", parameters=json.dumps({"task": task_id}))
    await counter.ask(order)
    return json.loads((await counter.until(order.id, "done")).result)


async def test_what_waits_is_cancelled_and_never_begun(counter):
    counter.policy.actions["restart"] = "ask"
    task_id = await counter.ask(body("restart"))
    found = await cancel(counter, task_id)
    assert (found["cancelled"], found["was"], found["state"]) == (True, "waiting", "cancelled")
    assert await counter.states(task_id) == ["waiting", "cancelled"]
    assert counter.works.started == []


async def test_what_runs_is_ended(counter):
    task_id = await counter.ask(body("look", parameters=WAIT))
    await counter.works.wait_for(task_id)
    found = await cancel(counter, task_id)
    assert (found["cancelled"], found["was"], found["state"]) == (True, "running", "cancelled")
    assert await counter.states(task_id) == ["running", "cancelled"]
    assert "not known" not in (await counter.last(task_id)).text
    assert counter.works.ended == []


async def test_of_what_was_changing_something_it_is_said_that_it_may_have_taken_effect(counter):
    task_id = await counter.ask(body("restart", parameters=WAIT))
    await counter.works.wait_for(task_id)
    await cancel(counter, task_id)
    assert "whether it took effect is not known" in (await counter.last(task_id)).text


async def test_what_has_ended_stays_as_it_is(counter):
    task_id = await counter.ask(body("look"))
    await counter.until(task_id, "done")
    found = await cancel(counter, task_id)
    assert (found["cancelled"], found["was"], found["state"]) == (False, "done", "done")
    assert await counter.states(task_id) == ["running", "done"]


async def test_one_that_comes_in_after_its_cancellation_is_not_done(counter):
    late = body("restart")
    found = await cancel(counter, late.id)
    assert (found["cancelled"], found["was"]) == (True, "unknown")
    await counter.ask(late)
    assert counter.works.started == []
    assert await counter.states(late.id) == ["cancelled"]


async def test_it_runs_although_every_place_is_taken(counter):
    ids = [await counter.ask(body("look", parameters=WAIT)) for _ in range(4)]
    await asyncio.gather(*(counter.works.wait_for(one) for one in ids))
    assert (await cancel(counter, ids[0]))["cancelled"]


@pytest.mark.parametrize("target", ["", "x", "1; DROP TABLE task"])
async def test_it_must_name_a_task(counter, target):
    order = body("cancel", parameters=json.dumps({"task": target}))
    await counter.ask(order)
    assert (await counter.until(order.id, "failed")).code == "bad_parameters"


async def test_it_does_not_cancel_itself(counter):
    order = body("cancel")
    order.parameters = json.dumps({"task": order.id})
    await counter.ask(order)
    assert (await counter.until(order.id, "failed")).code == "bad_parameters"


async def test_the_policy_decides_about_it_too(counter):
    counter.policy.actions["cancel"] = "deny"
    task_id = await counter.ask(body("look", parameters=WAIT))
    await counter.works.wait_for(task_id)
    order = body("cancel", parameters=json.dumps({"task": task_id}))
    await counter.ask(order)
    assert (await counter.last(order.id)).code == "denied"
    counter.works.let_end(task_id)
    await counter.until(task_id, "done")


async def test_a_handler_that_does_not_end_is_left_to_itself(counter, monkeypatch, caplog):
    monkeypatch.setattr("dca.tasks.runner._LAST_WORDS", 0.05)
    gate = asyncio.Event()

    async def stubborn(_order):
        while not gate.is_set():
            try:
                await gate.wait()
            except asyncio.CancelledError:
                continue
        return {}

    counter.works.act["stubborn"] = stubborn
    task_id = await counter.ask(body("look", parameters='{"text": "stubborn"}'))
    await counter.works.wait_for(task_id)
    assert (await cancel(counter, task_id))["cancelled"]
    assert "does not end when it is told to" in caplog.text
    gate.set()
    await asyncio.sleep(0)


async def test_one_that_is_cancelled_while_it_is_about_to_begin_does_not_begin(counter):
    await counter._stop_loop()
    counter.policy.actions["restart"] = "ask"
    task_id = await counter.ask(body("restart"))
    cases = counter.desk._cases
    counter.desk.use(Policy(restart="allow"), Tools())
    async with cases.moving:
        looking = asyncio.create_task(counter.look_again())
        await asyncio.sleep(0)
        await cases.end_at_once(cases.open[task_id], Outcome(State.CANCELLED, "by somebody", "cancelled"))
    await looking
    assert counter.works.started == []
    assert await counter.states(task_id) == ["waiting", "cancelled"]

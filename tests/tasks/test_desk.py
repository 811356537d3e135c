"""The desk: what comes in is done once, in order, and answered at every step."""

from __future__ import annotations

import asyncio
import json

import pytest

from dca.errors import StoreError, StoreFullError, TaskError
from dca.tasks import cases, runner
from tests.tasks.counter import DEVICE, NOON, Policy, Tools, body


async def test_a_task_that_is_allowed_is_done_and_told_from_beginning_to_end(counter):
    task_id = await counter.ask(body("look", parameters='{"text": "hello"}'))
    done = await counter.until(task_id, "done")
    assert await counter.states(task_id) == ["running", "done"]
    assert json.loads(done.result) == {"text": "hello"}
    assert done.code == ""
    assert done.at.seconds == NOON
    order = counter.works.orders[task_id]
    assert (order.kind, order.device.device_id, order.requested_by, order.reason) == (
        "look",
        DEVICE,
        "jane",
        "ticket 7",
    )
    assert counter.results_heard == 2
    assert counter.policy.asked == [("look", DEVICE, "support")]


async def test_its_beginning_is_on_the_disk_and_audited_before_its_handler_starts(counter):
    async def look(order):
        query = "SELECT state, begun FROM task WHERE task_id = ?"
        row = await counter.store.run(lambda connection: connection.execute(query, (order.id,)).fetchone())
        return {"state": row[0], "begun": row[1], "audit": counter.audit.whats(order.id)[:1]}

    counter.works.act["check"] = look
    task_id = await counter.ask(body("look", parameters='{"text": "check"}'))
    done = await counter.until(task_id, "done")
    assert json.loads(done.result) == {"state": 3, "begun": 1, "audit": ["task_decided"]}


async def test_receiving_and_beginning_are_one_transaction(counter):
    changes = []
    run = counter.store.run

    async def counted(work):
        def tried(connection):
            before = connection.total_changes
            result = work(connection)
            changes.append(connection.total_changes != before)
            return result

        return await run(tried)

    counter.store.run = counted
    task_id = await counter.ask(body("look", parameters='{"text": "wait"}'))
    await counter.works.wait_for(task_id)
    assert changes.count(True) == 1
    counter.works.let_end(task_id)
    await counter.until(task_id, "done")
    assert changes.count(True) == 2


async def test_the_same_task_again_is_done_once(counter):
    made = body("restart")
    await asyncio.gather(*(counter.ask(made) for _ in range(5)))
    await counter.until(made.id, "done")
    await counter.ask(made)
    assert counter.works.started == [made.id]
    assert await counter.states(made.id) == ["running", "done"]


async def test_an_id_written_another_way_is_the_same_task(counter):
    made = body("restart")
    await counter.ask(made)
    await counter.until(made.id, "done")
    again = body("restart", id=made.id.upper().replace("-", ""))
    await counter.ask(again)
    assert counter.works.started == [made.id]


async def test_one_that_has_ended_is_answered_again_when_the_hub_asks_an_hour_later(counter):
    made = body("look", expires=NOON + 8 * 3600)
    await counter.ask(made)
    await counter.until(made.id, "done")
    counter.clock.pass_by(3601)
    await counter.ask(made)
    assert await counter.states(made.id) == ["running", "done"], "the answer still waits in the outbox"
    await counter.outbox.acknowledge([row.name for row in (await counter.outbox.take()).rows])
    await counter.ask(made)
    assert await counter.states(made.id) == ["done"]
    await counter.outbox.acknowledge([row.name for row in (await counter.outbox.take()).rows])
    await counter.ask(made)
    assert await counter.states(made.id) == [], "once an hour"
    assert counter.works.started == [made.id]


async def test_a_large_answer_is_given_again_without_what_it_brought(counter):
    made = body("look", parameters=json.dumps({"text": "x" * 20_000}))
    await counter.ask(made)
    await counter.until(made.id, "done")
    await counter.outbox.acknowledge([row.name for row in (await counter.outbox.take()).rows])
    counter.clock.pass_by(3601)
    await counter.ask(made)
    again = await counter.last(made.id)
    assert again.result == ""
    assert "sent before" in again.text


async def test_no_more_than_so_many_run_at_once_and_the_others_follow(counter):
    ids = [await counter.ask(body("look", number=n, parameters='{"text": "wait"}')) for n in range(1, 7)]
    await asyncio.gather(*(counter.works.wait_for(one) for one in ids[:4]))
    assert [await counter.states(one) for one in ids[4:]] == [["waiting"], ["waiting"]]
    assert (await counter.last(ids[5])).code == "busy"
    counter.works.let_end(ids[0])
    await counter.works.wait_for(ids[4])
    assert ids[5] not in counter.works.started
    for one in ids:
        counter.works.let_end(one)
    for one in ids:
        await counter.until(one, "done")


async def test_what_is_not_due_waits_for_its_time_by_the_hubs_clock(counter):
    counter.offset = -30.0
    task_id = await counter.ask(body("look", not_before=NOON + 60))
    waiting = await counter.last(task_id)
    assert waiting.code == "not_before"
    assert "12:01:00 UTC" in waiting.text
    counter.clock.pass_by(61)
    await counter.look_again()
    assert counter.works.started == [], "the hub's clock says 30 s less"
    counter.clock.pass_by(30)
    await counter.look_again()
    await counter.until(task_id, "done")


async def test_what_is_asked_for_at_once_begins_whatever_the_clocks_differ_by(counter):
    task_id = await counter.ask(body("look", issued_at=NOON + 250, not_before=NOON + 250.5, expires=NOON + 3600))
    await counter.until(task_id, "done")


async def test_what_waits_too_long_expires(counter):
    counter.policy.actions["look"] = "ask"
    task_id = await counter.ask(body("look"))
    counter.clock.pass_by(3600)
    await counter.look_again()
    expired = await counter.last(task_id)
    assert await counter.states(task_id) == ["waiting", "expired"]
    assert expired.code == "expired"
    assert "nobody approved it" in expired.text


async def test_nothing_begins_before_there_is_a_policy(counter):
    await counter.close()
    await counter.open(use=False)
    task_id = await counter.ask(body("look"))
    await counter.look_again()
    assert await counter.states(task_id) == []
    await counter.close()
    desk = await counter.open(use=False)
    desk.use(counter.policy, Tools())
    await counter.until(task_id, "done")


async def test_what_the_policy_denies_is_refused_in_its_words(counter):
    counter.policy.actions["restart"] = "deny"
    task_id = await counter.ask(body("restart"))
    refused = await counter.last(task_id)
    assert await counter.states(task_id) == ["refused"]
    assert (refused.code, refused.text) == ("denied", "rule 1")
    assert counter.works.started == []


async def test_a_word_of_the_policy_that_nobody_knows_is_a_no(counter):
    counter.policy.actions["look"] = "perhaps"
    task_id = await counter.ask(body("look"))
    assert (await counter.last(task_id)).code == "denied"


async def test_a_policy_that_fails_is_a_no(counter, caplog):
    def fail(*_, **__):
        raise KeyError("oops")

    counter.policy.decide = fail
    task_id = await counter.ask(body("look"))
    refused = await counter.last(task_id)
    assert refused.code == "bug"
    assert "oops" not in refused.text
    assert "could not decide" in caplog.text


async def test_a_new_policy_decides_anew_about_what_waits(counter):
    counter.policy.actions["look"] = "ask"
    asked, other = await counter.ask(body("look")), await counter.ask(body("look"))
    policy = Policy(look="allow")
    counter.desk.use(policy, Tools())
    await counter.until(asked, "done")
    await counter.until(other, "done")
    assert await counter.states(asked) == ["waiting", "running", "done"]


async def test_a_handler_that_says_why_is_told_as_it_says(counter):
    async def fail(_order):
        raise TaskError("the printer says no", "refused_by_device")

    counter.works.act["fail"] = fail
    task_id = await counter.ask(body("look", parameters='{"text": "fail"}'))
    failed = await counter.until(task_id, "failed")
    assert (failed.code, failed.text) == ("refused_by_device", "the printer says no")


async def test_a_bug_of_a_handler_is_logged_and_its_words_stay_here(counter, caplog):
    async def fail(_order):
        raise RuntimeError("secret")

    counter.works.act["fail"] = fail
    task_id = await counter.ask(body("look", parameters='{"text": "fail"}'))
    failed = await counter.until(task_id, "failed")
    assert failed.code == "bug"
    assert "secret" not in failed.text
    assert caplog.text.count("Traceback") == 1


async def test_one_that_takes_too_long_is_ended(counter):
    task_id = await counter.ask(body("brief", parameters='{"text": "wait"}'))
    failed = await counter.until(task_id, "failed")
    assert failed.code == "time_limit"
    assert "0.05 s" in failed.text


async def test_progress_is_told_while_it_runs(counter, monkeypatch):
    monkeypatch.setattr(runner, "_LINE_EVERY", 0.01)

    async def step(order):
        order.progress("one third")
        order.progress("left out")
        order.progress("two\nthirds")
        await counter.works.gates.setdefault(order.id, asyncio.Event()).wait()
        return {}

    counter.works.act["steps"] = step
    task_id = await counter.ask(body("look", parameters='{"text": "steps"}'))
    await counter.poll(lambda states: len(states) == 3, task_id)
    counter.works.let_end(task_id)
    await counter.until(task_id, "done")
    assert [one.text for one in await counter.results(task_id)][:3] == ["", "one third", "two thirds"]
    assert await counter.states(task_id) == ["running", "running", "running", "done"]


async def test_one_that_cannot_be_remembered_is_given_back_and_not_begun(counter):
    run, full = counter.store.run, True

    async def failing(work):
        if full:
            raise StoreFullError("the disk is full")
        return await run(work)

    counter.store.run = failing
    made = body("look")
    with pytest.raises(StoreError, match="full"):
        await counter.ask(made)
    assert counter.works.started == []
    full = False
    assert await counter.states(made.id) == [], "nothing of it waits in memory either"
    await counter.ask(made)
    await counter.until(made.id, "done")


async def test_an_end_that_cannot_be_written_is_written_later(counter, monkeypatch, caplog):
    monkeypatch.setattr(cases, "_TRY_AGAIN", 0.01)
    task_id = await counter.ask(body("restart", parameters='{"text": "wait"}'))
    await counter.works.wait_for(task_id)
    run, tried = counter.store.run, asyncio.Event()

    async def failing(work):
        tried.set()
        raise StoreFullError("the disk is full")

    counter.store.run = failing
    counter.works.let_end(task_id)
    await tried.wait()
    await asyncio.sleep(0.05)
    counter.store.run = run
    await counter.until(task_id, "done")
    assert caplog.text.count("cannot be written yet") == 1


async def test_the_caller_may_be_cancelled_and_the_task_is_done_all_the_same(counter):
    made = body("restart")
    taking = asyncio.create_task(counter.ask(made))
    await asyncio.sleep(0)
    taking.cancel()
    await asyncio.gather(taking, return_exceptions=True)
    await counter.until(made.id, "done")


async def test_nothing_is_taken_while_the_agent_stops(counter):
    desk, store = counter.desk, counter.store
    await counter._stop_loop()
    await desk.close(0.0)
    with pytest.raises(StoreError, match="stopping"):
        await counter.ask(body("look"))
    await counter.outbox.close()
    await store.close()
    counter.desk = None


async def test_the_loop_ends_when_it_is_told_to_whatever_happens_at_that_moment(counter):
    for turns in range(6):
        counter.desk._wake.set()
        for _ in range(turns):
            await asyncio.sleep(0)
        counter.desk._wake.set()
        await asyncio.wait_for(counter._stop_loop(), 5)
        counter.running = asyncio.create_task(counter.desk.run())
        await asyncio.sleep(0)

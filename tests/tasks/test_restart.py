"""Ends and beginnings of the agent: every task is in a known state, and nothing that changes is done twice."""

from __future__ import annotations

import asyncio
import dataclasses

from dca.store import Store, get_meta
from dca.store.files import DATABASE
from dca.store.tasks import TASK_COLUMNS, TASKS_BEGAN
from dca.tasks.ledger import Entry, save
from dca.tasks.states import State
from dca.telemetry import Outbox
from tests.tasks.counter import NOON, Policy, Tools, body, kinds_of

WAIT = '{"text": "wait"}'


async def test_what_was_changing_something_at_a_kill_is_not_begun_again(counter):
    task_id = await counter.ask(body("restart", parameters=WAIT))
    await counter.works.wait_for(task_id)
    await counter.kill()
    await counter.open()
    failed = await counter.last(task_id)
    assert (failed.code, await counter.states(task_id)) == ("interrupted", ["running", "failed"])
    assert "not known" in failed.text
    await counter.ask(body("restart", id=task_id))
    assert counter.works.started == [task_id]


async def test_what_only_looks_is_begun_again_twice_and_then_given_up(counter):
    task_id = await counter.ask(body("look", parameters=WAIT))
    for begun in range(1, 4):
        await counter.works.wait_for(task_id)
        assert counter.works.started == [task_id] * begun
        counter.works.begun.clear()
        await counter.kill()
        await counter.open()
    assert counter.works.started == [task_id] * 3
    failed = await counter.last(task_id)
    assert failed.code == "interrupted"
    assert "3 times" in failed.text


async def test_what_waited_goes_on_waiting(counter):
    counter.policy.actions["restart"] = "ask"
    asked = await counter.ask(body("restart"))
    later = await counter.ask(body("look", not_before=NOON + 600))
    await counter.kill()
    await counter.open()
    await counter.look_again()
    assert await counter.states(asked) == ["waiting"]
    assert await counter.states(later) == ["waiting"]
    counter.clock.pass_by(601)
    await counter.look_again()
    await counter.until(later, "done")


async def test_what_expired_while_the_agent_was_away_is_told(counter):
    counter.policy.actions["restart"] = "ask"
    task_id = await counter.ask(body("restart"))
    await counter.close()
    counter.clock.pass_by(7200)
    await counter.open()
    await counter.look_again()
    assert await counter.states(task_id) == ["waiting", "expired"]


async def test_a_kind_that_this_version_does_not_know_any_more_is_told(counter, monkeypatch):
    counter.policy.actions["restart"] = "ask"
    waiting = await counter.ask(body("restart"))
    running = await counter.ask(body("survey", parameters=WAIT))
    await counter.works.wait_for(running)
    await counter.kill()

    def fewer(works):
        return {name: kind for name, kind in kinds_of(works).items() if name not in {"restart", "survey"}}

    monkeypatch.setattr("tests.tasks.counter.kinds_of", fewer)
    await counter.open()
    assert (await counter.last(waiting)).code == "unknown_kind"
    assert (await counter.last(running)).code == "interrupted"


async def test_an_orderly_stop_lets_end_what_does_not_take_long(counter):
    task_id = await counter.ask(body("restart", parameters=WAIT))
    await counter.works.wait_for(task_id)
    counter.works.let_end(task_id)
    await counter.close(grace=5.0)
    await counter.open()
    assert await counter.states(task_id) == ["running", "done"]


async def test_an_orderly_stop_ends_the_rest_and_says_so(counter):
    changing = await counter.ask(body("restart", parameters=WAIT))
    looking = await counter.ask(body("look", parameters=WAIT))
    await counter.works.wait_for(changing)
    await counter.works.wait_for(looking)
    await counter.close()
    await counter.open()
    await counter.look_again()
    assert (await counter.last(changing)).code == "interrupted"
    assert counter.works.started == [changing, looking, looking]


async def test_a_reload_puts_back_what_only_looks_and_nothing_begins_meanwhile(counter):
    task_id = await counter.ask(body("look", parameters=WAIT))
    await counter.works.wait_for(task_id)
    await counter.desk.let_go(0.0)
    other = await counter.ask(body("look"))
    await counter.look_again()
    assert counter.works.started == [task_id]
    counter.works.let_end(task_id)
    counter.desk.use(counter.policy, Tools())
    await counter.until(task_id, "done")
    await counter.until(other, "done")
    assert counter.works.started[:2] == [task_id, task_id]


async def test_a_policy_that_was_closed_meanwhile_denies_what_waited(counter):
    counter.policy.actions["look"] = "ask"
    task_id = await counter.ask(body("look"))
    await counter.close()
    counter.policy = Policy(look="deny")
    await counter.open()
    await counter.look_again()
    assert await counter.states(task_id) == ["waiting", "refused"]


async def spoilt(counter, at: int) -> None:
    """Close it and write rubbish over the state file from `at` on."""
    await counter.close()
    with (counter.directory / DATABASE).open("r+b") as file:
        file.seek(at)
        file.write(b"\xa5" * 100_000)


async def test_after_the_record_was_lost_nothing_older_is_done(counter):
    done = body("restart")
    await counter.ask(done)
    await counter.until(done.id, "done")
    await spoilt(counter, 0)
    counter.clock.pass_by(60)
    await counter.open()
    await counter.outbox.salvaged()
    await counter.ask(done)
    assert counter.works.started == [done.id]
    fresh = body("restart", issued_at=NOON + 61, not_before=NOON + 61)
    await counter.ask(fresh)
    await counter.until(fresh.id, "done")


async def test_the_record_of_a_damaged_file_goes_on_in_the_fresh_one(counter):
    done = body("restart")
    await counter.ask(done)
    await counter.until(done.id, "done")
    running = await counter.ask(body("look", parameters=WAIT))
    await counter.works.wait_for(running)
    await counter.kill()
    with (counter.directory / DATABASE).open("r+b") as file:
        file.write(bytes(100))
    await counter.open()
    await counter.outbox.salvaged()
    counter.clock.pass_by(301)
    await counter.look_again()
    query = "SELECT task_id, state, code FROM task ORDER BY id"
    found = await counter.store.run(lambda connection: connection.execute(query).fetchall())
    assert found == [(done.id, 4, ""), (running, 5, "interrupted")]
    assert counter.works.started == [done.id, running]


async def test_damage_while_it_runs_loses_no_end(counter):
    task_id = await counter.ask(body("restart", parameters=WAIT))
    await counter.works.wait_for(task_id)
    await counter.store._call(lambda: _spoil(counter))
    counter.works.let_end(task_id)
    await counter.until(task_id, "done")
    await counter.ask(body("restart", id=task_id))
    fresh = await counter.ask(body("look", issued_at=NOON + 1))
    await counter.until(fresh, "done")
    assert counter.works.started == [task_id, fresh]


def _spoil(counter) -> None:
    connection = counter.store._connection
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    with (counter.directory / DATABASE).open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * 200_000)
    connection.execute("PRAGMA shrink_memory")


async def test_the_beginning_of_a_damaged_record_says_nothing_of_the_fresh_one(counter):
    assert await counter.store.run(lambda connection: get_meta(connection, TASKS_BEGAN)) == NOON - 300
    await counter.close()
    with (counter.directory / DATABASE).open("r+b") as file:
        file.write(bytes(100))
    store = await Store.open(counter.directory, clock=counter.clock.wall)
    outbox = await Outbox.open(store, clock=counter.clock.wall)
    await outbox.salvaged()
    assert await store.run(lambda connection: get_meta(connection, TASKS_BEGAN)) is None
    await outbox.close()
    await store.close()


async def test_a_task_that_the_salvage_brought_back_is_known(counter):
    made = body("restart")
    came_back = Entry(made.id, 1, "restart", State.DONE, expires_at=NOON + 3600, received_at=NOON)
    await counter.store.run(lambda connection: save(connection, came_back))
    await counter.ask(made)
    assert counter.works.started == []


def test_the_record_has_the_columns_that_are_salvaged():
    assert tuple(field.name for field in dataclasses.fields(Entry)) == TASK_COLUMNS


async def test_damage_that_is_found_by_taking_a_task_makes_what_is_older_stale(counter):
    counter.clock.pass_by(60)
    await counter.store._call(lambda: _spoil(counter))
    older = await counter.ask(body("restart"))
    assert (await counter.last(older)).code == "stale"
    assert counter.works.started == []


async def test_one_that_ends_while_the_record_is_looked_at_stays_ended(counter, monkeypatch):
    task_id = await counter.ask(body("look", parameters=WAIT))
    await counter.works.wait_for(task_id)
    book, unfinished = counter.desk._cases.book, counter.desk._cases.book.unfinished

    async def late():
        found = await unfinished()
        counter.works.let_end(task_id)
        await counter.until(task_id, "done")
        while task_id in counter.desk._cases.open:  # noqa: ASYNC110 - some turns of the loop
            await asyncio.sleep(0)
        return found

    monkeypatch.setattr(book, "unfinished", late)
    counter.clock.pass_by(301)
    await counter.look_again()
    await counter.look_again()
    assert await counter.states(task_id) == ["running", "done"]

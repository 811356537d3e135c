"""What is refused: told to the hub by its id where it has one, audited, remembered, and never done."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dca.contract.tasks import MAX_TASK
from tests.tasks.counter import AGENT, NOON, body, signed


async def table(counter):
    query = "SELECT task_id, state, code FROM task"
    return await counter.store.run(lambda connection: connection.execute(query).fetchall())


@pytest.mark.parametrize(
    ("fields", "state", "code"),
    [
        ({"agent_id": AGENT.replace("5f", "6f")}, "refused", "wrong_agent"),
        ({"number": 0}, "refused", "bad_task"),
        ({"number": 2**64 - 1}, "refused", "bad_task"),
        ({"kind": "format_disk"}, "refused", "unknown_kind"),
        ({"parameters": '{"more": 1}'}, "refused", "bad_parameters"),
        ({"issued_at": NOON - 301, "not_before": NOON}, "refused", "stale"),
        ({"issued_at": NOON - 200, "not_before": NOON - 200, "expires": NOON - 1}, "expired", "expired"),
        ({"device_id": "00000000000000ff"}, "refused", "no_device"),
        ({"expires": 253_402_300_000}, "refused", "bad_task"),
    ],
)
async def test_a_signed_task_is_answered_with_its_code(counter, fields, state, code):
    task_id = await counter.ask(body(**({"kind": "look"} | fields)))
    last = await counter.last(task_id)
    assert (await counter.states(task_id), last.code) == ([state], code)
    assert last.text
    assert counter.works.started == []
    assert [row[0] for row in await table(counter)] == [task_id]
    await counter.ask(body(**({"kind": "look", "id": task_id} | fields)))
    assert await counter.states(task_id) == [state], "it is remembered"


async def test_what_is_refused_is_audited(counter):
    task_id = await counter.ask(body("format_disk"))
    await counter.close()
    assert counter.audit.whats(task_id) == ["task_refused"]
    await counter.open()


async def test_what_nobody_signed_is_an_event_and_leaves_no_trace_in_the_record(counter):
    await counter.desk.take(signed(body("look"), Ed25519PrivateKey.generate()))
    await counter.desk.take(b"\xff" * 9)
    await counter.desk.take(bytes(MAX_TASK + 1))
    assert [event.details["code"] for event in await counter.events()] == ["bad_signature", "bad_task", "too_large"]
    assert {event.name for event in await counter.events()} == {"task_refused"}
    assert await table(counter) == []
    assert await counter.results() == []


async def test_a_flood_of_them_is_told_twenty_times_an_hour_and_then_counted(counter):
    for _ in range(50):
        await counter.desk.take(b"\xff")
    assert len(await counter.events()) == 20
    counter.clock.pass_by(3600)
    await counter.desk.take(b"\xff")
    events = await counter.events()
    assert len(events) == 21
    assert events[-1].details["more"] == "30"
    await counter.close()
    assert len(counter.audit.entries) == 21
    await counter.open()


async def test_a_clock_that_was_wrong_refuses_nothing_for_ever(counter):
    """The clock jumps ten years ahead and back: what came in then has expired, what comes later is done."""
    counter.clock.pass_by(10 * 365 * 86_400)
    early = await counter.ask(body("look"))
    assert await counter.states(early) == ["expired"]
    await counter.desk._cases.book.prune(counter.desk._now())
    counter.clock.now = NOON + 10
    later = await counter.ask(body("look"))
    await counter.until(later, "done")


async def test_what_was_forgotten_by_a_wrong_clock_is_not_done_again(counter):
    done = body("restart")
    await counter.ask(done)
    await counter.until(done.id, "done")
    counter.clock.pass_by(10 * 365 * 86_400)
    await counter.desk._cases.book.prune(counter.desk._now())
    assert await table(counter) == []
    counter.clock.now = NOON + 10
    await counter.ask(done)
    assert (await counter.last(done.id)).code == "stale"
    assert counter.works.started == [done.id]


async def test_the_hubs_clock_decides_about_expiry(counter):
    counter.clock.now = NOON + 86_400
    counter.offset = -86_400.0
    task_id = await counter.ask(body("look"))
    await counter.until(task_id, "done")


async def test_tasks_are_forgotten_a_month_after_they_expired(counter):
    task_id = await counter.ask(body("look"))
    await counter.until(task_id, "done")
    counter.clock.pass_by(3600 + 30 * 86_400 - 1)
    await counter.look_again()
    assert len(await table(counter)) == 1
    counter.clock.pass_by(61)
    await counter.look_again()
    assert await table(counter) == []

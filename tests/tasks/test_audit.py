"""The audit log of tasks: nothing begins before its decision is on the disk, and without the log nothing is done."""

from __future__ import annotations

import asyncio
import threading

import pytest

from dca.audit import AuditLog
from dca.errors import StoreFullError
from tests.tasks.counter import body


async def test_a_task_leaves_its_story(counter):
    task_id = await counter.ask(body("look"))
    await counter.until(task_id, "done")
    await counter.close()
    assert counter.audit.whats(task_id) == ["task_decided", "task_started", "task_ended"]
    what, text, who, details = counter.audit.entries[0]
    assert (what, text, who) == ("task_decided", "look at 127.0.0.2: allow, rule 1", "hub:jane")
    assert details["reason"] == "ticket 7"
    assert details["action"] == "allow"
    await counter.open()


async def test_what_is_denied_leaves_its_story(counter):
    counter.policy.actions["restart"] = "deny"
    task_id = await counter.ask(body("restart"))
    await counter.close()
    assert counter.audit.whats(task_id) == ["task_decided", "task_refused"]
    await counter.open()


async def test_without_the_audit_log_nothing_is_done_and_the_hub_is_told(counter):
    counter.audit.broken = True
    task_id = await counter.ask(body("look"))
    refused = await counter.until(task_id, "refused")
    assert refused.code == "audit"
    assert "audit log cannot be written" in refused.text
    assert counter.works.started == []
    counter.audit.broken = False
    other = await counter.ask(body("look"))
    await counter.until(other, "done")


async def test_a_disk_that_takes_neither_log_nor_record_keeps_nobody_waiting(counter):
    """Who hands tasks over delivers readings too."""
    counter.audit.broken = True
    put_whole, calls = counter.outbox.put_whole, []

    async def first_only(rows, also):
        calls.append(rows)
        if len(calls) > 1:
            raise StoreFullError("the disk is full")
        await put_whole(rows, also)

    counter.outbox.put_whole = first_only
    made = body("restart")
    async with asyncio.timeout(10):
        with pytest.raises(StoreFullError):
            await counter.ask(made)
    counter.outbox.put_whole = put_whole
    assert (await counter.until(made.id, "refused")).code == "audit"
    assert counter.works.started == []


async def test_what_was_allowed_before_the_log_failed_is_not_begun_after_it(counter):
    ids = [await counter.ask(body("look", number=n, parameters='{"text": "wait"}')) for n in range(1, 6)]
    await counter.works.wait_for(ids[3])
    counter.audit.broken = True
    counter.works.let_end(ids[0])
    assert (await counter.until(ids[4], "refused")).code == "audit"
    assert ids[4] not in counter.works.started
    for one in ids[:4]:
        counter.works.let_end(one)
        await counter.until(one, "done")


async def test_the_handler_waits_for_the_disk_and_the_loop_does_not(counter):
    written, append = threading.Event(), counter.audit.append

    def slow(what, text, **more):
        if what == "task_decided":
            written.wait(10)
        append(what, text, **more)

    counter.audit.append = slow
    made = body("look")
    taking = asyncio.create_task(counter.ask(made))
    await counter.poll(bool, made.id)
    assert counter.works.started == []
    written.set()
    await taking
    await counter.until(made.id, "done")


async def test_the_real_log_holds_together(counter, tmp_path):
    await counter.close()
    counter.audit = AuditLog(counter.directory, clock=counter.clock.wall)
    await counter.open()
    ids = [await counter.ask(body("look")) for _ in range(3)]
    for one in ids:
        await counter.until(one, "done")
    await counter.close()
    entries = list(counter.audit.entries())
    assert [entry.what for entry in entries if entry.details.get("task") == ids[0]] == [
        "task_decided", "task_started", "task_ended",
    ]  # fmt: skip
    assert counter.audit.verify().whole
    await counter.open()

"""What the customer's administrator says on the spot."""

from __future__ import annotations

import logging
import os
import stat

import pytest

from dca.errors import StoreError
from dca.tasks.spool import Answer, Spool
from tests.tasks.counter import NOON, body


@pytest.fixture
def spool(counter):
    counter.policy.actions["restart"] = "ask"
    return Spool(counter.directory)


async def test_what_is_approved_is_done_and_audited_with_the_name(counter, spool):
    task_id = await counter.ask(body("restart"))
    waiting = await counter.last(task_id)
    assert (waiting.code, waiting.text) == ("approval", f"rule 1; it waits for: dca approve {task_id[:8]}")
    spool.put(Answer(task_id, approve=True, by="peter", reason="go on"))
    await counter.look_again()
    await counter.until(task_id, "done")
    assert not list((counter.directory / "spool").iterdir())
    (entry,) = [entry for entry in counter.audit.entries if entry[0] == "task_approved"]
    assert entry[1:3] == ("restart: peter approved it on the agent's machine: go on", "local:peter")
    query = "SELECT approved_by FROM task"
    assert await counter.store.run(lambda connection: connection.execute(query).fetchall()) == [("peter",)]


async def test_what_is_denied_on_the_spot_is_refused(counter, spool):
    task_id = await counter.ask(body("restart"))
    spool.put(Answer(task_id, approve=False, by="peter", reason="not now"))
    await counter.look_again()
    refused = await counter.last(task_id)
    assert (refused.code, refused.text) == ("denied", "peter denied it on the agent's machine: not now")
    assert counter.works.started == []


async def test_an_answer_that_was_given_while_no_agent_ran_counts_at_the_next_start(counter, spool):
    task_id = await counter.ask(body("restart"))
    await counter.close()
    spool.put(Answer(task_id, approve=True, by="peter"))
    await counter.open()
    await counter.until(task_id, "done")


async def test_an_approval_outlives_a_kill_before_its_task_begins(counter, spool):
    counter.most_at_once = 0
    await counter.close()
    await counter.open()
    task_id = await counter.ask(body("restart"))
    spool.put(Answer(task_id, approve=True, by="peter"))
    await counter.look_again()
    assert (await counter.last(task_id)).code == "busy"
    await counter.kill()
    counter.most_at_once = 4
    await counter.open()
    await counter.until(task_id, "done")


async def test_an_approval_that_comes_too_late_is_told(counter, spool):
    task_id = await counter.ask(body("restart"))
    counter.clock.now = NOON + 3600
    spool.put(Answer(task_id, approve=True, by="peter"))
    await counter.look_again()
    assert await counter.states(task_id) == ["waiting", "expired"]
    assert counter.works.started == []


async def test_a_policy_that_denies_meanwhile_is_stronger(counter, spool):
    task_id = await counter.ask(body("restart"))
    counter.policy.actions["restart"] = "deny"
    spool.put(Answer(task_id, approve=True, by="peter"))
    await counter.look_again()
    assert (await counter.last(task_id)).code == "denied"
    assert counter.works.started == []


async def test_an_approval_that_cannot_be_audited_waits(counter, spool, caplog):
    task_id = await counter.ask(body("restart"))
    counter.audit.broken = True
    spool.put(Answer(task_id, approve=True, by="peter"))
    with pytest.raises(Exception, match="audit"):
        await counter.look_again()
    assert counter.works.started == []
    counter.audit.broken = False
    await counter.look_again()
    await counter.until(task_id, "done")


async def test_answers_to_nothing_are_dropped(counter, spool, caplog):
    with caplog.at_level(logging.WARNING):
        spool.put(Answer("5f0c8a1e-0000-4000-8000-00000000000a", approve=True, by="peter"))
        done = await counter.ask(body("look"))
        await counter.until(done, "done")
        spool.put(Answer(done, approve=True, by="peter"))
        await counter.look_again()
    assert caplog.text.count("does not wait for it") == 2
    assert not list((counter.directory / "spool").iterdir())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"[" * 3000,
        b'{"task": "x", "approve": true, "by": "peter", "reason": ""}',
        b'{"task": "5f0c8a1e-0000-4000-8000-00000000000a", "approve": 1, "by": "peter", "reason": ""}',
        b'{"task": "5f0c8a1e-0000-4000-8000-00000000000a", "approve": true, "by": "\\n", "reason": ""}',
        b'{"task": "5f0c8a1e-0000-4000-8000-00000000000a", "approve": true, "by": "peter"}',
        b"\xff\xfe" * 100,
        b" " * 5000,
    ],
)
async def test_a_file_that_is_no_answer_is_removed_with_a_warning(counter, spool, caplog, content):
    (counter.directory / "spool" / "1.json").write_bytes(content)
    with caplog.at_level(logging.WARNING):
        await counter.look_again()
    assert "is no answer to a task" in caplog.text
    assert not list((counter.directory / "spool").iterdir())


async def test_what_is_no_file_or_half_written_is_left_alone(counter, spool):
    folder = counter.directory / "spool"
    (folder / "1.json").mkdir()
    (folder / "2.part").write_text("{")
    (folder / "3.json").symlink_to("/etc/passwd")
    os.mkfifo(folder / "4.json")
    assert list(spool.waiting()) == []


async def test_the_folder_is_for_the_agent_alone_and_no_link(counter, tmp_path):
    folder = counter.directory / "spool"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    elsewhere = tmp_path / "other"
    elsewhere.mkdir()
    (elsewhere / "spool").symlink_to(folder)
    with pytest.raises(StoreError, match="link"):
        Spool(elsewhere).put(Answer("5f0c8a1e-0000-4000-8000-00000000000a", approve=True, by="peter"))


async def test_answers_are_taken_in_the_order_they_were_given(counter, spool):
    made = "5f0c8a1e-0000-4000-8000-00000000000a"
    for number in (3, 1, 2):
        spool.put(Answer(made, approve=True, by=f"p{number}"), now=lambda number=number: number)
    assert [answer.by for _, answer in spool.waiting()] == ["p1", "p2", "p3"]

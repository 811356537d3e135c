"""``dca tasks``: what people and programs see of the record of tasks."""

from __future__ import annotations

import json
import sqlite3
import time

import pytest

from dca.model import Known
from dca.store import Store, save_devices
from dca.store.files import DATABASE
from dca.tasks.ledger import Entry, save
from dca.tasks.states import State

WAITING = "5f0c8a1e-0000-4000-8000-00000000000a"
DONE = "6f0c8a1e-0000-4000-8000-00000000000b"


@pytest.fixture
async def state(tmp_path):
    store = await Store.open(tmp_path / "state")
    now = time.time()
    known = Known("00000000000000d1", "127.0.0.2", 161, "office", "public", "2c")
    common = {"requested_by": "jane\x1b[2J", "device_id": known.device_id, "expires_at": now + 600}
    entries = [
        Entry(DONE, 1, "read", State.DONE, text="done in 0.4 s", received_at=now - 600, ended_at=now - 599, **common),
        Entry(WAITING, 2, "device_restart", State.WAITING, "approval", received_at=now - 300, reason="t 7", **common),
    ]
    await store.run(lambda connection: [save(connection, entry) for entry in entries])
    await store.run(lambda connection: save_devices(connection, [known]))
    await store.close()
    return tmp_path / "state"


def test_people_see_what_was_asked_and_what_waits_for_them(dca, state):
    ran = dca("tasks", "--state-dir", str(state))
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[1].split()[0] == WAITING[:8], "the newest first"
    for words in ("device_restart", "5 min ago", "waiting", "127.0.0.2", "done in 0.4 s", "1 task waits for your word"):
        assert words in ran.out
    assert "\x1b" not in ran.out


def test_programs_see_the_same(dca, state):
    ran = dca("tasks", "--json", "--last", "1", "--state-dir", str(state))
    (found,) = [json.loads(line) for line in ran.out.splitlines()]
    assert (found["id"], found["state"], found["code"], found["reason"]) == (WAITING, "waiting", "approval", "t 7")
    assert found["started_at"] is None
    assert found["expires_at"].endswith("Z")


async def test_an_agent_that_was_asked_for_nothing_says_so(dca, tmp_path):
    await (await Store.open(tmp_path / "state")).close()
    assert "asked for nothing" in dca("tasks", "--state-dir", str(tmp_path / "state")).out


async def test_a_state_file_of_before_there_were_tasks_is_read_too(dca, tmp_path):
    await (await Store.open(tmp_path / "state")).close()
    with sqlite3.connect(tmp_path / "state" / DATABASE) as connection:
        connection.execute("DROP TABLE task")
    connection.close()
    assert "asked for nothing" in dca("tasks", "--state-dir", str(tmp_path / "state")).out


def test_without_a_state_file_the_reason_is_said(dca, tmp_path):
    ran = dca("tasks", "--state-dir", str(tmp_path / "none"))
    assert (ran.code, ran.out) == (1, "")
    assert "there is no state file" in ran.err

"""``dca approve``: an answer in the spool, for the one task that is meant and waits for it."""

from __future__ import annotations

import os
import pwd
import time

import pytest

from dca.service import person
from dca.store import Store
from dca.tasks.ledger import Entry, save
from dca.tasks.spool import Spool
from dca.tasks.states import State

FIRST = "5f0c8a1e-0000-4000-8000-00000000000a"
SECOND = "5f0c9999-0000-4000-8000-00000000000b"
DONE = "6f0c8a1e-0000-4000-8000-00000000000c"


@pytest.fixture
async def state(tmp_path, monkeypatch):
    monkeypatch.delenv("SUDO_USER", raising=False)
    store = await Store.open(tmp_path / "state")
    now = time.time()
    entries = [
        Entry(FIRST, 1, "device_restart", State.WAITING, "approval", requested_by="jane", received_at=now),
        Entry(SECOND, 2, "panel_message", State.WAITING, "approval", requested_by="jane", received_at=now),
        Entry(DONE, 3, "read", State.DONE, requested_by="jane", received_at=now),
    ]
    await store.run(lambda connection: [save(connection, entry) for entry in entries])
    await store.close()
    return tmp_path / "state"


def answers(state) -> list:
    return [answer for _, answer in Spool(state).waiting()]


def test_a_task_is_approved_by_the_beginning_of_its_id(dca, state):
    ran = dca("approve", "5F0C8", "--reason", "go on", "--state-dir", str(state))
    assert ran.code == 0
    assert "Approved: device_restart (5f0c8a1e), asked for by jane." in ran.out
    assert "No agent runs here now" in ran.out
    (answer,) = answers(state)
    me = pwd.getpwuid(os.getuid()).pw_name
    assert (answer.task, answer.approve, answer.by, answer.reason) == (FIRST, True, me, "go on")


def test_a_task_is_denied(dca, state):
    ran = dca("approve", SECOND, "--deny", "--state-dir", str(state))
    assert "Denied: panel_message" in ran.out
    assert [answer.approve for answer in answers(state)] == [False]


async def test_it_says_nothing_of_the_next_start_while_an_agent_runs(dca, state):
    store = await Store.open(state)
    ran = dca("approve", FIRST, "--state-dir", str(state))
    await store.close()
    assert ran.code == 0
    assert "No agent" not in ran.out


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("5f0c", 1, "2 tasks that wait begin with 5f0c"),
        ("6f0c8", 1, "does not wait for approval: it is done"),
        ("7777", 1, "no task 7777 waits for approval"),
        ("5f", 2, "at least 4"),
        ("5f0c%", 2, "at least 4"),
        ("../../x", 2, "at least 4"),
    ],
)
def test_what_is_not_one_task_that_waits_is_refused(dca, state, text, code, words):
    ran = dca("approve", text, "--state-dir", str(state))
    assert ran.code == code
    assert words in " ".join(ran.err.replace("│", " ").split())
    assert answers(state) == []


def test_who_became_root_by_sudo_is_named(monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 0)
    monkeypatch.setenv("SUDO_USER", "jane")
    assert person.who_asks() == "root (jane)"
    monkeypatch.setenv("SUDO_USER", "jane\nagent")
    assert person.who_asks() == "root"


def test_a_user_without_a_name_has_a_number(monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 54_321)
    assert person.who_asks() == "uid 54321"

"""`dca hub task` and `dca hub agent` on real PostgreSQL servers."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import pytest

from dca.cli import main
from dca.service.person import who_asks
from dca.wire import task_pb2 as wire
from tests.hub.errands import Desk, add_agent, desk_on, tell, told
from tests.hub.office import NOON, laser, row

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from dca.hub.agents import AgentRef

POLICY = json.dumps({"read": "allow", "discover": "ask", "device_restart": "deny"})


class Printed(NamedTuple):
    code: int
    out: str
    err: str


def run(*words: str) -> int:
    try:
        main(words)
    except SystemExit as end:
        return int(end.code or 0)
    return 0


class Office:
    """A hub's database with two agents, and its command line."""

    def __init__(self, desk: Desk, agents: tuple[AgentRef, AgentRef], folder: Path) -> None:
        self.desk = desk
        self.database = desk.database
        self.agents = agents
        self._folder = folder

    async def say(self, *words: str) -> Printed:
        """Run `dca hub ...` in a thread, for it has an event loop of its own."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = await asyncio.wait_for(asyncio.to_thread(run, "hub", *words, "--data", str(self._folder)), 30)
        return Printed(code, out.getvalue(), err.getvalue())

    async def json(self, *words: str) -> list[dict]:
        """Run it with --json and return its lines."""
        printed = await self.say(*words, "--json")
        assert printed.code == 0, printed.err
        return [json.loads(line) for line in printed.out.splitlines()]


@pytest.fixture
async def office(empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    monkeypatch.setenv("DCA_DATABASE_URL", empty_database)
    monkeypatch.setenv("SUDO_USER", "ann")
    monkeypatch.setenv("COLUMNS", "160")
    async with desk_on(empty_database, tmp_path) as desk:
        now = datetime.now(UTC)
        first = await add_agent(desk.database, "reception-pc")
        second = await add_agent(desk.database, "warehouse-pc", site="Depot")
        readings = (
            (first, laser("d1", at=now, host="10.0.0.1", serial="S1")),
            (first, laser("d2", at=now, host="10.0.0.2", serial="S2")),
            (second, laser("d3", at=now, host="10.0.0.1", serial="S3")),
        )
        for number, (agent, reading) in enumerate(readings, 1):
            await tell(desk.database, agent, [row(reading, number)])
        await desk.database.execute("UPDATE agents SET policy = $1, channel = 'wss', audit_number = 7", POLICY)
        await desk.database.execute("UPDATE agents SET audit_hash = $1 WHERE id = $2", bytes(range(32)), first.id)
        yield Office(desk, (first, second), tmp_path)


async def test_a_task_is_asked_for_by_a_devices_serial_number_and_its_story_shown(office: Office) -> None:
    words = ("--device", "s2", "--reason", "toner call", "--param", "full=true", "--param", "note=a b", "--for", "10m")
    (made,) = await office.json("task", "new", "read", *words)
    assert (made["agent_id"], made["device_id"]) == (str(office.agents[0].agent_id), "d2")
    assert (made["parameters"], made["requested_by"], made["reason"]) == (
        {"full": True, "note": "a b"},
        who_asks(),
        "toner call",
    )
    assert made["state"] == "open"
    (listed,) = await office.json("task", "list", "--device", "S2", "--state", "open")
    assert listed["id"] == made["id"]
    assert await office.json("task", "list", "--agent", "warehouse-pc") == []
    end = told(made["id"], wire.TASK_STATE_DONE, 9, text="read \x1b[31mred", result='{"pages": 7}')
    await tell(office.database, office.agents[0], [end])
    printed = await office.say("task", "show", made["id"][:8])
    assert "toner call" in printed.out
    assert '"pages": 7' in printed.out
    assert "\x1b" not in printed.out
    (shown,) = await office.json("task", "show", made["id"])
    assert shown["result"] == {"pages": 7}
    assert [event["state"] for event in shown["events"]] == ["open", "done"]
    table = await office.say("task", "list")
    assert made["id"][:8] in table.out
    assert "\x1b" not in table.out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("read", "--device", "10.0.0.1"), "2 devices fit"),
        (("read", "--device", "nothing"), "there is no device 'nothing'"),
        (("read", "--device", "S3", "--agent", "reception-pc"), "at agent reception-pc"),
        (("read", "--agent", "nobody"), "dca hub agent list"),
        (("read",), "say whom to ask"),
        (("raed", "--device", "S1"), "did you mean read?"),
        (("device_restart", "--device", "S1"), "--anyway"),
        (("read", "--device", "S1", "--for", "8d"), "from 1s to 7d"),
        (("read", "--device", "S1", "--not-before", "tomorrow"), "is no time"),
        (("read", "--device", "S1", "--param", "x"), "NAME=VALUE"),
        (("read", "--device", "S1", "--reason", "two\nlines"), "in one line"),
    ],
)
async def test_what_cannot_be_asked_is_said(office: Office, words: tuple[str, ...], says: str) -> None:
    printed = await office.say("task", "new", *words)
    assert printed.code != 0
    assert says in " ".join(printed.err.replace("│", " ").split())
    assert "Traceback" not in printed.err
    assert await office.database.fetchval("SELECT count(*) FROM tasks") == 0


async def test_a_device_that_two_agents_see_is_asked_by_the_one_that_is_named(office: Office) -> None:
    (made,) = await office.json("task", "new", "read", "--device", "10.0.0.1", "--agent", "Warehouse-PC")
    assert made["device_id"] == "d3"


async def test_a_task_is_followed_to_its_end(office: Office) -> None:
    waiting = asyncio.create_task(office.say("task", "new", "read", "--device", "S1", "--wait", "20"))
    async with asyncio.timeout(20):
        while (task := await office.database.fetchval("SELECT id FROM tasks")) is None:  # noqa: ASYNC110 - tables tell nobody
            await asyncio.sleep(0.05)
    await tell(office.database, office.agents[0], [told(task, wire.TASK_STATE_FAILED, 8, text="no reply in 2 s")])
    printed = await waiting
    assert printed.code == 1
    assert str(task) in printed.out.splitlines()[0]
    assert "no reply in 2 s" in printed.out


async def test_a_wait_ends_in_time(office: Office) -> None:
    printed = await office.say("task", "new", "discover", "--agent", "reception-pc", "--wait", "0.2")
    assert printed.code == 1
    assert "dca approve" in printed.out
    assert "not at its end" in printed.err


async def test_a_task_is_cancelled(office: Office) -> None:
    (made,) = await office.json("task", "new", "read", "--device", "S1")
    assert "no agent had it yet" in (await office.say("task", "cancel", made["id"], "--reason", "mistake")).out
    (shown,) = await office.json("task", "show", made["id"])
    assert (shown["state"], shown["events"][-1]["by"], shown["events"][-1]["text"]) == (
        "cancelled",
        who_asks(),
        "mistake",
    )


async def test_listing_notices_what_has_expired(office: Office) -> None:
    made = await office.desk.ask(office.agents[0], now=NOON)
    (listed,) = await office.json("task", "list")
    assert (listed["id"], listed["state"]) == (str(made.id), "expired")


async def test_agents_are_listed_with_what_matters_of_them(office: Office) -> None:
    until = datetime.now(UTC) + timedelta(days=30)
    await office.database.execute("UPDATE agents SET certificate_until = $1, clone_seen_at = now()", until)
    printed = await office.say("agent", "list")
    for word in ("Depot", "reception-pc", "wss", f"{until:%Y-%m-%d}", "1 allow, 1 ask, 1 deny", "two copies"):
        assert word in printed.out
    found = await office.json("agent", "list")
    assert [agent["hostname"] for agent in found] == ["warehouse-pc", "reception-pc"]
    shown = await office.say("agent", "show", "reception-pc")
    assert f"7:{bytes(range(32)).hex()}" in shown.out
    assert "device_restart" in shown.out


async def test_an_agent_is_revoked_and_restored_and_running_hubs_hear_of_it(office: Office) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    await office.database.add_listener("dca_agents", lambda *told: heard.put_nowait(told[3]))
    agent = str(office.agents[0].agent_id)
    assert (await office.say("agent", "revoke", agent[:8], "--reason", "stolen")).code == 0
    assert await asyncio.wait_for(heard.get(), 5) == agent
    record = await office.database.fetchrow("SELECT revoked_at, revoked_reason FROM agents WHERE agent_id = $1", agent)
    assert record["revoked_at"] is not None
    assert record["revoked_reason"] == "stolen"
    assert "is revoked already" in (await office.say("agent", "revoke", agent, "--reason", "again")).err
    assert "revoked" in (await office.say("agent", "list")).out
    assert (await office.say("agent", "restore", agent)).code == 0
    assert await asyncio.wait_for(heard.get(), 5) == agent
    assert "is not revoked" in (await office.say("agent", "restore", agent)).err

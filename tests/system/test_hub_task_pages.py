"""The pages that show tasks, and the marks of agents, on real PostgreSQL servers and in Chromium."""

from __future__ import annotations

import json
import struct
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx
import pytest
from browser import Page, browser

from dca.hub.database import open_pool
from dca.hub.settings import Address
from dca.hub.stream import Link, Live
from dca.hub.web import Install, WebServer, make_app
from dca.model import Secret
from dca.wire import task_pb2 as wire
from tests.hub.errands import Desk, add_agent, desk_on, tell, told
from tests.hub.office import laser, row

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path
    from uuid import UUID

    from dca.hub.agents import AgentRef

HOSTILE = '"><script>alert(1)</script><img src=x onerror=document.body.dataset.owned=1>'
LONG = "x" * 200
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


class Place:
    """Pages on a database with a few agents and tasks."""

    def __init__(self, desk: Desk, agent: AgentRef, url: str) -> None:
        self.desk = desk
        self.agent = agent
        self.url = url
        self.tasks: list[UUID] = []
        self.rows = 100

    async def get(self, path: str) -> httpx.Response:
        async with httpx.AsyncClient(base_url=self.url, timeout=10) as reader:
            return await reader.get(path)

    async def ask(self, kind: str, ago: timedelta, *, state: int = 0, **fields: str) -> UUID:
        """Ask for a task some time ago, and tell a state of it."""
        now = datetime.now(UTC)
        named = {"text", "code", "result"} & fields.keys()
        outcome = {name: fields.pop(name) for name in named}
        made = await self.desk.ask(self.agent, kind, now - ago, **fields)
        if state:
            await self.desk.handed(self.agent, now - ago + SECOND)
            self.rows += 1
            news = [told(made.id, state, self.rows, at=now - ago + 2 * SECOND, **outcome)]
            await tell(self.desk.database, self.agent, news)
        self.tasks.append(made.id)
        return made.id


@asynccontextmanager
async def served(url: str) -> AsyncIterator[str]:
    """Serve the pages of a database."""
    pool = await open_pool(url, 3)
    web = WebServer(Address("127.0.0.1", 0))
    install = Install("127.0.0.1:4443", loopback=True, data="/srv/hub", ca_file=None, ca_fingerprint=None)
    address = web.bind()
    await web.start(make_app(pool, Live(Link(Secret("nats://127.0.0.1:1"))), install))
    try:
        yield f"http://{address}/"
    finally:
        await web.stop()
        await pool.close()


@pytest.fixture
async def place(empty_database: str, tmp_path: Path) -> AsyncIterator[Place]:
    async with desk_on(empty_database, tmp_path) as desk, served(empty_database) as url:
        agent = await add_agent(desk.database, site="Miller & Sons")
        now = datetime.now(UTC)
        reading = laser("0a00000000000001", at=now - MINUTE, host="10.20.0.11")
        await tell(desk.database, agent, [row(reading, 1)])
        made = Place(desk, agent, url)
        device = {"device_id": "0a00000000000001"}
        result = json.dumps({"objects": [{"oid": "1.3.6.1.2.1.1.1.0", "value": "Acme Color 3"}] * 3, "more": 812})
        await made.ask(
            "walk", 50 * MINUTE, state=wire.TASK_STATE_DONE, text="815 objects in 4 s", result=result, role="support",
            parameters={"root": "1.3.6.1.2.1.43"}, **device,
        )  # fmt: skip
        await made.ask(
            "device_restart", 30 * MINUTE, state=wire.TASK_STATE_REFUSED, code="denied",
            text="the policy denies device_restart here (rule 2: all but weekends)", **device,
        )  # fmt: skip
        await made.ask("discover", 9 * MINUTE, state=wire.TASK_STATE_RUNNING, text="2 of 7 ranges searched")
        await made.ask("logs", 5 * MINUTE, state=wire.TASK_STATE_FAILED, text="the log cannot be read", code="failed")
        await made.ask("read", SECOND, reason="customer on the phone", **device)
        yield made


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with browser() as tab:
        yield tab


async def test_the_latest_tasks_are_there_without_scripts_newest_first(place: Place) -> None:
    text = (await place.get("tasks")).text
    for said in ("815 objects in 4 s", "2 of 7 ranges searched", "Refused", "Open", "customer on the phone", "by ann"):
        assert said in text
    places = [text.index(str(task)) for task in place.tasks]
    assert places == sorted(places, reverse=True)


async def test_a_task_has_its_whole_story(place: Place) -> None:
    text = (await place.get(f"tasks/{place.tasks[0]}")).text
    for said in ("Asked", "Handed out", "Done", "815 objects", "as support", "toner call 4711", "Acme Color 3", "root"):
        assert said in text
    assert text.index(">Asked<") < text.index(">Handed out<") < text.index("by agent")
    assert "data-again" not in text
    assert "data-again" in (await place.get(f"tasks/{place.tasks[2]}")).text


async def test_a_device_shows_its_tasks_and_the_fleet_leads_to_all(place: Place) -> None:
    text = (await place.get(f"devices/{place.agent.agent_id}/0a00000000000001")).text
    assert str(place.tasks[0]) in text
    assert str(place.tasks[2]) not in text
    assert 'href="/tasks"' in (await place.get("")).text


@pytest.mark.parametrize("path", [f"tasks/{uuid4()}", "tasks/x", "tasks/%00", "tasks/" + "9" * 400])
async def test_what_is_no_task_is_said(place: Place, path: str) -> None:
    answer = await place.get(path)
    assert answer.status_code == 404
    assert "There is no such task" in answer.text


async def test_nothing_asked_yet_says_how(empty_database: str, tmp_path: Path) -> None:
    async with desk_on(empty_database, tmp_path), served(empty_database) as url, httpx.AsyncClient() as reader:
        assert "dca hub task new" in (await reader.get(f"{url}tasks")).text


async def test_an_agents_marks_are_on_the_fleet(place: Place) -> None:
    await place.desk.database.execute("UPDATE agents SET channel = 'down'")
    assert "channel is down" in (await place.get("")).text
    await place.desk.database.execute(
        "UPDATE agents SET revoked_at = now(), revoked_reason = 'stolen & sold', audit_broken_at = now()"
    )
    text = (await place.get("")).text
    for said in ("revoked", "stolen &amp; sold", "audit log was changed"):
        assert said in text
    assert "channel is down" not in text


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
async def test_it_fits_a_phone_and_a_desk_and_the_browser_has_no_complaint(
    place: Place, page: Page, width: int, scheme: str, tmp_path: Path
) -> None:
    long = await place.ask("read", MINUTE, state=wire.TASK_STATE_DONE, text=LONG, result=json.dumps({LONG: LONG}))
    device = f"devices/{place.agent.agent_id}/0a00000000000001"
    for number, path in enumerate(("tasks", f"tasks/{place.tasks[0]}", f"tasks/{long}", device, "")):
        await page.open(f"{place.url}{path}", width, scheme)
        await page.until("document.getElementById('live').classList.contains('up')")
        assert await page.value("document.documentElement.scrollWidth") <= width
        picture = await page.screenshot()
        assert struct.unpack(">I", picture[16:20])[0] == width
        (tmp_path / f"{number}-{width}-{scheme}.png").write_bytes(picture)
    assert page.complaints == []


async def test_a_task_that_goes_on_is_followed(place: Place, page: Page) -> None:
    await page.open(f"{place.url}tasks/{place.tasks[2]}")
    await page.until("document.getElementById('live').classList.contains('up')")
    end = told(place.tasks[2], wire.TASK_STATE_DONE, 900, at=datetime.now(UTC), text="25 devices found")
    await tell(place.desk.database, place.agent, [end])
    await page.until("document.body.textContent.includes('25 devices found')")
    await page.until("!document.querySelector('[data-again]')")
    assert page.complaints == []


async def test_what_people_and_agents_say_is_text_and_nothing_else(place: Place, page: Page) -> None:
    made = await place.ask(
        "read", SECOND, state=wire.TASK_STATE_FAILED, text=HOSTILE, code=HOSTILE[:40],
        result=json.dumps({HOSTILE: HOSTILE}), reason=HOSTILE, role=HOSTILE[:60], parameters={HOSTILE: HOSTILE},
    )  # fmt: skip
    await place.desk.database.execute(
        "UPDATE agents SET hostname = $1, revoked_at = now(), revoked_reason = $1", HOSTILE
    )
    for path in ("tasks", f"tasks/{made}", ""):
        await page.open(f"{place.url}{path}")
        await page.until("document.body.textContent.includes('onerror=document')")
        assert not await page.value("document.querySelectorAll('main img').length")
        assert await page.value("document.body.dataset.owned") is None
    assert page.complaints == []

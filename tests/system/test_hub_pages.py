"""The pages of the real hub, over HTTP and in Chromium."""

from __future__ import annotations

import asyncio
import os
import signal
import struct
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import grpc
import httpx
import pytest
from browser import Page, browser

from dca.hub.engines.process import processes_in
from dca.wire.report_pb2_grpc import TelemetryStub
from tests.hub.enrolled import channel, enrol
from tests.hub.office import laser, office, report, row, snapshot
from tests.hub.process import HubProcess, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from dca.wire.snapshot_pb2 import Snapshot

STRANGER = str(uuid4())
NOT_SEEN = "0a00000000000006"


class Office:
    """A hub with one site whose agent tells what a test makes up."""

    def __init__(self, hub: HubProcess) -> None:
        self.hub = hub
        self.url = hub.ready["web"]
        self.identity = enrol(hub, "Miller & Sons")
        self.agent = self.identity.agent_id
        self.number = 0

    async def tell(self, *snapshots: Snapshot) -> None:
        rows = []
        for found in snapshots:
            self.number += 1
            rows.append(row(found, self.number))
        async with channel(self.hub, self.identity) as line:
            await TelemetryStub(line).Report(report(rows, self.agent), timeout=20)

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", timeout=10)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with running(tmp_path_factory.mktemp("pages") / "data") as hub:
        made = Office(hub)
        now = datetime.now(UTC)
        silent = laser(NOT_SEEN, at=now - timedelta(hours=9), host="10.20.0.16", serial="XXX00006", console=["Ready"])
        failure = snapshot(
            NOT_SEEN, at=now - timedelta(hours=8), host="10.20.0.16", kind=3, outcome=3, reason="no reply in 2 s"
        )
        asyncio.run(made.tell(*office(now - timedelta(minutes=4)), silent, failure))
        yield made


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with browser() as tab:
        yield tab


def test_an_empty_hub_greets_and_says_what_to_do(hub: HubProcess) -> None:
    text = httpx.get(hub.ready["web"], timeout=10).text
    assert "dca hub" in text


def test_the_fleet_is_there_without_scripts(place: Office) -> None:
    text = place.get("").text
    assert "Miller &amp; Sons" in text
    for found in office():
        assert found.device.model in text
        assert found.device.serial in text
    assert "No answer since" in text
    assert "no reply in 2 s" in text
    assert "Open cover 3 and remove the paper" in text


def test_each_device_has_its_page(place: Office) -> None:
    text = place.get(f"devices/{place.agent}/0a00000000000002").text
    assert "Paper jam in the fuser unit" in text
    assert "1.3.6.1.2.1.43.11.1.1.9.1.1" in text


@pytest.mark.parametrize(
    "path",
    [
        "nothing",
        "sites/999",
        "sites/x",
        f"devices/{STRANGER}/nothing",
        "devices/x/y",
        "static/../app.py",
        "static/%2e%2e/app.py",
        "sites/99999999999999999999",
        f"devices/{STRANGER}/%00",
    ],
)
def test_what_is_not_there_is_said_in_the_same_dress(place: Office, path: str) -> None:
    answer = place.get(path)
    assert answer.status_code == 404
    assert "content-security-policy" in answer.headers


@pytest.mark.parametrize("query", ["?page=0", "?page=99", "?page=x", "?page=-1", "?page=" + "9" * 40])
def test_pages_of_a_site_that_are_none_are_empty(place: Office, query: str) -> None:
    assert place.get(f"sites/1{query}").status_code == 200


def test_only_this_machines_names_are_answered(place: Office) -> None:
    assert httpx.get(place.url, headers={"host": "evil.example"}, timeout=5).status_code == 421
    assert httpx.post(place.url, timeout=5).status_code == 405


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
async def test_it_fits_a_phone_and_a_desk_and_the_browser_has_no_complaint(
    place: Office, page: Page, width: int, scheme: str, tmp_path: Path
) -> None:
    wide = laser("0a000000000000dd", at=datetime.now(UTC), model="x" * 200, location="y" * 200, console=["z" * 200])
    await place.tell(wide)
    for path in ("", "sites/1", f"devices/{place.agent}/0a00000000000002", f"devices/{place.agent}/0a000000000000dd"):
        await page.open(f"{place.url}{path}", width, scheme)
        await page.until("document.getElementById('live').classList.contains('up')")
        assert await page.value("document.documentElement.scrollWidth") <= width
        assert await page.value("getComputedStyle(document.body).backgroundColor") == (
            "rgb(244, 246, 248)" if scheme == "light" else "rgb(14, 19, 24)"
        )
        picture = await page.screenshot()
        assert struct.unpack(">I", picture[16:20])[0] == width
        (tmp_path / f"{width}-{scheme}.png").write_bytes(picture)
    assert page.complaints == []


async def test_what_the_stream_brings_is_swapped_in(place: Office, page: Page) -> None:
    await page.open(place.url)
    await page.until("document.getElementById('live').classList.contains('up')")
    await page.value("document.body.dataset.same = 'yes'")
    await place.tell(laser("0a00000000000001", at=datetime.now(UTC), host="10.20.0.11", total=777_001))
    selector = f"#device-{place.agent}-0a00000000000001"
    await page.until(f"document.querySelector('{selector} .total').textContent.includes('777')")
    assert await page.value(f"document.querySelector('{selector}').classList.contains('fresh')")
    assert await page.value("document.body.dataset.same") == "yes"
    assert page.complaints == []


async def test_a_new_device_appears_by_itself(place: Office, page: Page) -> None:
    await page.open(place.url)
    await page.until("document.getElementById('live').classList.contains('up')")
    await place.tell(laser("0a000000000000ff", at=datetime.now(UTC), model="Brand new 3000"))
    await page.until("document.body.textContent.includes('Brand new 3000')")
    assert page.complaints == []


async def test_hostile_devices_stay_text(place: Office, page: Page) -> None:
    hostile = "<img src=x onerror=document.body.dataset.owned=1>"
    await page.open(place.url)
    await page.until("document.getElementById('live').classList.contains('up')")
    made = laser("0a000000000000ee", at=datetime.now(UTC), model=hostile, location=hostile, console=[hostile])
    await place.tell(made)
    await page.until("document.body.textContent.includes('onerror=document')")
    await place.tell(made)
    await asyncio.sleep(1.5)
    assert not await page.value("document.querySelectorAll('main img').length")
    assert await page.value("document.body.dataset.owned") is None
    assert page.complaints == []


async def test_it_goes_on_with_the_database_away(tmp_path: Path) -> None:
    with running(tmp_path / "data") as hub:
        identity = enrol(hub)
        leader = int((tmp_path / "data" / "postgres" / "postmaster.pid").read_text().split()[0])
        assert leader in processes_in(tmp_path / "data" / "postgres", "postgres")
        os.kill(leader, signal.SIGKILL)
        async with httpx.AsyncClient(base_url=hub.ready["web"], timeout=10) as reader:
            assert (await reader.get("/")).status_code in {200, 503}
        async with channel(hub, identity) as line:
            for _ in range(60):
                try:
                    await TelemetryStub(line).Report(report([row(laser(), 1)], identity.agent_id), timeout=10)
                    break
                except grpc.aio.AioRpcError as error:
                    if error.code() is not grpc.StatusCode.UNAVAILABLE:
                        raise
                    await asyncio.sleep(0.25)
        async with httpx.AsyncClient(base_url=hub.ready["web"], timeout=10) as reader:
            assert "HP Color LaserJet" in (await reader.get("/")).text

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

import pytest

from dca.hub.web.app import Install
from dca.hub.web.queries import Cut, Fleet
from dca.hub.web.render import Renderer
from dca.hub.web.views import device_view
from tests.hub.office import NOON, laser
from tests.hub.test_views import AGENT, record

INSTALL = Install(
    grpc="127.0.0.1:4443", loopback=True, data="/srv/hub", ca_file="/srv/hub/ca.pem", ca_fingerprint="AA:BB"
)
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


def agent(**changes: object) -> dict[str, object]:
    return {
        "id": 1,
        "agent_id": AGENT,
        "site": 1,
        "site_name": "Office",
        "version": "0.1.0",
        "hostname": "reception-pc",
        "platform": "linux-x86_64",
        "devices": 5,
        "devices_answering": 4,
        "backlog": 0,
        "clock_offset_s": 0.2,
        "last_report_at": NOON,
        "clone_seen_at": None,
        "channel": "wss",
        "revoked_at": None,
        "revoked_reason": None,
        "audit_broken_at": None,
    } | changes


def summary(**changes: int) -> dict[str, int]:
    names = ("sites", "agents", "agents_reporting", "devices", "devices_answering", "devices_asleep", "devices_silent")
    return dict.fromkeys(names, 1) | changes


def fleet_page(devices=None, agents=None, sites=None, **changes) -> str:
    devices = [record(full=laser()) | {"of_site": 1}] if devices is None else devices
    sites = [{"id": 1, "name": "Office"}] if sites is None else sites
    fleet = Fleet(sites, [agent(**changes)] if agents is None else agents, devices, summary(sites=len(sites)))
    return Renderer().fleet(fleet, Cut(None, 60), INSTALL, NOON + timedelta(minutes=1))


def device_page(row: dict[str, object]) -> str:
    return Renderer().device(device_view(row), agent(), [], NOON)


def hostile_record() -> dict[str, object]:
    made = laser(
        model=HOSTILE, serial=HOSTILE, location=HOSTILE, console=[HOSTILE], alerts=[(HOSTILE, HOSTILE, HOSTILE)]
    )
    made.status = HOSTILE
    made.errors.append(HOSTILE)
    for supply in made.supplies:
        supply.description = supply.color = supply.type = supply.part_number = supply.source = supply.unit = HOSTILE
    for meter in made.meters:
        meter.name = meter.unit = meter.source = HOSTILE
    for tray in made.trays:
        tray.name = tray.media = tray.source = tray.direction = tray.state = HOSTILE
    made.device.sources["serial"] = HOSTILE
    made.device.description = HOSTILE
    texts = dict.fromkeys(("model", "serial", "location", "name", "host", "reason", "range", "asset"), HOSTILE)
    return record(full=made) | texts | {"of_site": 1, "outcome": 3}


@pytest.mark.parametrize("page", ["fleet", "device"])
def test_what_devices_say_is_text_and_nothing_else(page: str) -> None:
    html = fleet_page([hostile_record()], hostname=HOSTILE) if page == "fleet" else device_page(hostile_record())
    assert "&lt;script&gt;" in html
    assert "<script>" not in html
    assert "<img src=x" not in html


@pytest.mark.parametrize("page", ["fleet", "device", "empty", "error"])
def test_a_page_keeps_to_its_own_policy(page: str) -> None:
    html = {
        "fleet": fleet_page,
        "device": lambda: device_page(record(full=laser())),
        "empty": lambda: fleet_page([], [], []),
        "error": lambda: Renderer().error("gone"),
    }[page]()
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", html)
    assert not re.search(r"<script(?! src=\"/static/)", html)
    assert not re.search(r"(?:src|href)=\"(?!/)", html)


def test_supplies_are_bars_with_words() -> None:
    html = fleet_page([record(full=laser(levels=(64, None, 8, 77))) | {"of_site": 1}])
    assert 'aria-label="Black: 64\u202f%"' in html
    assert '<rect class="tint-black" width="64.0" height="8"/>' in html
    assert 'aria-label="Cyan: some left"' in html
    assert "tint-cyan" in html
    assert 'class="tint-cyan" width' not in html


def test_an_empty_hub_says_what_to_do_next() -> None:
    html = fleet_page([], [], [])
    assert "dca hub site add" in html
    assert "dca activate CODE --hub 127.0.0.1:4443" in html
    assert "AA:BB" in html
    assert "from this machine only" in html


def test_a_site_without_agent_says_what_to_do_next() -> None:
    html = fleet_page([], [])
    assert "No agent has reported for this site yet" in html
    assert "dca hub code new" in html
    assert "dca hub site add" not in html


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"last_report_at": NOON - timedelta(minutes=20)}, "no report since"),
        ({"clock_offset_s": -420.0}, "clock 7 min behind"),
        ({"clock_offset_s": 3 * 86400.0}, "clock 3 d ahead"),
        ({"backlog": 1200}, "1\u202f200 rows still waiting"),
        ({"clone_seen_at": NOON}, "two copies"),
        ({"channel": "wss"}, "takes tasks at once"),
        ({"channel": "down"}, '<span class="warn">its channel is down'),
        ({"revoked_at": NOON, "revoked_reason": "stolen"}, "revoked <time"),
        ({"revoked_at": NOON}, "grade-bad"),
        ({"audit_broken_at": NOON}, "audit log was changed"),
        ({}, "<b>4</b> of <b>5</b> answering"),
    ],
)
def test_an_agents_state_is_said(changes: dict[str, object], said: str) -> None:
    assert said in fleet_page(**changes)


def test_of_an_agent_that_does_not_report_no_channel_is_said() -> None:
    assert "takes tasks" not in fleet_page(last_report_at=NOON - timedelta(minutes=20))
    assert "takes tasks" not in fleet_page(revoked_at=NOON)


def test_a_quiet_agent_is_not_scolded() -> None:
    html = fleet_page()
    assert "clock" not in html
    assert "waiting" not in html


def test_a_silent_device_says_why_and_since_when_and_shows_no_old_display() -> None:
    row = record(outcome=3, silent_since=NOON, full=laser(console=["Ready"])) | {"reason": "no reply", "of_site": 1}
    html = fleet_page([row])
    assert "No answer since <time" in html
    assert "no reply" in html
    assert "last read <time" in html
    assert "Ready" not in html


def test_the_device_page_names_every_source() -> None:
    reading = laser(alerts=[("warning", "input", "Tray empty")])
    html = device_page(record(full=reading) | {"serial": reading.device.serial})
    sources = {
        item.source for part in (reading.meters, reading.supplies, reading.trays, reading.alerts) for item in part
    }
    assert all(f">{source}<" in html for source in sources)
    assert reading.device.sources["serial"] in html


def test_fragments_are_what_the_page_has() -> None:
    row = record(full=laser()) | {"of_site": 1}
    fragments = Renderer().fragments([row], [agent()], summary(), NOON + timedelta(minutes=1))
    page = fleet_page([row])
    assert set(fragments) == {"summary", f"device-{AGENT}-0a01", f"agent-{AGENT}"}
    for name, html in fragments.items():
        assert f'id="{name}"' in html
        assert html.strip() in page


def test_ids_are_made_of_checked_parts() -> None:
    assert re.fullmatch(r"device-[0-9a-f-]{36}-[0-9A-Za-z._:-]+", device_view(record(full=laser())).html_id)
    assert isinstance(AGENT, UUID)

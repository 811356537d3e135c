"""The kinds as a whole, and those that only hand on what the agent does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dca.contract.tasks import MAX_RESULT
from dca.errors import TaskError
from dca.tasks.kind import read_parameters
from dca.tasks.kinds import kinds


def test_each_kind_has_the_name_of_its_module_and_fair_defaults():
    found = kinds()
    assert all(name == kind.name and kind.summary.endswith(".") for name, kind in found.items())
    denied = {name for name, kind in found.items() if kind.default == "deny"}
    assert denied == {name for name, kind in found.items() if kind.changes}, "what changes something is denied"
    assert {"apply_config", "device_restart", "panel_message"} <= denied


def test_the_page_of_the_tasks_names_every_kind():
    page = (Path(__file__).parents[3] / "docs" / "tasks.md").read_text("utf-8")
    for name, kind in kinds().items():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{name}` |"))
        assert f"| {kind.default} |" in row
        assert f"| {kind.limit:.0f} s |" in row


@pytest.mark.parametrize("full", [True, False])
async def test_read_brings_a_digest(site_of, full):
    async with site_of("hp-mono") as (site, one, _):
        told = await site.run("read", json.dumps({"full": full}))
    assert told["outcome"] == "ok"
    assert told["status"] == "idle"
    assert told["total"] == one.state.counts.total
    assert told["supplies"][0]["percent"] == pytest.approx(one.state.supplies[1].left * 100, abs=1)
    assert told["supplies"][0]["state"] == "measured"
    assert told["requests"] > 0
    assert json.dumps(told)


async def test_read_of_a_silent_device_says_so_and_brings_no_old_number(site_of):
    async with site_of("hp-mono") as (site, one, _):
        one.silent = True
        told = await site.run("read")
    assert told["outcome"] == "no_answer"
    assert "gave no answer" in told["reason"]
    assert (told["total"], told["status"], told["supplies"]) == (None, None, [])


async def test_read_of_a_device_outside_the_ranges_is_refused(site_of):
    async with site_of("hp-mono", held=False) as (site, _, _):
        with pytest.raises(TaskError) as told:
            await site.run("read")
    assert told.value.code == "no_device"


async def test_discover_brings_figures(site_of):
    async with site_of("hp-mono") as (site, _, _):
        assert (await site.run("discover"))["printers"] == 2


async def test_logs_brings_the_last_lines_and_drops_the_oldest_where_they_are_too_long(site_of):
    async with site_of("hp-mono") as (site, _, _):
        site.logged = [f"line {n}" for n in range(500)]
        assert await site.run("logs", '{"lines": 2}') == {"lines": ["line 498", "line 499"], "cut": False}
        site.logged = ["ü" * 2000 + str(n) for n in range(100)]
        told = await site.run("logs", '{"lines": 100}')
    assert told["cut"]
    assert told["lines"][-1].endswith("99")
    assert MAX_RESULT - 15_000 < len(json.dumps(told)) <= MAX_RESULT


async def test_apply_config_hands_the_keys_on(site_of):
    async with site_of("hp-mono") as (site, _, _):
        told = await site.run("apply_config", '{"set": {"schedule.status": "10m"}}')
    assert told == {"in_force": {"schedule.status": "10m"}}
    assert site.applied == {"schedule.status": "10m"}


async def test_cancel_is_the_runners(site_of):
    async with site_of("hp-mono") as (site, _, _):
        with pytest.raises(TaskError, match="handled by the runner"):
            await site.run("cancel", '{"task": "1"}')


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("logs", '{"lines": 2001}'),
        ("logs", '{"lines": 0}'),
        ("apply_config", '{"set": {}}'),
        ("apply_config", '{"set": {" ": 1}}'),
        ("apply_config", "{}"),
        ("cancel", "{}"),
        ("discover", '{"x": 1}'),
        ("read", '{"full": 1}'),
    ],
)
def test_bad_parameters_are_refused(kind, parameters):
    with pytest.raises(TaskError) as told:
        read_parameters(kinds()[kind], parameters)
    assert told.value.code == "bad_parameters"

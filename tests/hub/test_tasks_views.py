from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from dca.hub.tasks.states import STATES
from dca.hub.tasks.story import Story
from dca.hub.web.task_views import SHOWN, pretty, steps_of, task_view
from tests.hub.office import NOON

MINUTE = timedelta(minutes=1)


def task(**changes: Any) -> Any:
    return {
        "id": uuid4(),
        "state": 0,
        "device_id": "d1",
        "manufacturer": "HP",
        "model": "HP LaserJet",
        "handed_at": None,
    } | changes


def event(minutes: int, state: str, **changes: Any) -> Any:
    named = {"at": NOON, "text": "", "code": "", "by": "agent"} | changes
    return named | {"received_at": NOON + minutes * MINUTE, "state": STATES[state]}


def what(events: list[Any], **changes: Any) -> list[str]:
    return [step.what for step in steps_of(Story(task(**changes), events))]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "HP LaserJet"),
        ({"manufacturer": "KYOCERA", "model": "FS-1"}, "KYOCERA FS-1"),
        ({"manufacturer": None, "model": None}, "d1"),
        ({"device_id": None}, ""),
    ],
)
def test_a_device_is_named_as_well_as_it_is_known(changes: dict[str, Any], said: str) -> None:
    assert task_view(task(**changes)).device == said


@pytest.mark.parametrize(("word", "over"), [("open", False), ("running", False), ("done", True), ("expired", True)])
def test_an_end_is_known_as_one(word: str, *, over: bool) -> None:
    view = task_view(task(state=STATES[word]))
    assert (view.state, view.over) == (word, over)


def test_handing_out_stands_where_it_happened() -> None:
    asked, done = event(0, "open", code="asked", by="ann"), event(9, "done")
    assert what([asked, done]) == ["Asked", "Done"]
    assert what([asked, done], handed_at=NOON + MINUTE) == ["Asked", "Handed out", "Done"]
    assert what([asked], handed_at=NOON + MINUTE) == ["Asked", "Handed out"]
    assert what([asked, done], handed_at=NOON - MINUTE) == ["Asked", "Handed out", "Done"]


def test_an_agent_cannot_speak_for_the_hub() -> None:
    assert what([event(0, "failed", code="asked"), event(1, "done", code="done_twice", by="hub")]) == [
        "Failed",
        "Done twice",
    ]


def test_a_long_result_is_cut_and_says_so() -> None:
    shown = pretty(json.dumps({"a": "x" * SHOWN}))
    assert len(shown) < SHOWN + 100
    assert "more characters" in shown
    assert pretty(None) == ""
    assert pretty('{"a":"é"}') == '{\n  "a": "é"\n}'

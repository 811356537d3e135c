from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dca.errors import HubError
from dca.hub.tasks.wish import LONGEST, Wish
from tests.hub.office import NOON

HOUR = timedelta(hours=1)


def wish(**changes: Any) -> Wish:
    named = {
        "kind": "read",
        "parameters": {},
        "requested_by": "ann",
        "role": "support",
        "reason": "r",
        "asked_at": NOON,
    }
    return Wish(**named | changes)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"kind": "Read"}, "no kind of task"),
        ({"kind": "x" * 41}, "no kind of task"),
        ({"kind": "a\n"}, "no kind of task"),
        ({"requested_by": ""}, "who asked"),
        ({"requested_by": "a" * 101}, "requested by: at most 100"),
        ({"reason": "a\nb"}, "reason: at most 500"),
        ({"reason": "\udcff"}, "reason: at most 500"),
        ({"role": "x" * 61}, "role: at most 60"),
        ({"life": 0.5}, "from 1 second to 7 days"),
        ({"life": math.nan}, "from 1 second to 7 days"),
        ({"life": LONGEST + 1}, "from 1 second to 7 days"),
        ({"life": LONGEST, "not_before": NOON + HOUR}, "from 1 second to 7 days"),
        ({"not_before": datetime.max.replace(tzinfo=NOON.tzinfo)}, "too far away"),
        ({"parameters": {"a": math.inf}}, "no JSON"),
        ({"parameters": {"a": object()}}, "no JSON"),
        ({"parameters": {"a": "\udcff"}}, "no JSON"),
        ({"parameters": {"a": "x\0"}}, "NUL"),
        ({"parameters": {"a": "x" * 32_000}}, "32000 are allowed"),
    ],
)
def test_what_no_agent_would_take_is_no_wish(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(HubError, match=says):
        wish(**changes)


def test_a_start_in_the_past_is_now() -> None:
    made = wish(not_before=NOON - HOUR, life=60)
    assert (made.starts_at, made.expires_at) == (NOON, NOON + HOUR / 60)


def test_the_longest_life_is_taken() -> None:
    assert wish(life=LONGEST).expires_at == NOON + timedelta(days=7)


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.none() | st.floats()), st.text(), st.floats())
def test_whatever_is_wished_is_signed_or_refused_in_words(parameters: dict[str, Any], reason: str, life: float) -> None:
    try:
        body = wish(parameters=parameters, reason=reason, life=life).body(uuid4(), uuid4(), 1)
    except HubError:
        return
    assert body.IsInitialized()
    assert body.SerializeToString()

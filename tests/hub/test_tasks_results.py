from __future__ import annotations

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dca.hub.ingest.results import DONE_TWICE, Told, fold_told, read_result
from dca.hub.ingest.rows import CheckedRow, check_rows
from dca.hub.tasks.states import FINAL, STATES, state_word
from dca.wire.task_pb2 import TaskState
from tests.hub.errands import told
from tests.hub.office import EPOCH, NOON

OPEN, WAITING, RUNNING, DONE, FAILED, EXPIRED = (STATES[word] for word in (
    "open", "waiting", "running", "done", "failed", "expired",
))  # fmt: skip
MINUTE = timedelta(minutes=1)


def checked(**fields) -> CheckedRow:
    named = {"task": uuid4(), "state": DONE, "number": 1} | fields
    return check_rows([told(named.pop("task"), named.pop("state"), named.pop("number"), **named)]).good[EPOCH, 1]


def states(*new: Told, known: Told | None = None) -> tuple[int, list[str]]:
    after, story = fold_told(known or Told(NOON, 0, OPEN), new, NOON)
    return after.state, [code for *_, code, _by in story]


def test_every_state_of_the_contract_has_a_word() -> None:
    assert {state_word(number) for number in TaskState.values()} == set(STATES)
    assert state_word(99) == "unknown"


def test_a_result_is_cut_and_cleaned() -> None:
    made = read_result(checked(text="a\0" + "b" * 5000, code="c" * 99, result='{"a": "\\u0000"}', at=None), NOON)
    assert (made.at, len(made.text), len(made.code), made.result) == (NOON, 2000, 40, '{"a": ""}')


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"task": "x"}, "no UUID"),
        ({"state": 0}, "no state of a task"),
        ({"state": 8}, "upgrade the hub"),
        ({"state": -1}, "no state of a task"),
    ],
)
def test_what_tells_of_no_task_is_refused(fields: dict[str, object], says: str) -> None:
    named = {"task": uuid4(), "state": DONE} | fields
    found = check_rows([told(named["task"], named["state"], 1)])  # type: ignore[arg-type]
    assert not found.good
    assert says in found.refused[0][1]


def test_later_news_replace_earlier_and_the_end_replaces_all_whatever_the_clock_says() -> None:
    waiting, running = Told(NOON, 1, WAITING), Told(NOON + MINUTE, 2, RUNNING)
    assert states(running, waiting)[0] == RUNNING
    assert states(waiting, known=running)[0] == RUNNING
    assert states(Told(NOON - MINUTE, 3, DONE), known=running)[0] == DONE
    assert states(Told(NOON, 2, RUNNING), Told(NOON, 1, WAITING))[0] == RUNNING


def test_the_first_end_stays_except_the_hubs_own_finding() -> None:
    assert states(Told(NOON, 2, FAILED), known=Told(NOON, 1, DONE))[0] == DONE
    found = Told(NOON, 0, EXPIRED, by_hub=True)
    assert states(Told(NOON - MINUTE, 2, DONE), known=found)[0] == DONE
    assert states(Told(NOON - MINUTE, 2, RUNNING), known=found)[0] == RUNNING
    assert states(Told(NOON, 2, EXPIRED), known=found) == (EXPIRED, [""])


def test_done_twice_is_two_ends_and_not_one_that_is_told_twice() -> None:
    done = Told(NOON, 1, DONE)
    assert states(Told(NOON, 9, DONE), known=done) == (DONE, [])
    assert states(Told(NOON + MINUTE, 2, DONE), known=done) == (DONE, ["", DONE_TWICE])


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 9), st.sampled_from(sorted(TaskState.values())[1:]))))
def test_in_whatever_order_news_come_an_end_is_an_end(news: list[tuple[int, int, int]]) -> None:
    known = Told(NOON, 0, OPEN)
    for minutes, number, state in news:
        before = known
        known, _ = fold_told(known, [Told(NOON + minutes * MINUTE, number, state)], NOON)
        assert before.state not in FINAL or known == before
    assert (known.state in FINAL) == any(state in FINAL for *_, state in news)


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
))  # fmt: skip
def test_whatever_a_result_holds_is_kept_as_json_or_left_out(value: object) -> None:
    made = read_result(checked(result=json.dumps({"value": value})), NOON)
    if made.result is None:
        assert "left out" in made.text
    else:
        assert "\\u0000" not in made.result
        assert json.loads(made.result).keys() == {"value"}

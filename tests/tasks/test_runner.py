"""One handler at work: what it brings is told, or why it brought nothing."""

from __future__ import annotations

import asyncio
import json

import pytest

from dca.contract.tasks import MAX_RESULT
from dca.errors import NoAnswerError
from dca.tasks.runner import Run
from dca.tasks.states import State
from tests.tasks.counter import Works, kinds_of

KINDS = kinds_of(Works())


def run_of(name: str = "look") -> tuple[Run, list[str]]:
    lines: list[str] = []
    return Run(KINDS[name], "5f0c8a1e", lines.append), lines


async def brings(result):
    return result


@pytest.mark.parametrize("result", [None, [1], "text", {"a": float("nan")}, {"a": object()}, {("a",): 1}])
async def test_what_is_no_json_object_is_a_bug(result):
    found = await run_of()[0].outcome(brings(result))
    assert (found.state, found.code, found.result) == (State.FAILED, "bug", "")


async def test_what_is_too_large_is_not_sent():
    found = await run_of()[0].outcome(brings({"a": "x" * MAX_RESULT}))
    assert (found.state, found.code, found.result) == (State.FAILED, "too_large", "")


async def test_what_is_just_small_enough_travels_in_one_row():
    result = {"a": "\u00e9" * ((MAX_RESULT - len('{"a": ""}')) // 6)}
    found = await run_of()[0].outcome(brings(result))
    assert (found.state, json.loads(found.result)) == (State.DONE, result)
    assert found.result.isascii()


async def test_an_error_of_ours_is_told_in_its_words():
    async def silent():
        raise NoAnswerError("127.0.0.2 gave no answer")

    found = await run_of()[0].outcome(silent())
    assert (found.state, found.code, found.text) == (State.FAILED, "failed", "127.0.0.2 gave no answer")


@pytest.mark.parametrize(("why", "state"), [("cancelled", State.CANCELLED), ("interrupted", State.FAILED)])
async def test_one_that_is_stopped_before_its_first_step_does_nothing(why, state):
    done = []

    async def work():
        done.append(1)
        return {}

    run, _ = run_of()
    run.stop(why)
    found = await run.outcome(work())
    assert (found.state, found.code, done) == (state, why, [])


async def test_one_that_ends_well_although_it_was_told_to_end_is_done():
    async def work():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return {"last": "word"}

    run, _ = run_of()
    ending = asyncio.create_task(run.outcome(work()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    run.stop("cancelled")
    assert (await ending).state is State.DONE


async def test_a_line_after_the_end_is_not_told():
    run, lines = run_of()
    await run.outcome(brings({}))
    run.progress("too late")
    assert lines == []

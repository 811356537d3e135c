"""The channel as the session sees it: each change is noted, and a channel that is gone makes the agent ask the hub."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses

import pytest

from dca.agent.hearing import Hearing


class Channel:
    def __init__(self) -> None:
        self.state = "wss"
        self.last_error = "the line was cut"

    async def run(self) -> None:
        await asyncio.Event().wait()


@pytest.fixture
def channel(monkeypatch) -> Channel:
    made = Channel()
    monkeypatch.setattr("dca.agent.hearing.open_channel", lambda *_: made)
    monkeypatch.setattr("dca.agent.hearing.LOOK", 0.01)
    return made


async def until(condition) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # the parts tell nobody
            await asyncio.sleep(0.001)


async def test_a_channel_that_is_lost_is_noted_and_the_hub_is_asked_why(parts, config, channel) -> None:
    noted, calls = [], []

    async def note() -> None:
        noted.append(hearing.state)

    known = dataclasses.replace(parts, badge=object(), desk=object())
    hearing = Hearing(config, known, call=lambda: calls.append(hearing.state), note=note, chance=lambda: 0.5)
    tasks = hearing.start()
    try:
        await until(lambda: noted == ["wss"])
        assert (calls, hearing.fault) == ([], "")
        channel.state = "down"
        await until(lambda: calls == ["down"])
        assert hearing.fault == "the line was cut"
        channel.state = "mqtts"
        await until(lambda: noted == ["wss", "down", "mqtts"])
        assert calls == ["down"]
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def test_without_an_identity_nothing_is_listened_to(parts, config, channel) -> None:
    async def note() -> None:
        raise AssertionError

    hearing = Hearing(config, parts, call=lambda: None, note=note)
    assert hearing.start() == []
    assert hearing.state == "off"

"""Servers that are away: said at once, in words that hold no secret."""

from __future__ import annotations

import asyncio
import logging
import socket

import pytest

from dca.errors import HubError
from dca.hub.database import connect
from dca.hub.stream import Link
from dca.model import Secret


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


async def heard(caplog: pytest.LogCaptureFixture, words: str) -> str:
    async with asyncio.timeout(10):
        while True:
            for record in caplog.records:
                if words in record.getMessage():
                    return record.getMessage()
            await asyncio.sleep(0.01)


async def test_nats_that_is_away_is_told_once_and_tried_on(caplog: pytest.LogCaptureFixture) -> None:
    link = Link(Secret(f"nats://s3cret@127.0.0.1:{closed_port()}"))
    link.open()
    try:
        said = await heard(caplog, "NATS does not answer")
        assert "readings are stored all the same" in said
        await link._failed(OSError("again"))
        assert sum("does not answer" in record.getMessage() for record in caplog.records) == 1
        assert "s3cret" not in caplog.text
        assert link._connecting is not None
        assert not link._connecting.done()
    finally:
        await link.close()


async def test_an_address_of_nats_that_is_none_is_told(caplog: pytest.LogCaptureFixture) -> None:
    link = Link(Secret("nats://s3cret@[::1:4222"))
    link.open()
    assert await heard(caplog, "--nats-url cannot be used")
    assert "s3cret" not in caplog.text
    await link.close()


async def test_a_database_that_is_away_is_waited_for_with_words(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    port = closed_port()
    with pytest.raises(HubError, match=f"the database at 127.0.0.1:{port} does not answer") as caught:
        await connect(f"postgresql://dca:s3cret@127.0.0.1:{port}/dca", patience=0.6)
    assert f"for the database at 127.0.0.1:{port}" in caplog.text
    assert "s3cret" not in caplog.text + str(caught.value)

"""Who the agent is: as the hub knows it, else as it was, else made once; also where the state file went."""

from __future__ import annotations

import logging
import uuid

import pytest

from dca.store import Store
from dca.store.files import DATABASE
from dca.telemetry.agent_id import agent_id

KNOWN = "11111111-2222-4333-8444-555555555555"
OTHER = "99999999-2222-4333-8444-555555555555"


def entropy(byte: int):
    return lambda count: bytes([byte]) * count


class Home:
    """A state directory that is opened anew for each look."""

    def __init__(self, directory) -> None:
        self.directory = directory

    async def look(self, **given) -> str:
        store = await Store.open(self.directory)
        try:
            return await agent_id(store, **given)
        finally:
            await store.close()

    @property
    def beside(self) -> str:
        return (self.directory / "agent-id").read_text().strip()


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "state")


async def test_one_is_made_at_the_first_start_and_kept(home):
    made = await home.look(entropy=entropy(1))
    assert uuid.UUID(made).version == 4
    assert await home.look(entropy=entropy(2)) == made == home.beside


async def test_the_hubs_word_stands_above_what_was_made(home):
    made = await home.look(entropy=entropy(1))
    assert await home.look(known_as=KNOWN) == KNOWN != made
    assert await home.look() == KNOWN == home.beside


async def test_another_activation_makes_another_agent(home):
    await home.look(known_as=KNOWN)
    assert await home.look(known_as=OTHER) == OTHER
    assert await home.look(entropy=entropy(1)) == OTHER == home.beside


async def test_a_state_file_that_went_away_does_not_change_who_it_is(home):
    await home.look(known_as=KNOWN)
    for file in home.directory.glob(f"{DATABASE}*"):
        file.unlink()
    assert await home.look(entropy=entropy(1)) == KNOWN


@pytest.mark.parametrize("junk", [b"", b"printer-pc\n", b"\xff\xfe", b"1" * 5000])
async def test_a_spoilt_copy_beside_is_written_anew(home, junk):
    await home.look(known_as=KNOWN)
    (home.directory / "agent-id").write_bytes(junk)
    assert await home.look() == KNOWN == home.beside


async def test_a_copy_that_cannot_be_written_is_told_and_stops_nothing(home, caplog):
    (home.directory / "agent-id").mkdir(parents=True)
    home.directory.chmod(0o700)
    with caplog.at_level(logging.WARNING):
        assert await home.look(known_as=KNOWN) == KNOWN
    assert "is in the state file only" in caplog.text

from __future__ import annotations

import json
import os
import stat
import time
from typing import TYPE_CHECKING

import pytest

from dca.contract.codes import NO_PIN, Code, make_code
from dca.errors import LockedError
from dca.identity.lockout import MOST, Lockout, Standing

if TYPE_CHECKING:
    from pathlib import Path

CODES = [make_code(NO_PIN) for _ in range(8)]


@pytest.fixture
def lockout(tmp_path: Path) -> Lockout:
    return Lockout(tmp_path)


def refuse(lockout: Lockout, *codes: Code) -> Standing:
    for code in codes:
        lockout.reserve(code)
        standing = lockout.refuse(code, "not valid")
    return standing


def locked(lockout: Lockout, code: Code = CODES[7]) -> str:
    """Return why, and see that nothing at all gets out."""
    with pytest.raises(LockedError) as caught:
        lockout.check(code)
    with pytest.raises(LockedError):
        lockout.reserve(code)
    return str(caught.value)


def test_five_refused_codes_lock_it_also_for_a_new_process(lockout: Lockout, tmp_path: Path) -> None:
    assert refuse(lockout, *CODES[:4]) == Standing(4, 0, locked=False, last_reason="not valid")
    lockout.check(CODES[7])
    assert refuse(lockout, CODES[4]).locked
    for found in (lockout, Lockout(tmp_path)):
        assert "5 activations failed" in locked(found)
        assert "dca unlock --reason" in locked(found)


def test_a_refused_code_is_not_sent_again_and_costs_nothing_more(lockout: Lockout) -> None:
    refuse(lockout, CODES[0])
    assert "refused this very code before (not valid)" in locked(lockout, CODES[0])
    assert lockout.standing().used == 1


def test_a_lost_answer_costs_one_try_however_often_the_same_code_is_tried(lockout: Lockout) -> None:
    for _ in range(9):
        lockout.reserve(CODES[0])
    assert lockout.standing() == Standing(1, 1, locked=False)


def test_five_lost_answers_lock_it_for_others_and_each_of_the_five_may_ask_again(lockout: Lockout) -> None:
    for code in CODES[:5]:
        lockout.reserve(code)
    assert "5 of them without an answer" in locked(lockout)
    for code in CODES[:5]:
        lockout.reserve(code)


def test_what_was_not_judged_is_given_back(lockout: Lockout) -> None:
    for code in CODES:
        lockout.reserve(code)
        lockout.give_back(code)
    assert lockout.standing() == Standing(0, 0, locked=False)


def test_a_line_that_is_cut_later_does_not_give_back_a_code_whose_answer_was_lost(lockout: Lockout) -> None:
    for code in CODES[:5]:
        lockout.reserve(code)  # its answer is lost, perhaps on purpose
        lockout.reserve(code)
        lockout.give_back(code)  # and now there is no connection
    assert lockout.standing().locked
    locked(lockout)


def test_success_begins_at_nothing(lockout: Lockout) -> None:
    refuse(lockout, *CODES[:4])
    lockout.reserve(CODES[4])
    lockout.clear()
    assert lockout.standing() == Standing(0, 0, locked=False)


def test_it_is_opened_once_and_five_more_lock_it_again(lockout: Lockout, tmp_path: Path) -> None:
    refuse(lockout, *CODES[:5])
    assert lockout.unlock() == Standing(5, 0, locked=True, last_reason="not valid")
    assert lockout.standing() == Standing(0, 0, locked=False)
    assert refuse(Lockout(tmp_path), *CODES[:5]).locked
    locked(lockout)
    assert json.loads(lockout.path.read_text())["unlocked"] == 1


def test_an_answer_that_comes_after_the_unlocking_counts_as_the_first_try(lockout: Lockout) -> None:
    lockout.reserve(CODES[0])
    lockout.unlock()
    assert lockout.refuse(CODES[0], "not valid").used == 1
    locked(lockout, CODES[0])


def test_the_first_to_hear_is_one(lockout: Lockout, tmp_path: Path) -> None:
    refuse(lockout, *CODES[:5])
    assert [Lockout(tmp_path).first_to_hear() for _ in range(3)] == [True, False, False]
    lockout.unlock()
    refuse(lockout, *CODES[:5])
    assert lockout.first_to_hear()


DAMAGE = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"{}",
    b"\xff\xfe",
    b'{"salt": "00", "tries": [], "unlocked": "x"}',
    b'{"salt": "00", "tries": [{"code": "a", "state": "given back"}], "unlocked": 0}',
    b'{"salt": "00", "tries": {}, "unlocked": null}',
    b'{"salt": "00", "tries": [], "unlocked": 1e999}',
    b"[" * 60_000,
    b'{"salt": "no hex", "tries": [], "unlocked": 0}',
]


@pytest.mark.parametrize("content", DAMAGE, ids=range(len(DAMAGE)))
def test_a_damaged_count_is_locked_until_it_is_opened(lockout: Lockout, content: bytes) -> None:
    lockout.path.write_bytes(content)
    assert "damaged, which counts as locked" in locked(lockout)
    assert lockout.standing().locked
    assert lockout.path.read_bytes() == content
    assert lockout.unlock().locked
    lockout.reserve(CODES[0])


def test_a_count_that_cannot_be_read_is_locked(lockout: Lockout) -> None:
    lockout.path.mkdir()
    assert "nothing is sent that is not counted" in locked(lockout)
    assert lockout.standing().locked


def test_a_count_that_cannot_be_written_lets_nothing_out(lockout: Lockout, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LockedError, match="No space left on device"):
        lockout.reserve(CODES[0])
    monkeypatch.undo()
    assert lockout.standing().used == 0


def test_a_state_directory_that_is_gone_lets_nothing_out(tmp_path: Path) -> None:
    lockout = Lockout(tmp_path / "gone")
    with pytest.raises(LockedError, match="cannot be used"):
        lockout.reserve(CODES[0])
    with pytest.raises(LockedError, match="cannot be used"):
        lockout.try_turn()


def test_the_clock_plays_no_part(lockout: Lockout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(lockout, *CODES[:5])
    for seconds in (0.0, 1e9, 4e9):
        monkeypatch.setattr(time, "time", lambda now=seconds: now)
        os.utime(lockout.path, (seconds, seconds))
        locked(Lockout(tmp_path))


def test_one_at_a_time_has_its_turn(lockout: Lockout, tmp_path: Path) -> None:
    turn = lockout.try_turn()
    assert turn is not None
    assert Lockout(tmp_path).try_turn() is None
    os.close(turn)
    again = Lockout(tmp_path).try_turn()
    assert again is not None
    os.close(again)


def test_the_file_gives_no_code_away_and_is_for_its_owner_only(lockout: Lockout) -> None:
    refuse(lockout, CODES[0])
    text = lockout.path.read_text()
    for word in (CODES[0].secret.reveal(), CODES[0].digest().hex(), CODES[0].text().reveal()):
        assert word not in text
    assert stat.S_IMODE(lockout.path.stat().st_mode) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root writes for another user")
def test_what_root_counts_the_agents_user_can_read(tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, 65534)
    lockout = Lockout(tmp_path)
    refuse(lockout, CODES[0])
    turn = lockout.try_turn()
    assert turn is not None
    os.close(turn)
    assert {path.stat().st_uid for path in tmp_path.iterdir()} == {65534}


def test_a_refused_code_that_comes_again_does_not_silence_the_first_word_of_the_lock(lockout: Lockout) -> None:
    refuse(lockout, CODES[0])
    locked(lockout, CODES[0])
    assert not lockout.first_to_hear(), "it is not locked"
    refuse(lockout, *CODES[1:5])
    assert [lockout.first_to_hear() for _ in range(2)] == [True, False]


def test_five_it_is() -> None:
    assert MOST == 5


def test_a_lock_file_that_is_a_link_makes_nothing_elsewhere(lockout: Lockout, tmp_path: Path) -> None:
    """The folder is the agent's, and root counts there too."""
    (tmp_path / "activation.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LockedError, match="cannot be used"):
        lockout.reserve(CODES[0])
    assert not (tmp_path / "elsewhere").exists()

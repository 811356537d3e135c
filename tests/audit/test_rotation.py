from __future__ import annotations

import pytest

from dca.audit import AuditLog
from dca.errors import AuditError

SEGMENT = 2000
"""Bytes: about eight entries."""


@pytest.fixture
def small(tmp_path):
    return AuditLog(tmp_path, clock=lambda: 1_795_608_000.0, segment_bytes=SEGMENT, kept=3)


def names(current):
    return sorted(path.name for path in current.parent.iterdir() if path.suffix == ".jsonl")


def fill(log, count):
    return [log.append("event", f"number {number}") for number in range(count)]


def test_a_full_file_is_put_away_and_the_chain_goes_on(small, current):
    made = fill(small, 20)
    assert len(names(current)) == 3
    first = next(iter(names(current)))
    assert first == "audit-000000000001.jsonl"
    assert list(small.entries()) == made
    assert list(small.entries(last=12)) == made[-12:]
    assert [small.entry(entry.n) for entry in made] == made
    verdict = small.verify()
    assert (verdict.whole, verdict.entries, verdict.first, verdict.newest) == (True, 20, 1, made[-1])


def test_the_oldest_files_go_and_the_log_says_so(small, current):
    fill(small, 60)
    assert len(names(current)) == 4
    entries = list(small.entries())
    verdict = small.verify()
    assert verdict.whole
    assert verdict.first == entries[0].n > 1
    told = [entry for entry in entries if entry.what == "pruned"][-1]
    assert int(told.details["last"]) == verdict.first - 1
    assert small.entry(1) is None


def test_files_that_go_without_a_word_are_missed(small, current):
    fill(small, 60)
    path = current.with_name(names(current)[0])
    path.unlink()
    verdict = small.verify()
    assert not verdict.whole
    assert "the log does not say that they were deleted" in verdict.why
    assert verdict.file == names(current)[0]


def test_a_start_right_after_a_file_was_put_away_goes_on(small, current):
    made = fill(small, 7)
    current.rename(current.with_name("audit-000000000001.jsonl"))
    assert small.head() == made[-1]
    assert small.append("event", "x").prev == made[-1].hash
    assert small.verify().whole


def test_deleting_that_was_cut_is_made_up_for(small, current, monkeypatch):
    fill(small, 20)

    def held(path):
        raise PermissionError

    with monkeypatch.context() as patch:
        patch.setattr(type(current), "unlink", held)
        fill(small, 20)
    assert len(names(current)) > 4
    assert small.verify().whole
    fill(small, 10)
    assert len(names(current)) == 4
    assert small.verify().whole


def test_a_full_file_with_a_torn_end_is_explained_before_it_is_put_away(small, current):
    fill(small, 7)
    with current.open("ab") as stream:
        stream.write(b"{half" * 60)
    assert current.stat().st_size >= SEGMENT
    fill(small, 3)
    assert "torn_line" in [entry.what for entry in small.entries()]
    assert len(names(current)) == 2
    assert small.verify().whole


def test_a_file_that_somebody_holds_open_grows_on(small, current, monkeypatch):
    def held(path, target):
        raise PermissionError

    monkeypatch.setattr(type(current), "rename", held)
    fill(small, 20)
    assert names(current) == ["audit.jsonl"]
    assert small.verify().whole


def test_no_file_is_written_over(small, current):
    fill(small, 9)
    current.with_name("audit-000000000001.jsonl").write_bytes(current.read_bytes())
    with pytest.raises(AuditError, match="two files that begin with entry 1"):
        fill(small, 1)


def test_a_log_that_ends_with_no_entry_is_not_gone_on_with(small, current):
    fill(small, 1)
    with current.open("ab") as stream:
        stream.write(b"x" * 300_000)
    with pytest.raises(AuditError, match=r"does not end with an entry .* move the folder away"):
        fill(small, 1)

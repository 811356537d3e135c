"""What a power cut leaves, and how the log goes on."""

from __future__ import annotations

import hashlib
import json

import pytest


@pytest.fixture
def whole(log, current):
    """The bytes of a log of two entries, the length of the first line included."""
    log.append("first", "x")
    log.append("second", "y" * 50)
    data = current.read_bytes()
    return data, data.index(b"\n") + 1


@pytest.mark.parametrize("left", [1, 20, 200, -2])
def test_a_half_written_line_stays_and_is_explained(log, current, whole, left):
    data, first = whole
    cut = data[: first + left] if left > 0 else data[:left]
    current.write_bytes(cut)
    assert log.head().n == 1
    verdict = log.verify()
    assert (verdict.whole, verdict.entries, verdict.torn) == (True, 1, 1)
    log.append("third", "z")
    assert current.read_bytes().startswith(cut + b"\n")
    torn, third = log.entries(last=2)
    assert (torn.what, torn.n, third.n) == ("torn_line", 2, 3)
    assert torn.details == {"sha256": hashlib.sha256(cut[first:]).hexdigest(), "bytes": str(len(cut) - first)}
    verdict = log.verify()
    assert (verdict.whole, verdict.entries, verdict.torn) == (True, 3, 1)


def test_a_line_that_lacks_only_its_end_is_an_entry(log, current, whole):
    data, _ = whole
    current.write_bytes(data[:-1])
    assert log.head().n == 2
    assert log.verify().entries == 2
    log.append("third", "z")
    assert [entry.what for entry in log.entries()] == ["first", "second", "third"]
    assert log.verify().torn == 0


@pytest.mark.parametrize("rest", [b"\n", b"\n{half", b"\n\n", b"\0" * 4096, b"{" * 9000, b'{"n":3}\n'])
def test_a_cut_while_a_cut_is_explained_is_explained_as_well(log, current, whole, rest):
    data, first = whole
    current.write_bytes(data[: first + 30] + rest)
    log.append("third", "z")
    assert [entry.what for entry in log.entries()] == ["first", "torn_line", "third"]
    verdict = log.verify()
    assert (verdict.whole, verdict.torn) == (True, 1)


def test_a_torn_first_line_is_explained_too(log, current, whole):
    data, _ = whole
    current.write_bytes(data[:40])
    assert log.head() is None
    log.append("again", "z")
    assert [(entry.n, entry.what) for entry in log.entries()] == [(1, "torn_line"), (2, "again")]
    assert log.verify().whole


def test_an_explained_line_cannot_be_changed_or_taken_away(log, current, whole):
    data, first = whole
    current.write_bytes(data[: first + 30])
    log.append("third", "z")
    lines = current.read_bytes().splitlines(keepends=True)
    current.write_bytes(b"".join([lines[0], b"{other}\n", *lines[2:]]))
    verdict = log.verify()
    assert (verdict.whole, verdict.line, verdict.why) == (False, 2, "the line is no entry of an audit log")
    current.write_bytes(b"".join([lines[0], *lines[2:]]))
    verdict = log.verify()
    assert (verdict.whole, verdict.line, verdict.why) == (False, 2, "the line that entry 2 stands for is gone")
    assert json.loads(lines[2])["n"] == 2

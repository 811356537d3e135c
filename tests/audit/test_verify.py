from __future__ import annotations

import json
import shutil
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dca.audit import AuditLog
from dca.audit.entry import START, Entry, make_entry, read_entry
from dca.errors import AuditError


@pytest.fixture
def lines(log, current):
    for number in range(1, 6):
        log.append("event", f"number {number}", details={"number": str(number)})
    return current.read_bytes().splitlines(keepends=True)


def test_a_log_that_is_not_there_is_whole_and_empty(log):
    verdict = log.verify()
    assert (verdict.whole, verdict.entries, verdict.newest) == (True, 0, None)


def test_a_copy_without_its_lock_can_be_proved(log, lines, current, tmp_path):
    shutil.copytree(current.parent, tmp_path / "copy" / "audit")
    (tmp_path / "copy" / "audit" / "audit.lock").unlink()
    verdict = AuditLog(tmp_path / "copy").verify()
    assert (verdict.whole, verdict.entries) == (True, 5)
    assert not (tmp_path / "copy" / "audit" / "audit.lock").exists()


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda lines: lines[:2] + lines[3:], (3, "entry 4 does not follow entry 2")),
        (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], (2, "entry 3 does not follow entry 1")),
        (lambda lines: [*lines[:2], lines[1], *lines[2:]], (3, "entry 2 does not follow entry 2")),
        (lambda lines: lines[1:], (1, "the entries before 2 are gone")),
        (lambda lines: [*lines[:2], b"\n", *lines[2:]], (3, "is no entry")),
        (lambda lines: [*lines[:2], lines[2].replace(b"number 3", b"number 4"), *lines[3:]], (3, "was changed")),
        (lambda lines: [*lines[:4], lines[4].replace(b"number 5", b"number 4")], (5, "was changed")),
        (lambda lines: [*lines[:2], lines[2].replace(b'{"n":3', b'{"n":9,"n":3'), *lines[3:]], (3, "not written as")),
        (lambda lines: [*lines[:2], lines[2].replace(b'{"n":', b'{ "n":'), *lines[3:]], (3, "not written as")),
        (lambda lines: [*lines[:2], b"[" * 100_000 + b"\n", *lines[2:]], (3, "is no entry")),
        (lambda lines: [*lines[:2], b"x" * 200_000 + b"\n", *lines[2:]], (3, "is no entry")),
    ],
)
def test_every_way_to_rewrite_it_shows(log, lines, current, change, found):
    current.write_bytes(b"".join(change(lines)))
    verdict = log.verify()
    assert not verdict.whole
    assert (verdict.file, verdict.line) == ("audit.jsonl", found[0])
    assert found[1] in verdict.why


def test_a_forged_entry_with_a_right_hash_does_not_fit_in(log, lines, current):
    before = read_entry(lines[1].rstrip())
    forged = make_entry(before, 1.0, "event", "nothing happened", who="agent")
    current.write_bytes(b"".join([*lines[:2], forged.line() + b"\n", *lines[3:]]))
    verdict = log.verify()
    assert (verdict.line, verdict.why[:31]) == (4, "entry 4 does not follow entry 3")


def test_only_the_log_itself_can_stand_for_a_line(log, lines, current):
    junk = b"{junk}"
    details = {"sha256": sha256(junk).hexdigest()}
    told = make_entry(read_entry(lines[-1].rstrip()), 1.0, "event", "x", who="agent", details=details)
    current.write_bytes(b"".join([*lines, junk, b"\n", told.line(), b"\n"]))
    verdict = log.verify()
    assert (verdict.line, verdict.why) == (6, "the line is no entry of an audit log")


def test_a_file_under_another_name_shows(log, lines, current):
    current.rename(current.with_name("audit-000000000007.jsonl"))
    assert "does not begin with the entry that its name says" in log.verify().why


def test_a_log_that_only_begins_later_shows(log, current):
    current.parent.mkdir()
    entry = make_entry(Entry(4, "", "", "", "", {}, "", START), 1.0, "event", "x", who="agent")
    current.write_bytes(entry.line() + b"\n")
    assert "does not begin as a log begins" in log.verify().why


def test_a_log_that_this_user_may_not_read_says_so(log, lines, monkeypatch):
    def refused(*_args, **_more):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("dca.audit.log.open_for_reading", refused)
    with pytest.raises(AuditError, match=r"cannot be read: Permission denied; look as root"):
        log.verify()


@settings(max_examples=200)
@given(data=st.data())
def test_one_changed_byte_anywhere_shows(data, tmp_path_factory):
    state = tmp_path_factory.mktemp("log")
    log = AuditLog(state, clock=lambda: 1_795_608_000.0)
    for number in range(3):
        log.append("event", f"number {number}")
    path = state / "audit" / "audit.jsonl"
    whole = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(whole) - 2))  # the last line end may be missing: a cut leaves that
    value = data.draw(st.integers(0, 255).filter(lambda value: value != whole[at]))
    whole[at] = value
    path.write_bytes(whole)
    assert not log.verify().whole


@given(st.binary(max_size=300) | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps))
def test_no_line_makes_the_reader_fail_but_with_words(line):
    line = line.encode() if isinstance(line, str) else line
    with pytest.raises(ValueError, match="entry"):
        read_entry(line)

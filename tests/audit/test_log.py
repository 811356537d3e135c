from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import subprocess
import sys
import threading

import pytest

from dca.audit import AuditLog
from dca.audit.entry import LONGEST
from dca.errors import AuditError
from dca.store import files
from dca.store.locks import hold


def test_an_entry_is_one_line_that_anybody_can_check(log, current):
    first = log.append("activated", "Activated at hub.example.com.", who="local:root")
    log.append("task_decided", "denied", who="hub:jane", details={"kind": "device_restart"})
    lines = [json.loads(line) for line in current.read_bytes().splitlines()]
    assert list(lines[1].items()) == [
        ("n", 2),
        ("at", "2026-11-25T12:00:00.123Z"),
        ("what", "task_decided"),
        ("who", "hub:jane"),
        ("text", "denied"),
        ("details", {"kind": "device_restart"}),
        ("prev", first.hash),
        ("hash", lines[1]["hash"]),
    ]
    assert lines[0]["prev"] == "0" * 64
    for line in lines:
        given = line.pop("hash")
        canonical = json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert hashlib.sha256(canonical.encode()).hexdigest() == given


def test_the_log_is_for_the_agents_user_only(log, current, tmp_path):
    log.append("started", "x")
    assert current.parent.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in current.parent.iterdir()} == {0o600}


def test_each_entry_is_on_the_disk_before_it_is_said_to_be(log, current, monkeypatch):
    sizes = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: (sizes.append(os.fstat(file).st_size), fsync(file)))
    log.append("started", "x")
    sizes.clear()
    log.append("stopped", "x")
    assert sizes == [current.stat().st_size]


def test_what_was_written_is_found_by_head_number_and_order(log):
    assert (log.head(), log.entry(1), list(log.entries())) == (None, None, [])
    made = [log.append("event", f"number {number}") for number in range(1, 6)]
    assert log.head() == made[-1]
    assert log.entry(3) == made[2]
    assert (log.entry(0), log.entry(6)) == (None, None)
    assert list(log.entries()) == made
    assert list(log.entries(last=2)) == made[3:]
    assert list(log.entries(last=99)) == made


def test_nothing_that_a_hub_sends_makes_a_line_of_its_own(log, current):
    entry = log.append(
        "task", "one\ntwo\x1b[2J\u202e" + "x" * 5000, who="hub:a\nb", details={"k\n": "v\r\n" * 999, "\ud800": "\ud800"}
    )
    assert current.read_bytes().count(b"\n") == 1
    assert entry.text.startswith("one two [2J x")
    assert (len(entry.text), len(entry.details["k "])) == (1000, 500)
    assert entry.who == "hub:a b"
    assert log.entry(1) == entry
    assert log.verify().whole


def test_the_largest_entry_is_read_back(log):
    details = {f"{number}{'𝄞' * 60}": '"' * 900 + "𝄞" * 900 for number in range(40)}
    entry = log.append("w" * 999, "𝄞" * 5000, who="w" * 999, details=details)
    assert len(entry.line()) < LONGEST
    assert log.append("next", "x").prev == entry.hash
    assert log.head().n == 2


def test_processes_and_threads_append_in_turn(tmp_path):
    program = (
        "import sys, pathlib; from dca.audit import AuditLog; log = AuditLog(pathlib.Path(sys.argv[1]))\n"
        "print(flush=True); sys.stdin.readline()\n"
        "for number in range(100): log.append('event', f'number {number}')"
    )
    command = [sys.executable, "-c", program, tmp_path]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(3)]
    for process in processes:
        process.stdout.readline()  # it has begun, as far as the line that lets it go
    log = AuditLog(tmp_path)
    threads = [threading.Thread(target=lambda: [log.append("event", "t") for _ in range(50)]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for process in processes:
        process.stdin.write(b"\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=50)
    for thread in threads:
        thread.join()
    assert [process.returncode for process in processes] == [0, 0, 0]
    verdict = log.verify()
    assert (verdict.whole, verdict.entries) == (True, 400)


def test_one_that_holds_the_lock_for_ever_does_not_hold_up_the_agent(log, current, monkeypatch):
    log.append("event", "x")
    monkeypatch.setattr("dca.audit.log._PATIENCE", 0.02)
    lock = current.with_name("audit.lock")
    with hold(os.open(lock, os.O_RDWR), 1), pytest.raises(AuditError, match=r"another process has held the lock"):
        log.append("event", "x")
    assert log.append("event", "x").n == 2


@pytest.mark.parametrize("room", [0, 10, 400])
def test_a_full_disk_leaves_the_log_as_it_was(log, current, monkeypatch, room):
    log.append("event", "x")
    before, write, left = current.read_bytes(), os.write, [room]

    def short(file, data):
        if not left[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        part = data[: left[0]]
        left[0] -= len(part)
        return write(file, part)

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", short)
        for _ in range(2):
            with contextlib.suppress(AuditError):
                log.append("event", "y")
        with pytest.raises(AuditError, match=r"cannot be written: No space left on device; .*make room") as caught:
            log.append("event", "y")
    assert isinstance(caught.value.__cause__, OSError)
    assert current.read_bytes().startswith(before)
    assert log.verify().whole
    assert log.verify().torn == 0


def test_a_folder_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "audit").write_text("a file")
    with pytest.raises(AuditError, match=r"the audit log .*/audit cannot be written"):
        AuditLog(tmp_path).append("event", "x")


@pytest.mark.skipif(sys.platform == "win32", reason="links and pipes of POSIX")
@pytest.mark.parametrize("name", ["audit", "audit/audit.jsonl", "audit/audit.lock"])
def test_root_is_not_led_elsewhere_by_a_link(tmp_path, name):
    elsewhere, state = tmp_path / "elsewhere", tmp_path / "state"
    (state / "audit").mkdir(parents=True) if "/" in name else state.mkdir()
    elsewhere.mkdir() if name == "audit" else elsewhere.write_text("")
    (state / name).symlink_to(elsewhere)
    with pytest.raises(AuditError):
        AuditLog(state).append("event", "x")
    assert elsewhere.is_dir() or elsewhere.read_text() == ""
    assert not elsewhere.is_dir() or not list(elsewhere.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="links and pipes of POSIX")
def test_a_pipe_in_the_place_of_the_log_is_refused_at_once(tmp_path):
    (tmp_path / "audit").mkdir()
    os.mkfifo(tmp_path / "audit" / "audit.jsonl")
    with pytest.raises(AuditError, match="is no regular file"):
        AuditLog(tmp_path).append("event", "x")


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can give a file away")
def test_what_root_writes_belongs_to_the_agents_user(tmp_path):
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    os.chown(state, 12345, 23456)
    AuditLog(state).append("unlocked", "x", who="local:root")
    found = {(path.stat().st_uid, path.stat().st_gid) for path in (state / "audit", *(state / "audit").iterdir())}
    assert found == {(12345, 23456)}


def test_any_other_user_keeps_what_it_makes(tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr(os, "chown", lambda *args, **_: given.append(args))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    files.own_like(tmp_path, tmp_path / "x")
    assert given == []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    files.own_like(tmp_path, tmp_path / "x")
    assert given == [(tmp_path / "x", tmp_path.stat().st_uid, tmp_path.stat().st_gid)]

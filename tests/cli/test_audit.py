"""``dca audit``: what a person and a program see of the audit log, and what it proves."""

from __future__ import annotations

import json

import pytest

from dca.audit import AuditLog

NOON = 1_795_608_000.0
"""2026-11-25T12:00:00Z."""


@pytest.fixture
def log(tmp_path):
    return AuditLog(tmp_path, clock=lambda: NOON, segment_bytes=4000, kept=1)


@pytest.fixture
def audit(dca, tmp_path):
    """Run `dca audit ARGS...` on the state directory of the test."""
    return lambda *args, **more: dca("audit", *args, "--state-dir", str(tmp_path), **more)


def test_people_see_who_did_what_and_when(log, audit):
    log.append("activated", "Activated at hub.example.com.", who="local:root")
    log.append("task_decided", "denied \x1b[2J[red]", who="hub:jane", details={"kind": "device_restart"})
    ran = audit("show", "--utc")
    assert ran.code == 0
    first, second, third = (line.split() for line in ran.out.splitlines()[1:])
    assert first == ["1", "2026-11-25", "12:00:00", "local:root", "activated", "Activated", "at", "hub.example.com."]
    assert second == ["2", "2026-11-25", "12:00:00", "hub:jane", "task_decided", "denied", "[2J[red]"]
    assert third == ["kind=device_restart"]
    assert "\x1b" not in ran.out


def test_the_newest_are_shown_and_no_more_than_asked_for(log, audit):
    for number in range(30):
        log.append("event", f"number {number}")
    shown = audit("show").out
    assert shown.count("\n") == 1 + min(20, len(list(log.entries())))
    assert "number 29" in shown.splitlines()[-1]
    ran = audit("show", "--last", "2", "--json")
    assert [json.loads(line) for line in ran.out.splitlines()] == [entry.fields() for entry in log.entries(2)]


@pytest.mark.parametrize("columns", [80, 120])
def test_it_fits_the_terminal(log, audit, columns):
    log.append("task_decided", "word " * 100, who="hub:somebody", details={"reason": "x" * 300})
    assert max(map(len, audit("show", columns=columns).out.splitlines())) <= columns


def test_an_empty_log_is_no_error(audit):
    assert (audit("show").code, audit("show").out) == (0, "The audit log is empty.\n")
    assert (audit("show", "--json").code, audit("show", "--json").out) == (0, "")
    assert (audit("verify").code, audit("verify").out) == (0, "whole: the audit log is empty\n")


def test_a_whole_log_is_proved_with_its_newest_entry(log, audit):
    log.append("event", "x")
    newest = log.append("event", "x")
    ran = audit("verify")
    assert (ran.code, ran.out.splitlines()) == (
        0, ["whole: the entries 1 to 2", f"newest: 2:{newest.hash} of 2026-11-25T12:00:00.000Z"],
    )  # fmt: skip


def test_what_is_odd_about_a_whole_log_is_told(log, audit, tmp_path):
    for _ in range(80):
        log.append("event", "x")
    with (tmp_path / "audit" / "audit.jsonl").open("ab") as stream:
        stream.write(b'{"n":')
    ran = audit("verify")
    assert ran.code == 0
    assert "were deleted as old, as the log itself says" in ran.out
    assert "note: 1 line cut short" in ran.out


def test_a_broken_log_ends_with_1_and_the_place(log, audit, tmp_path):
    log.append("event", "one")
    log.append("event", "two")
    path = tmp_path / "audit" / "audit.jsonl"
    path.write_bytes(path.read_bytes().replace(b"two", b"six"))
    ran = audit("verify")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.splitlines()[0] == (
        "dca: the audit log is broken at audit.jsonl line 2: the line was changed: its hash does not fit what it says"
    )
    assert audit("show").code == 0


def test_the_hubs_hash_is_proved_or_not(log, audit):
    made = [log.append("event", f"number {number}") for number in range(3)]
    for text in (f"2:{made[1].hash}", f"2:{made[1].hash[:16].upper()}"):
        ran = audit("verify", "--head", text)
        assert (ran.code, ran.out.splitlines()[-1]) == (0, "entry 2 is the one that has this hash")
    for text, why in (
        (f"2:{made[2].hash}", f"entry 2 has another hash, {made[1].hash}: the log was rewritten"),
        (f"4:{made[2].hash}", "the log ends with entry 3: entries were removed, or it was begun anew"),
    ):
        ran = audit("verify", "--head", text)
        assert ran.code == 1
        assert ran.err == f"dca: the audit log is not the one that the hub knows: {why}\n"


def test_a_log_that_was_begun_anew_is_not_the_hubs(audit):
    ran = audit("verify", "--head", f"4:{'a' * 64}")
    assert ran.code == 1
    assert "the log ends with entry 0" in ran.err


def test_an_entry_that_is_gone_cannot_be_compared(log, audit):
    first = log.append("event", "x")
    for _ in range(80):
        log.append("event", "x")
    ran = audit("verify", "--head", f"1:{first.hash}")
    assert ran.code == 1
    assert "entry 1 was deleted as old; compare a newer one" in ran.err


@pytest.mark.parametrize("text", ["17", "0:" + "a" * 64, "1:abc", "1:" + "g" * 64, "1:" + "a" * 65, "x"])
def test_a_head_in_another_form_is_wrong_use(audit, text):
    ran = audit("verify", "--head", text)
    assert ran.code == 2
    assert "N:HASH" in ran.err


def test_the_config_says_where_the_log_is(dca, tmp_path):
    AuditLog(tmp_path / "here").append("event", "found")
    (tmp_path / "dca.toml").write_text('[agent]\nstate_dir = "here"\n')
    assert "found" in dca("audit", "show", "--config", str(tmp_path / "dca.toml")).out

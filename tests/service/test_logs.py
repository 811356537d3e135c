"""No line shows a secret, forges another line or drives a terminal; states are said once."""

from __future__ import annotations

import io
import json
import logging
import os
import string
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dca.model import Credential, Secret
from dca.service.logs import JsonFormatter, Recent, StateLog, TextFormatter, duration, recent, setup_logging
from dca.service.masks import Masks

FORMATTERS = [TextFormatter, lambda masks: TextFormatter(masks, journal=True), JsonFormatter]


def record(message: str, *args: object, exc_info=None) -> logging.LogRecord:
    return logging.LogRecord("dca.agent", logging.WARNING, __file__, 1, message, args, exc_info)


def message_of(line: str) -> str:
    if line.startswith("{"):
        fields = json.loads(line)
        return fields["message"] + fields.get("error", "")
    return line.split("agent: ", 1)[1]


LONG = st.text(st.characters(codec="utf-8", exclude_characters="*"), min_size=6, max_size=40)
SHORT = st.text(string.ascii_letters + string.digits + "!#$%", min_size=1, max_size=5)


@given(secret=LONG, form=st.sampled_from(["%s", "%r", "{%s}", "x%sy"]), formatter=st.sampled_from(FORMATTERS))
@example(secret="pä\\ss\n'word\"", form="%r", formatter=FORMATTERS[0])
def test_a_secret_is_never_shown(secret, form, formatter) -> None:
    masks = Masks()
    masks.add(Secret(secret))
    line = formatter(masks).format(record("the device at 10.0.0.1 said " + form, secret))
    assert secret not in message_of(line)
    assert repr(secret)[1:-1] not in message_of(line)
    assert "***" in line


@given(secret=SHORT, formatter=st.sampled_from(FORMATTERS))
def test_a_short_secret_is_never_shown_as_a_word(secret, formatter) -> None:
    masks = Masks()
    masks.add(Secret(secret))
    line = formatter(masks).format(record("<%s>", secret))
    assert message_of(line) == "<***>"


def test_a_short_secret_does_not_spoil_other_words() -> None:
    masks = Masks()
    masks.add(Secret("ab"))
    assert masks.clean("a table for ab, 'ab' and cab") == "a table for ***, '***' and cab"


@given(secrets=st.lists(LONG, min_size=1, max_size=6))
def test_a_secret_within_another_leaves_nothing(secrets) -> None:
    masks = Masks()
    masks.add(*map(Secret, secrets))
    masks.add(Secret(secrets[0] + secrets[-1]))
    assert masks.clean(f"<{secrets[0]}{secrets[-1]}>") == "<***>"


@pytest.mark.parametrize("formatter", FORMATTERS)
def test_exceptions_are_scrubbed(formatter) -> None:
    masks = Masks()
    masks.add(Secret("s3cret-community"))
    masks.add_serials(["VNB3K12345"])

    def login() -> None:
        raise ValueError("no community s3cret-community")

    def read() -> None:
        try:
            login()
        except ValueError as cause:
            raise RuntimeError("device VNB3K12345 failed") from cause

    try:
        read()
    except RuntimeError as error:
        line = formatter(masks).format(record("broken", exc_info=(type(error), error, error.__traceback__)))
    assert "s3cret" not in line
    assert "VNB3K" not in line
    assert "RuntimeError" in line


def test_secret_objects_show_nothing_even_when_not_registered() -> None:
    credential = Credential("office", community=Secret("hush-hush"), auth_password=Secret("hush-hush"))
    for form in ("%s", "%r", "{%s}"):
        assert "hush" not in TextFormatter(Masks()).format(record(form, credential))


def test_bytes_urls_and_hex_of_a_secret_are_hidden() -> None:
    masks = Masks()
    masks.add(Secret("p@ss wörd"))
    text = f"{'p@ss wörd'.encode()!r} http://user:p%40ss%20w%C3%B6rd@proxy {'p@ss wörd'.encode().hex()}"
    assert masks.clean(text) == "b'***' http://user:***@proxy ***"


@pytest.mark.parametrize(
    ("serial", "shown"),
    [("VNB3K12345", "VN…"), ("  VNB3K12345 ", "VN…"), ("0", "0"), ("N/A", "N/A"), ("", ""), ("1234", "12…")],
)
def test_serials_keep_two_characters(serial, shown) -> None:
    masks = Masks()
    masks.add_serials([serial])
    assert masks.clean(f"serial {serial.strip()} moved") == f"serial {shown} moved"


def test_a_serial_that_is_a_secret_stays_a_secret() -> None:
    masks = Masks()
    masks.add(Secret("VNB3K12345"))
    masks.add_serials(["VNB3K12345"])
    assert masks.clean("VNB3K12345") == "***"


def test_ten_thousand_serials_cost_little() -> None:
    masks = Masks()
    masks.add_serials(f"SERIAL{number:06}" for number in range(10_000))
    assert masks.clean("device SERIAL009999 at 10.0.0.1") == "device SE… at 10.0.0.1"


@given(text=st.text(max_size=60))
def test_no_text_line_drives_a_terminal_or_forges_a_line(text) -> None:
    line = TextFormatter(Masks()).format(record("name: %s", text))
    assert all(character >= " " or character in "\t\n" for character in line)
    assert not set(line) & {"\x7f", "\x9b", "\u202e", "\u2028"}
    assert all(rest.startswith("    ") for rest in line.split("\n")[1:])


@given(text=st.text(max_size=60))
def test_json_is_one_ascii_line(text) -> None:
    line = JsonFormatter(Masks()).format(record("name: %s", text))
    assert line.isascii()
    assert "\n" not in line
    fields = json.loads(line)
    assert fields["message"] == f"name: {text}"
    assert fields["level"] == "warning"


@pytest.fixture
def own_logging():
    root = logging.getLogger()
    before = (root.level, logging.raiseExceptions)
    for handler in [handler for handler in root.handlers if isinstance(handler, Recent)]:
        root.removeHandler(handler)
    yield root
    for handler in [handler for handler in root.handlers if (handler.name or "").startswith("dca")]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(before[0])
    logging.raiseExceptions = before[1]
    logging.captureWarnings(capture=False)


def test_setup_replaces_what_it_set(own_logging, tmp_path) -> None:
    stream = io.StringIO()
    setup_logging("info", "json", masks=Masks(), stream=stream)
    logging.getLogger("dca.x").info("one")
    setup_logging("warning", "text", tmp_path / "agent.log", masks=Masks())
    logging.getLogger("dca.x").info("two")
    logging.getLogger("dca.x").warning("three")
    assert json.loads(stream.getvalue())["message"] == "one"
    assert (tmp_path / "agent.log").read_text().endswith("WARNING x: three\n")
    assert "two" not in (tmp_path / "agent.log").read_text()


def test_the_journal_gets_a_priority_instead_of_time_and_level(own_logging, monkeypatch, tmp_path) -> None:
    with (tmp_path / "journal").open("w+") as journal:
        where = os.fstat(journal.fileno())
        monkeypatch.setattr(sys, "stderr", journal)
        monkeypatch.setenv("JOURNAL_STREAM", f"{where.st_dev}:{where.st_ino}")
        setup_logging("info", masks=Masks())
        logging.getLogger("dca.x").error("broken")
        assert (tmp_path / "journal").read_text() == "<3>x: broken\n"


def test_the_last_lines_are_kept_for_the_hubs_support_without_secrets(own_logging) -> None:
    masks, stream = Masks(), io.StringIO()
    masks.add(Secret("s3cret-community"))
    assert recent() is None
    setup_logging("info", "json", masks=masks, stream=stream)
    kept = recent()
    assert kept is not None
    logging.getLogger("dca.x").debug("not at this level")
    logging.getLogger("dca.x").info("one s3cret-community")
    setup_logging("info", "text", masks=masks, stream=stream)
    assert recent() is kept, "a reload loses no line"
    logging.getLogger("dca.x").warning("two\x1b[2J")
    first, second = kept.last(10)
    assert first.endswith(" INFO    x: one ***")
    assert second.endswith(" WARNING x: two\\x1b[2J")
    assert kept.last(1) == [second]
    assert (kept.last(0), kept.last(-1)) == ([], [])


def test_no_more_lines_are_kept_than_there_is_room_for() -> None:
    kept = Recent(Masks(), lines=3)
    for number in range(5):
        kept.handle(record(f"line {number}"))
    assert [message_of(line) for line in kept.last(10)] == ["line 2", "line 3", "line 4"]


def test_a_secret_that_is_known_later_is_hidden_in_what_was_kept_before() -> None:
    masks = Masks()
    kept = Recent(masks)
    kept.handle(record("the code is c0de-of-the-site"))
    masks.add(Secret("c0de-of-the-site"))
    assert message_of(kept.last(1)[0]) == "the code is ***"


def test_states_are_said_when_they_change(caplog) -> None:
    now = [0.0]
    states = StateLog(logging.getLogger("dca.x"), clock=lambda: now[0])
    caplog.set_level(logging.INFO)
    assert not states.note("10.0.0.1", "ok", logging.INFO, "%s answers", "10.0.0.1")
    assert states.note("10.0.0.1", "silent", logging.WARNING, "%s is silent", "10.0.0.1")
    for _ in range(100):
        now[0] += 60
        assert not states.note("10.0.0.1", "silent", logging.WARNING, "%s is silent", "10.0.0.1")
    assert states.note("10.0.0.1", "ok", logging.INFO, "%s answers again", "10.0.0.1")
    assert [line.getMessage() for line in caplog.records] == [
        "10.0.0.1 is silent",
        "10.0.0.1 answers again (after 100 min)",
    ]
    states.forget("10.0.0.1")
    assert states.note("10.0.0.1", "silent", logging.WARNING, "%s is silent", "10.0.0.1")


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (119, "119 s"), (600, "10 min"), (10_800, "3 h"), (864_000, "10 days")]
)
def test_durations_in_words(seconds, words) -> None:
    assert duration(seconds) == words

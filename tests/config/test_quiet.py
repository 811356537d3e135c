from __future__ import annotations

import datetime as dt
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dca.config.kinds import BadValueError, Context
from dca.config.quiet import QuietHours, QuietHoursKind

HERE = Context({}, Path("/etc/dca"))
MONDAY = dt.datetime(2026, 11, 2)  # noqa: DTZ001  # local time is what quiet hours go by


def quiet(*texts) -> QuietHours:
    return QuietHoursKind().parse(list(texts), HERE)


def at(day, clock):
    hour, minute = clock.split(":")
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    return MONDAY + dt.timedelta(days=days.index(day), hours=int(hour), minutes=int(minute))


@pytest.mark.parametrize(
    ("texts", "day", "clock", "expected"),
    [
        ([], "mon", "03:00", False),
        (["12:00-13:00"], "wed", "11:59", False),
        (["12:00-13:00"], "wed", "12:00", True),
        (["12:00-13:00"], "wed", "12:59", True),
        (["12:00-13:00"], "wed", "13:00", False),
        (["22:00-06:00"], "sun", "23:00", True),
        (["22:00-06:00"], "mon", "05:59", True),
        (["22:00-06:00"], "mon", "06:00", False),
        (["fri 22:00-06:00"], "fri", "05:00", False),
        (["fri 22:00-06:00"], "fri", "22:00", True),
        (["fri 22:00-06:00"], "sat", "05:59", True),
        (["fri 22:00-06:00"], "sat", "22:00", False),
        (["sun 22:00-06:00"], "mon", "01:00", True),
        (["sat,sun 00:00-24:00"], "sat", "00:00", True),
        (["sat,sun 00:00-24:00"], "sun", "23:59", True),
        (["sat,sun 00:00-24:00"], "mon", "00:00", False),
        (["sat,sun 00:00-24:00"], "fri", "23:59", False),
        (["Mon-Fri 18:00-24:00"], "wed", "18:00", True),
        (["fri-mon, wed 12:00-13:00"], "sun", "12:30", True),
        (["fri-mon, wed 12:00-13:00"], "wed", "12:30", True),
        (["fri-mon, wed 12:00-13:00"], "tue", "12:30", False),
        (["12:00-13:00", "15:00-16:00"], "tue", "15:30", True),
    ],
)
def test_quiet_hours(texts, day, clock, expected):
    assert quiet(*texts).contains(at(day, clock)) is expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "22-06",
        "22:00",
        "22:00-25:00",
        "22:60-23:00",
        "24:00-06:00",
        "12:00-12:00",
        "holiday 00:00-24:00",
        "mon- 00:00-24:00",
        "mon 00:00 - 24:00 x",
        "24:01-24:02",
        "\u0662\u0662:00-06:00",
    ],
)
def test_what_is_no_window(text):
    with pytest.raises(BadValueError, match=r"HH:MM|whole day"):
        quiet(text)


def test_what_is_no_list():
    for raw in ("22:00-06:00", 5, [["22:00-06:00"]], ["22:00-06:00"] * 51):
        with pytest.raises(BadValueError):
            QuietHoursKind().parse(raw, HERE)


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system cannot change the time zone of a process")
def test_an_aware_moment_is_turned_into_local_time(monkeypatch):
    monkeypatch.setenv("TZ", "XST-05:00")  # five hours east of Greenwich
    time.tzset()
    try:
        hours = quiet("22:00-06:00")
        assert hours.contains(dt.datetime(2026, 11, 2, 17, 0, tzinfo=dt.UTC))
        assert not hours.contains(dt.datetime(2026, 11, 2, 16, 59, tzinfo=dt.UTC))
    finally:
        monkeypatch.undo()
        time.tzset()


@settings(deadline=None)
@given(st.integers(0, 1439), st.integers(1, 1440), st.sets(st.integers(0, 6), min_size=1), st.integers(0, 7 * 1440 - 1))
def test_a_window_holds_the_minutes_that_it_says(start, end, days, minute):
    if start == end:
        return
    names = ",".join(["mon", "tue", "wed", "thu", "fri", "sat", "sun"][day] for day in sorted(days))
    text = f"{names} {start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"
    length = (end - start) if end > start else end + 1440 - start
    held = {(day * 1440 + start + offset) % (7 * 1440) for day in days for offset in range(length)}
    assert quiet(text).contains(MONDAY + dt.timedelta(minutes=minute)) == (minute in held)

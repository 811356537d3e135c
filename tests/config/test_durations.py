from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dca.config.durations import Duration, duration_text
from dca.config.kinds import BadValueError, Context

HERE = Context({}, Path("/etc/dca"))
ANY = Duration(0.001, 1e12)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("5m", 300), ("6h", 21600), ("1d", 86400), ("500ms", 0.5), ("1.5h", 5400), ("2 m", 120), (" 1s ", 1)],
)
def test_durations(text, seconds):
    assert ANY.parse(text, HERE) == seconds


@pytest.mark.parametrize(
    "raw", ["", "5", "m", "-5m", "5 minutes", "1h30m", "1e3s", "\u0665m", "5M", "0s", 300, True, None, []]
)
def test_what_is_no_duration(raw):
    with pytest.raises(BadValueError, match="allowed is a duration from 1ms"):
        ANY.parse(raw, HERE)


@pytest.mark.parametrize("text", ["9s", "61s", "1d"])
def test_bounds(text):
    with pytest.raises(BadValueError, match="outside the bounds; allowed is a duration from 10s to 1m"):
        Duration(10, 60).parse(text, HERE)


@settings(deadline=None)
@given(st.integers(1, 10_000_000).map(lambda milliseconds: milliseconds / 1000))
def test_a_duration_is_the_same_after_the_way_there_and_back(seconds):
    assert ANY.parse(duration_text(seconds), HERE) == pytest.approx(seconds)

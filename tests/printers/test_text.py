from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dca.printers.text import _CODECS, clean_text, decode, is_placeholder, lines

JAPANESE = "トナー残量"


@pytest.mark.parametrize(
    ("raw", "charset", "wanted"),
    [
        (b"Ready", 0, "Ready"),
        ("廢棄碳粉".encode(), 0, "廢棄碳粉"),
        ("Mało toneru (Y) ".encode("iso8859_2"), 5, "Mało toneru (Y)"),
        ("Спящий режим    ".encode("iso8859_5"), 8, "Спящий режим"),
        (b"Stap. Kopie\xcdn:01", 2004, "Stap. Kopieën:01"),
        (JAPANESE.encode("shift_jis"), 17, JAPANESE),
        (JAPANESE.encode("cp932"), 2024, JAPANESE),
        ("Größe".encode("latin_1"), 0, "Größe"),
        ("Größe".encode("latin_1"), 106, "Größe"),
        ("Größe".encode("cp437"), 0, "Größe"),
        (b"Fach\xff1", 0, "Fach 1"),
        ("Größe".encode("utf_16"), 0, "Größe"),
        ("Tray 1".encode("utf_16_le"), 0, "Tray 1"),
        ("Tray 1".encode("utf_16_be") + b"\0\0", 0, "Tray 1"),
        (b"\xef\xbb\xbfTray", 0, "Tray"),
    ],
)
def test_decodes_what_the_device_meant(raw, charset, wanted):
    assert clean_text(raw, charset) == wanted


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        (b"black\0", "black"),
        (b"\0FG:Brother;\0\0\0", "FG:Brother;"),
        (b"  Ready   \r\n now  ", "Ready now"),
        (b"Papier-\nstau", "Papierstau"),
        (b"Papier-\r\nstau", "Papierstau"),
        (b"\x1b[31mred\x07", "[31mred"),
        (b" ", ""),
        (b"", ""),
        ("a\u202ebc\u200bd".encode(), "a bc d"),
    ],
)
def test_leaves_only_what_prints(raw, wanted):
    assert clean_text(raw) == wanted


def test_is_no_longer_than_the_limit():
    assert clean_text(b"x" * 9000) == "x" * 255
    assert clean_text(b"ab cd", limit=3) == "ab"


def test_every_codec_exists():
    for charset in _CODECS:
        assert decode(b"\xc1\xc2", charset)


@pytest.mark.parametrize("value", [None, 3, "text", (), 2.5])
def test_what_is_no_octet_string_is_no_text(value):
    assert clean_text(value) == ""
    assert lines(value) == []


def test_lines_of_a_panel_are_told_apart():
    assert lines(b"ENERGIESPAREN   \rTROMMEL ERSETZ. ") == ["ENERGIESPAREN", "TROMMEL ERSETZ."]
    assert lines(b"      ") == []


@given(st.binary(max_size=300), st.integers(0, 2300))
def test_any_octets_become_clean_text(raw, charset):
    found = clean_text(raw, charset)
    assert found == found.strip()
    assert len(found) <= 255
    assert not found or found.isprintable()
    assert "  " not in found
    found.encode()  # no lone surrogates: protobuf takes it
    for line in lines(raw, charset):
        assert line == line.strip()
        assert line.isprintable()


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x24FF, categories=["L", "N"]), min_size=1, max_size=60))
def test_utf8_comes_back_as_it_went(text):
    assert clean_text(text.encode()) == text
    assert clean_text(text.encode() + b"\0", 106) == text


@pytest.mark.parametrize(
    "serial", ["", "XXXXXXXXXX", "xxx", "0000000000", "1234567890000", "N/A", "null", "--", "9999"]
)
def test_a_placeholder_is_no_serial_number(serial):
    assert is_placeholder(serial)


@pytest.mark.parametrize("serial", ["X7EN003662", "B9J154306", "000A5J431816", "7XQ1R92-132-13"])
def test_a_serial_number_is_no_placeholder(serial):
    assert not is_placeholder(serial)

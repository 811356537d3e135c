from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dca.config.lines import line_of, scan

TEXT = """\
title = "x" # a comment with [brackets] and = signs
a.b."c.d" = 1

[hub]   # comment
address = '''
two
lines'''
list = [
  "one", # ] not the end
  [2,
   3], { x = 4, "y z".q = [
     5 ] },
]
[[range]]
label = \"\"\"a "quoted" label\"\"\"
[range.more]
k = 1979-05-27 07:32:00Z
[[range]]
[[range.deep]]
v = 'C:\\path'
[[range.deep]]
v = "a \\" quote # no comment"
"""

EXPECTED = {
    ("title",): 1,
    ("a",): 2,
    ("a", "b"): 2,
    ("a", "b", "c.d"): 2,
    ("hub",): 4,
    ("hub", "address"): 5,
    ("hub", "list"): 8,
    ("hub", "list", 0): 9,
    ("hub", "list", 1): 10,
    ("hub", "list", 1, 0): 10,
    ("hub", "list", 1, 1): 11,
    ("hub", "list", 2): 11,
    ("hub", "list", 2, "x"): 11,
    ("hub", "list", 2, "y z"): 11,
    ("hub", "list", 2, "y z", "q"): 11,
    ("hub", "list", 2, "y z", "q", 0): 12,
    ("range",): 14,
    ("range", 0): 14,
    ("range", 0, "label"): 15,
    ("range", 0, "more"): 16,
    ("range", 0, "more", "k"): 17,
    ("range", 1): 18,
    ("range", 1, "deep"): 19,
    ("range", 1, "deep", 0): 19,
    ("range", 1, "deep", 0, "v"): 20,
    ("range", 1, "deep", 1): 21,
    ("range", 1, "deep", 1, "v"): 22,
}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_key_table_and_item_has_its_line(newline):
    assert scan(TEXT.replace("\n", newline)) == EXPECTED


def test_a_place_without_a_line_gets_that_of_the_place_around_it():
    lines = scan("[[range]]\nlabel = 'x'\n")
    assert line_of(lines, ("range", 0, "credentials")) == 1
    assert line_of(lines, ("hub", "address")) is None
    assert line_of(lines, ()) is None


class Writer:
    """Write a random document and note where each key came to stand."""

    def __init__(self, draw):
        self.draw = draw
        self.text = ""
        self.count = 0
        self.lines: dict[tuple[str | int, ...], int] = {}

    def note(self, path):
        self.lines.setdefault(path, self.text.count("\n") + 1)

    def gap(self, choices=("", " ", "\t")):
        self.text += self.draw(st.sampled_from(choices))

    def break_line(self):
        self.text += self.draw(st.sampled_from(["\n", " # c ] } = \" ' \n", "\n\n  \t\n", "\r\n", "\n# [x]\n"]))

    def key(self):
        self.count += 1
        forms = [
            (f"bare-{self.count}", f"bare-{self.count}"),
            (f'"do t.{self.count} #"', f"do t.{self.count} #"),
            (f'"\\u00e9\\"{self.count}"', f'é"{self.count}'),
            (f"'lit]={self.count}'", f"lit]={self.count}"),
            (f"{self.count}", f"{self.count}"),
        ]
        return self.draw(st.sampled_from(forms))

    def pair(self, path, depth):
        keys = [self.key() for _ in range(self.draw(st.integers(1, 3)))]
        for place in range(1, len(keys) + 1):
            self.note((*path, *(name for _, name in keys[:place])))
        self.text += self.draw(st.sampled_from([".", " . ", ".\t"])).join(written for written, _ in keys)
        self.gap()
        self.text += "="
        self.gap()
        self.value((*path, *(name for _, name in keys)), depth)

    def value(self, path, depth):
        kind = self.draw(st.sampled_from(["plain", "array", "inline"] if depth else ["plain"]))
        if kind == "plain":
            self.text += self.draw(
                st.sampled_from(
                    [
                        "1_000",
                        "-1.5e3",
                        "true",
                        "1979-05-27 07:32:00.5Z",
                        "07:32:00",
                        '"# no \\" comment ]"',
                        "'lit # \\'",
                        '""',
                        '"""\n a "" \\" ] # \n\n b""""',
                        '"""""""a"""""'[2:],
                        "'''x\n''y'' #'''",
                        "''''quoted''''",
                        '"""end \\\n   joined"""',
                    ]
                )
            )
        elif kind == "array":
            self.text += "["
            for number in range(self.draw(st.integers(0, 3))):
                if self.draw(st.booleans()):
                    self.break_line()
                self.note((*path, number))
                self.value((*path, number), depth - 1)
                self.gap()
                if self.draw(st.booleans()):
                    self.break_line()
                self.text += ","
            self.gap()
            self.text += "]"
        else:
            self.text += "{"
            for number in range(self.draw(st.integers(0, 3))):
                self.text += ", " if number else " "
                self.pair(path, depth - 1)
            self.gap()
            self.text += "}"

    def header(self, known):
        """Write [new], [[new]], another [[known]] or [known.new]; return the path and the arrays known now."""
        kind = self.draw(st.sampled_from(["table", "array", "again", "below"]))
        written, name = self.key()
        if kind in {"again", "below"} and known:
            array, (array_written, number) = self.draw(st.sampled_from(sorted(known.items())))
            if kind == "again":
                self.note((array, number + 1))
                self.text += f"[[ {array_written} ]]"
                known[array] = (array_written, number + 1)
                return (array, number + 1)
            self.note((array, number, name))
            self.text += f"[{array_written} .{written}]"
            return (array, number, name)
        self.note((name,))
        if kind == "array":
            self.note((name, 0))
            self.text += f"[[{written}]]"
            known[name] = (written, 0)
            return (name, 0)
        self.text += f"[ {written} ]"
        return (name,)


@st.composite
def documents(draw):
    writer = Writer(draw)
    known: dict[str, tuple[str, int]] = {}
    path: tuple[str | int, ...] = ()
    for _ in range(draw(st.integers(0, 8))):
        writer.gap(("", " ", "\n", "# c\n"))
        if draw(st.integers(0, 2)) == 0:
            path = writer.header(known)
        else:
            writer.pair(path, draw(st.integers(0, 3)))
        writer.break_line()
    return writer.text, writer.lines


def paths(value: Any, path: tuple[str | int, ...] = ()):
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, below in items:
        yield from paths(below, (*path, step))


@settings(deadline=None)
@given(documents())
def test_it_agrees_with_tomllib_on_every_document(document):
    text, expected = document
    found = scan(text)
    assert set(found) == set(paths(tomllib.loads(text)))
    assert found == expected

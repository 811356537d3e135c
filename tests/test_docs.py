"""The documents test themselves: their links lead somewhere, and the commands that they show exist, options and all."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

import pytest
import typer.main

from dca.cli import COMMANDS, load_command

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
PROGRAMS = {
    "bench": "tests/bench",
    "proof-delivery": "tests/proof_delivery",
    "proof-tasks": "tests/proof_tasks",
    "proof-lockout": "tests/proof_lockout",
}
"""What the ARGS of these targets go to; `demo` gives them to `dca demo`, `test` to pytest."""
PROOFS = "tests/proof_delivery/program.py"
"""The options that all proofs have."""
LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
FENCE = re.compile(r"^\s*```(?P<language>\w*)")
COMMAND = re.compile(
    r"(?:^|[|;&(])\s*(?:\$ )?(?:ExecStart=)?(?:sudo (?:-u \S+ )?)?(?:[\w./-]*/)?(?P<command>(?:dca|make) [^\s].*)$"
)
END = set("|><;&()…")
"""Begins what a shell goes on with after a command, or stands where the writer left something out."""


class Shown(NamedTuple):
    document: str
    line: int
    words: tuple[str, ...]


def prose(text: str) -> Iterator[tuple[int, str]]:
    """Give the lines outside code, with their numbers."""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if FENCE.match(line):
            inside = not inside
        elif not inside and not line.startswith("    "):
            yield number, line


def code(text: str) -> Iterator[tuple[int, str]]:
    """Give what a reader would type: shell lines, `$ ` lines of a transcript, a unit's ExecStart, spans in the text."""
    language: str | None = None
    listed = False
    for number, line in enumerate(text.splitlines(), 1):
        fence = FENCE.match(line)
        if fence:
            language = None if language is not None else fence["language"]
        elif language is None and line.startswith("    ") and not listed:
            yield number, line
        elif language is None:
            listed = bool(re.match(r"\s*(?:[-*]|\d+\.)\s", line)) or (listed and line.startswith(" "))
            yield from ((number, span) for span in re.findall(r"`([^`]+)`", line))
        elif language == "sh" or (language == "text" and line.startswith("$ ")) or line.startswith("ExecStart="):
            yield number, line


def words_of(command: str) -> Iterator[str]:
    """Give the words of one command, as a shell takes them apart."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    for word in lexer:
        if word[:1] in END:
            return
        yield word


def shown(text: str, document: str = "") -> Iterator[Shown]:
    for number, line in code(text):
        found = COMMAND.search(line.split(" #")[0])
        if found:
            yield Shown(document, number, tuple(words_of(found["command"])))


def all_shown() -> list[Shown]:
    return [one for path in DOCUMENTS for one in shown(path.read_text("utf-8"), str(path.relative_to(ROOT)))]


def wrong_dca(words: tuple[str, ...]) -> str:
    """Return what is wrong with the words after `dca`, nothing if nothing is."""
    if not words or words[0] in {"--help", "-h", "--version", "-V"}:
        return ""
    if words[0] not in COMMANDS:
        return f"there is no command {words[0]}"
    command = typer.main.get_command(load_command(words[0]))
    options: set[str] = {"--help", "-h"}
    options |= _options_of(command)
    for word in words[1:]:
        if word.startswith("-"):
            if word.partition("=")[0] not in options:
                return f"there is no option {word}"
        elif hasattr(command, "commands"):
            if word not in command.commands:
                return f"there is no command {word}"
            command = command.commands[word]
            options |= _options_of(command)
    return ""


def _options_of(command: typer.core.TyperCommand) -> set[str]:
    return {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}


def wrong_make(words: tuple[str, ...]) -> str:
    """Return what is wrong with the words after `make`, nothing if nothing is."""
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    variables = set(re.findall(r"^([A-Z]+) *[?:]?=", MAKEFILE, re.MULTILINE))
    given = dict(word.split("=", 1) for word in words if "=" in word)
    asked = [word for word in words if "=" not in word]
    unknown = [word for word in asked if word not in targets] + [name for name in given if name not in variables]
    if unknown:
        return f"the Makefile knows no {unknown[0]}"
    passed = tuple(given.get("ARGS", "").split())
    if asked == ["demo"]:
        return wrong_dca(("demo", *passed))
    if asked and asked[0] in PROGRAMS:
        known = (ROOT / PROGRAMS[asked[0]] / "__main__.py").read_text("utf-8")
        if asked[0].startswith("proof-"):
            known += (ROOT / PROOFS).read_text("utf-8")
        missing = [word for word in passed if word.startswith("-") and f'add_argument("{word}"' not in known]
        return f"there is no option {missing[0]}" if missing else ""
    return ""


def wrong(words: tuple[str, ...]) -> str:
    return (wrong_dca if words[0] == "dca" else wrong_make)(words[1:])


def anchors(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    heads = [line.lstrip("#").strip() for _, line in prose(path.read_text("utf-8")) if re.match(r"#+ ", line)]
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    for number, line in prose(path.read_text("utf-8")):
        for found in LINK.finditer(line):
            target, _, anchor = found["target"].partition("#")
            if "://" in target or target.startswith("mailto:"):
                continue
            place = (path.parent / unquote(target)).resolve() if target else path
            assert place.exists(), f"line {number}: {target} is not there"
            assert place.is_relative_to(ROOT), f"line {number}: {target} lies outside the project"
            assert not anchor or anchor in anchors(place), f"line {number}: {target} has no heading #{anchor}"


def test_every_command_that_is_shown_exists() -> None:
    complaints = {f"{one.document}:{one.line}: {' '.join(one.words)}": wrong(one.words) for one in all_shown()}
    assert {where: why for where, why in complaints.items() if why} == {}


def test_commands_are_seen_wherever_they_are_shown() -> None:
    documents = {one.document for one in all_shown()}
    assert {"README.md", "docs/hub.md", "docs/running.md", "docs/configuration.md"} <= documents
    text = "Say `dca status --json`.\n\n    .venv/bin/dca scan 192.0.2.0/24   # all\n\n```sh\nsudo dca run | cat\n```\n"
    text += (
        '```ini\nExecStart=/opt/dca/bin/dca hub run --data x\n```\n```text\n$ make demo ARGS="--seconds 3"\ndca is\n```'
    )
    assert [one.words for one in shown(text)] == [
        ("dca", "status", "--json"),
        ("dca", "scan", "192.0.2.0/24"),
        ("dca", "run"),
        ("dca", "hub", "run", "--data", "x"),
        ("make", "demo", "ARGS=--seconds 3"),
    ]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("dca skan", "no command skan"),
        ("dca hub sit add", "no command sit"),
        ("dca hub site add x --dat y", "no option --dat"),
        ("dca status --colour", "no option --colour"),
        ("make tset", "knows no tset"),
        ("make bench AGRS=--quick", "knows no AGRS"),
        ("make bench ARGS=--quik", "no option --quik"),
        ('make demo ARGS="--secs 3"', "no option --secs"),
        ("dca hub site list --data x", ""),
        ("make proof-delivery ARGS=--quick", ""),
    ],
)
def test_a_wrong_command_would_be_found(line: str, complaint: str) -> None:
    said = wrong(tuple(shlex.split(line)))
    assert complaint in said
    assert bool(said) == bool(complaint)

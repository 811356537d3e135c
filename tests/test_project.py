"""The project tests itself: its tree has only its rooms, its locks name no address, its files stay small and say
what of them is public, and nothing in it belongs to one machine or is left for later."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOP = {
    ".ci",
    ".gitignore",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "SECURITY.md",
    "dca",
    "docs",
    "packaging",
    "proto",
    "pyproject.toml",
    "requirements",
    "tests",
}


def tracked(*patterns: str) -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [ROOT / name for name in names.splitlines() if (ROOT / name).is_file()]


SOURCES = [path for path in tracked("dca/*.py") if "wire" not in path.parts]


def test_the_tree_has_only_its_rooms() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in tracked()} <= TOP


@pytest.mark.parametrize("lock", sorted((ROOT / "requirements").glob("*.lock")), ids=lambda path: path.name)
def test_locks_pin_hashes_and_name_no_address(lock: Path) -> None:
    text = lock.read_text("utf-8")
    assert "://" not in text
    pinned = re.findall(r"^\w[^ ]*==", text, re.MULTILINE)
    assert pinned
    assert text.count("--hash=sha256:") >= len(pinned)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_source_file_has_one_concern(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= 400, "split it: one concern a file"
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "say what the module is for"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= 70, f"{node.name} is {length} lines long"


def registers(decorator: ast.expr) -> bool:
    made = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(made, ast.Attribute) and made.attr in {"command", "callback"}


def top_level(tree: ast.Module) -> tuple[set[str], set[str]]:
    """Return every name that a module binds, and those of its functions and classes.

    What has a decorator that registers it (a command of the command line) is reached by that, not by its name.
    """
    bound: set[str] = set()
    made: set[str] = set()
    statements = list(tree.body)
    for node in statements:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                (bound if any(map(registers, node.decorator_list)) else made).add(node.name)
            case ast.Import() | ast.ImportFrom():
                bound |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
            case ast.Assign() | ast.AnnAssign():
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                bound |= {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}
            case ast.If() | ast.Try():
                statements += [inner for inner in ast.iter_child_nodes(node) if isinstance(inner, ast.stmt)]
            case _:
                pass
    return bound | made, made


def public_names(tree: ast.Module) -> list[str] | None:
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(getattr(target, "id", "") == "__all__" for target in node.targets):
            names: list[str] = ast.literal_eval(node.value)
            return names
    return None


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_what_of_it_is_public(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    public = public_names(tree)
    if public is None:
        assert path.name in {"__init__.py", "__main__.py"}, "it has no __all__"
        return
    bound, made = top_level(tree)
    modules = {found.stem for found in path.parent.glob("*.py")} if path.name == "__init__.py" else set()
    assert len(set(public)) == len(public), "a name is there twice"
    assert set(public) <= bound | modules, "__all__ names what is not there"
    unnamed = {name for name in made if not name.startswith("_")} - set(public)
    assert not unnamed, "neither in __all__ nor named with an underscore"


def pattern(*words: str) -> re.Pattern[str]:
    """Return what finds one of the words; none of them is spelt out here, where it would find itself."""
    return re.compile("|".join(words))


LEFT_FOR_LATER = pattern(r"\bTO[D]O\b", r"\bFIX[M]E\b", r"\bXX[X]\b")
ONE_MACHINE = pattern(r"/home/(?!me\b)\w", r"/Users/\w", r"\bC:\\+Users\\+\w+\\", r"(?<![\w.])/wor[k]/")
REGISTRY = pattern(
    r"\bpypi\.(?:org|python)", r"pythonhosted\.", r"\bnpmjs\.", r"\bcrates\.io", r"\bproxy\.golang", r"\bghcr\.io",
    r"\bdocker\.(?:io|com)", r"\brubygems\.", r"\bconda\.anaconda", r"deb\.debian\.", r"security\.debian\.",
)  # fmt: skip


@pytest.mark.parametrize("unwanted", [LEFT_FOR_LATER, ONE_MACHINE, REGISTRY], ids=["later", "one-machine", "registry"])
def test_no_file_names_what_is_not_of_the_project(unwanted: re.Pattern[str]) -> None:
    found = []
    for path in tracked():
        try:
            lines = path.read_text("utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}:{at}: {line}" for at, line in enumerate(lines, 1) if unwanted.search(line)]
    assert found == []


@pytest.mark.parametrize(
    ("unwanted", "text"),
    [
        (LEFT_FOR_LATER, "# " + "TO" + "DO: later"),
        (ONE_MACHINE, "/home" + "/jane/dca"),
        (ONE_MACHINE, "see /wo" + "rk/main"),
        (REGISTRY, "https://py" + "pi.org/simple"),
    ],
)
def test_what_is_unwanted_would_be_found(unwanted: re.Pattern[str], text: str) -> None:
    assert unwanted.search(text)

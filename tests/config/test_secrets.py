from __future__ import annotations

import os

import pytest

from dca.config.kinds import BadValueError, Context
from dca.config.secrets import SecretKind
from dca.model import Secret


def follow(text, tmp_path, *, kind=None, **environ):
    return (kind or SecretKind()).parse(text, Context(environ, tmp_path))


@pytest.fixture
def file(tmp_path):
    def write(data, mode=0o600):
        path = tmp_path / "secret"
        path.write_bytes(data)
        path.chmod(mode)
        return f"file:{path}"

    return write


def test_each_way(tmp_path, file):
    file(b"in a file\n")
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "snmp-auth").write_bytes(b"of systemd")
    (folder / "snmp-auth").chmod(0o440)  # as systemd shows it where it uses an ACL
    assert follow("env:NAME", tmp_path, NAME="in the environment") == Secret("in the environment")
    assert follow(f"file:{tmp_path}/secret", tmp_path) == Secret("in a file")
    assert follow("file:secret", tmp_path) == Secret("in a file")
    assert follow("credential:snmp-auth", tmp_path, CREDENTIALS_DIRECTORY=str(folder)) == Secret("of systemd")


@pytest.mark.parametrize(
    ("data", "text"),
    [(b"a\n", "a"), (b"a\r\n", "a"), (b"a\n\n", "a\n"), (b" a ", " a "), (b"a\r", "a\r"), ("ä".encode(), "ä")],
)
def test_one_line_end_is_left_out_and_nothing_else(tmp_path, file, data, text):
    assert follow(file(data), tmp_path).reveal() == text


@pytest.mark.skipif(os.name != "posix", reason="permissions of another kind")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610, 0o644])
def test_a_file_that_others_can_read_is_refused(tmp_path, file, mode):
    with pytest.raises(BadValueError, match="chmod 600"):
        follow(file(b"hunter2", mode), tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hunter2", "does not stand in this file"),
        ("vault:hunter2", "does not stand in this file"),
        ("public", "does not stand in this file"),
        ("ENV:NAME", "does not stand in this file"),
        ("", "does not stand in this file"),
        ("env:", "needs a name"),
        ("env:A B", "needs a name"),
        ("env:MISSING", "is not set"),
        ("env:EMPTY", "is empty"),
        ("env:LONG", "too long"),
        ("file:", "whole path"),
        ("file:~/secret", "whole path"),
        ("file:/nonexistent/secret", "No such file"),
        ("file:.", "cannot be read"),
        ("credential:x", "LoadCredential=x:PATH"),
        ("credential:../x", "needs a name"),
        ("credential:a/b", "needs a name"),
        (5, "is a number"),
        (["env:NAME"], "is a list"),
    ],
)
def test_what_leads_to_no_secret(tmp_path, text, words):
    with pytest.raises(BadValueError) as caught:
        follow(text, tmp_path, EMPTY="", LONG="x" * 2000)
    assert words in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_what_is_no_text_file_is_refused(tmp_path, file):
    with pytest.raises(BadValueError, match="larger than 4096"):
        follow(file(b"x" * 5000), tmp_path)
    with pytest.raises(BadValueError, match="not UTF-8") as caught:
        follow(file(b"hunter2\xff"), tmp_path)
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    (tmp_path / "folder").mkdir(mode=0o700)
    with pytest.raises(BadValueError, match="cannot be read"):
        follow("file:folder", tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFO")
def test_a_fifo_does_not_hang_the_agent(tmp_path):
    os.mkfifo(tmp_path / "fifo", 0o600)
    with pytest.raises(BadValueError, match="no regular file"):
        follow("file:fifo", tmp_path)


def test_only_the_community_public_may_stand_itself(tmp_path):
    kind = SecretKind(public=True)
    assert follow("public", tmp_path, kind=kind) == Secret("public")
    with pytest.raises(BadValueError, match='only the community "public"'):
        follow("private", tmp_path, kind=kind)


def test_a_password_that_is_too_short_is_told_with_its_rule(tmp_path):
    kind = SecretKind(least=8, rule="RFC 3414")
    assert follow("env:P", tmp_path, kind=kind, P="12345678")
    with pytest.raises(BadValueError, match=r"at least 8 characters \(RFC 3414\)") as caught:
        follow("env:P", tmp_path, kind=kind, P="hunter2")
    assert "hunter2" not in str(caught.value)

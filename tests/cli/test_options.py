"""What the command line says about credentials."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import typer

from dca.cli.options import V3Options, credentials_of
from dca.model import AuthProtocol, PrivProtocol


def shown(credentials):
    return [(one.version, one.community.reveal() if one.community else None, one.user) for one in credentials]


@pytest.mark.parametrize(
    ("communities", "version", "user", "expected"),
    [
        (None, None, "", [(None, "public", "")]),
        (["a", "b"], None, "", [(None, "a", ""), (None, "b", "")]),
        (["a"], "1", "", [("1", "a", "")]),
        (None, None, "joe", [("3", None, "joe")]),
        (None, "3", "joe", [("3", None, "joe")]),
        (["a"], None, "joe", [("3", None, "joe"), (None, "a", "")]),
    ],
)
def test_what_is_tried_in_which_order(communities, version, user, expected) -> None:
    assert shown(credentials_of(communities, version, V3Options(user=user))) == expected


@pytest.mark.parametrize(
    ("communities", "version", "v3"),
    [
        (None, "3", {}),
        (["a"], "3", {"user": "joe"}),
        (None, "2c", {"user": "joe"}),
        (None, None, {"auth": "sha1"}),
        (None, None, {"context": "x"}),
        (None, None, {"user": "joe", "auth": "sha3", "auth_variable": "A"}),
        (None, None, {"user": "joe", "auth_variable": "UNSET"}),
        (None, None, {"user": "joe", "auth_variable": "SHORT"}),
        (None, None, {"user": "joe", "priv": "aes", "priv_variable": "A"}),
        (None, None, {"user": "joe", "auth_variable": "A", "auth_file": Path("/x")}),
        (None, None, {"user": "joe", "auth_file": Path("/nowhere/at/all")}),
    ],
)
def test_what_does_not_go_together_is_wrong_use(communities, version, v3) -> None:
    environ = {"A": "authentication", "SHORT": "seven77"}
    with pytest.raises(typer.BadParameter):
        credentials_of(communities, version, V3Options(**v3, environ=environ))


@pytest.mark.parametrize(
    ("auth", "priv", "expected"),
    [
        ("SHA", "AES", (AuthProtocol.SHA1, PrivProtocol.AES128)),
        ("SHA-256", "AES-256", (AuthProtocol.SHA256, PrivProtocol.AES256)),
        ("sha_512", "aes256-c", (AuthProtocol.SHA512, PrivProtocol.AES256C)),
        ("md5", "des", (AuthProtocol.MD5, PrivProtocol.DES)),
        ("auto", "auto", (None, None)),
        (None, None, (None, None)),
    ],
)
def test_protocols_as_people_write_them(auth, priv, expected) -> None:
    options = V3Options(
        user="joe", auth=auth, auth_variable="A", priv=priv, priv_variable="P", environ={"A": "a" * 8, "P": "p" * 8}
    )
    (credential,) = credentials_of(None, None, options)
    assert (credential.auth, credential.priv) == expected
    assert credential.auth_password.reveal() == "aaaaaaaa"
    assert credential.priv_password.reveal() == "pppppppp"
    assert "aaaa" not in repr(credential)


def test_a_password_from_a_file_is_its_first_line(tmp_path) -> None:
    (tmp_path / "auth").write_text("pass word ü\r\nmore\n", encoding="utf-8")
    (credential,) = credentials_of(None, None, V3Options(user="joe", auth_file=tmp_path / "auth"))
    assert credential.auth_password.reveal() == "pass word ü"


def test_a_file_that_is_no_text_shows_nothing_of_it(tmp_path) -> None:
    (tmp_path / "auth").write_bytes(b"secret\xff\xfe")
    with pytest.raises(typer.BadParameter) as caught:
        credentials_of(None, None, V3Options(user="joe", auth_file=tmp_path / "auth"))
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_password_is_asked_for_on_a_terminal(monkeypatch) -> None:
    asked = []
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(typer, "prompt", lambda text, **how: asked.append((text, how)) or "from a person")
    (credential,) = credentials_of(None, None, V3Options(user="joe", auth="sha1"))
    assert credential.auth_password.reveal() == "from a person"
    assert asked == [("Authentication password of joe", {"hide_input": True, "err": True})]


def test_without_a_terminal_nothing_is_asked(monkeypatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    with pytest.raises(typer.BadParameter, match="no terminal"):
        credentials_of(None, None, V3Options(user="joe", auth="sha1"))


@pytest.mark.parametrize(
    ("communities", "names"),
    [
        (None, ["community public"]),
        (["public"], ["community public"]),
        (["s3cret"], ["the community given"]),
        (["s3cret", "public", "other"], ["--community #1", "community public", "--community #3"]),
    ],
)
def test_messages_call_a_community_by_its_place_and_never_by_itself(communities, names) -> None:
    assert [one.name for one in credentials_of(communities, None, V3Options())] == names


def test_the_right_option_is_named_for_a_short_password(tmp_path) -> None:
    (tmp_path / "short").write_text("seven77")
    for given, option in (
        ({"auth_file": tmp_path / "short"}, "--auth-password-file"),
        ({"auth_variable": "SHORT"}, "--auth-password-env"),
    ):
        with pytest.raises(typer.BadParameter) as caught:
            credentials_of(None, None, V3Options(user="joe", **given, environ={"SHORT": "seven77"}))
        assert caught.value.param_hint == option

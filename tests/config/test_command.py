"""``dca config`` as a person types it."""

from __future__ import annotations

import pytest

from dca.cli import main
from dca.config import example

WHOLE = """
[hub]
address = "hub.example.com"
proxy = "environment"
[[credential]]
name = "office"
community = "public"
[[range]]
label = "Head office"
include = ["10.0.0.0/24", "printer.example.com"]
exclude = ["10.0.0.9", "press.example.com"]
credentials = ["office"]
[[range]]
label = "Branch"
include = ["10.0.0.200-10.0.1.9"]
credentials = ["office"]
port = 161
[[range]]
label = "Lab"
include = ["10.9.0.0/24"]
credentials = ["office"]
enabled = false
"""


OVERLAP = (
    'note: range "Branch" names 55 addresses (first: 10.0.0.200) that range "Head office", which stands before it, '
    "already has"
)


def run(capsys, *words):
    with pytest.raises(SystemExit) as caught:
        main(["config", *words])
    out, err = capsys.readouterr()
    return caught.value.code or 0, out, err


def test_check_says_what_a_file_comes_to_and_sends_nothing(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://me:hunter2@proxy.example.com:3128")
    monkeypatch.setenv("no_proxy", "hub.example.com:22")
    monkeypatch.setattr("socket.getaddrinfo", None)
    (tmp_path / "dca.toml").write_text(WHOLE)
    code, out, err = run(capsys, "check", str(tmp_path / "dca.toml"))
    assert (code, err) == (0, "")
    assert "hunter2" not in out
    lines = [line.strip() for line in out.splitlines()]
    assert lines.pop(6).startswith("policy: allow ")
    assert lines == [
        f"{tmp_path}/dca.toml can be used.",
        "hub gRPC: hub.example.com:443",
        "hub MQTT: hub.example.com:443, else the port that the hub names",
        "hub SSH: hub.example.com:22, else hub.example.com:443",
        "hub downloads: hub.example.com:443",
        "proxy: http://proxy.example.com:3128, not for SSH",
        'range "Head office": 253 addresses, 1 host name, port 161, credentials office',
        'range "Branch": 11 addresses, port 161, credentials office',
        'range "Lab": off',
        "ranges together: 264 addresses to sweep",
        "note: nothing is contacted until these excluded names are resolved: press.example.com",
        OVERLAP,
    ]


def test_check_tells_every_problem_and_ends_with_2(capsys, tmp_path):
    (tmp_path / "dca.toml").write_text("[limits]\nretries = 99\n[log]\nlevel = 1\n")
    code, out, err = run(capsys, "check", str(tmp_path / "dca.toml"))
    assert (code, out) == (2, "")
    assert [line.strip() for line in err.splitlines()] == [
        f"dca: {tmp_path}/dca.toml cannot be used:",
        "line 2: limits.retries: is 99; allowed is a whole number from 0 to 10",
        'line 4: log.level: is a number; allowed is one of "debug", "info", "warning", "error"',
    ]


def test_check_of_the_usual_place(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("dca.cli.config.default_path", lambda: tmp_path / "missing.toml")
    code, _, err = run(capsys, "check")
    assert code == 2
    assert f"{tmp_path}/missing.toml cannot be used" in err


def test_the_example_is_printed_and_can_be_checked(capsys, tmp_path):
    code, out, _ = run(capsys, "example")
    assert (code, out) == (0, example())
    (tmp_path / "dca.toml").write_text(out)
    code, out, _ = run(capsys, "check", str(tmp_path / "dca.toml"))
    assert (code, out.count("no hub"), out.count("no range")) == (0, 1, 1)

"""The systemd unit: no part of it is unknown to systemd, and it exposes little."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from dca.cli import WRONG_USE
from tests.system.peers import need

UNIT = Path(__file__).resolve().parents[2] / "packaging" / "linux" / "dca.service"
MOST = 1.6
"""Exposure by `systemd-analyze security`; comparable agents ship at 9.2 and more."""


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    program = need("systemd-analyze", "systemd")
    return subprocess.run([program, *words, str(UNIT)], capture_output=True, text=True, timeout=30, check=False)


def test_it_exposes_little() -> None:
    done = analyze("security", "--offline=true", "--no-pager")
    found = re.search(r"Overall exposure level for dca\.service: ([0-9.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    assert float(found[1]) <= MOST


def test_systemd_knows_every_word_of_it() -> None:
    said = analyze("verify").stderr
    assert re.sub(r".*(is not executable|Unit .* not found|Failed to (connect|open)).*\n?", "", said).strip() == ""


def test_a_wrong_config_is_not_tried_again_for_ever() -> None:
    """The exit code of a wrong config file is that of `dca.cli`."""
    assert f"RestartPreventExitStatus={WRONG_USE}" in UNIT.read_text("utf-8").splitlines()

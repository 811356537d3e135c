"""The proofs of tasks and of the lockout on a small scale; `make proof-tasks` and `make proof-lockout` do many."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from peers import missing, need

ROOT = Path(__file__).resolve().parents[2]


def prove(name: str) -> dict[str, object]:
    if sys.platform != "linux":
        missing("the hub's embedded engines run on Linux")
    command = [sys.executable, "-m", f"tests.{name}", "--tiny"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=140)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.timeout(150)
def test_a_small_proof_of_tasks():
    need("mosquitto_pub", "mosquitto-clients")
    figures = prove("proof_tasks")
    ends = sum(figures[end] for end in ("done", "expired", "cancelled", "refused", "failed"))
    assert figures["tasks"] == ends >= 20
    assert (figures["lost"], figures["twice"], figures["untrue"]) == (0, 0, 0)
    assert figures["strikes"] >= 3
    assert 0 < figures["median_ms"] < 5000
    assert figures["ratio_mosquitto"] > 0


@pytest.mark.slow
@pytest.mark.timeout(150)
def test_a_small_proof_of_the_lockout():
    figures = prove("proof_lockout")
    assert (figures["guesses"], figures["parallel"], figures["reached_hub"]) == (500, 10, 5)
    assert figures["connections_after_lock"] == 0
    assert figures["locked_after_restart"] is True
    assert figures["right_code_after_unlock"] is True
    assert figures["killed_with_a_try_counted"] == 2

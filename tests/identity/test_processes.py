"""Real processes on one state directory, against a hub that counts."""

from __future__ import annotations

import collections
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dca.hub.activation.requests import fingerprint, key_of
from dca.identity.identity import PENDING, load_identity
from dca.identity.keys import request_for
from dca.identity.lockout import Lockout
from dca.identity.vault import Vault
from dca.model import Secret
from tests.identity.fake_hub import FakeHub, accept, refuse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dca.contract.codes import Code

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

ROOT = Path(__file__).resolve().parents[2]
CROWD = Path(__file__).with_name("crowd.py")


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[FakeHub]:
    (tmp_path / "hub").mkdir()
    with FakeHub(tmp_path / "hub", refuse) as serving:
        yield serving


@pytest.fixture
def state(tmp_path: Path) -> Path:
    made = tmp_path / "state"
    made.mkdir(mode=0o700)
    return made


def started(hub: FakeHub, state: Path, codes: list[Code], count: int) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, str(CROWD), str(state), str(hub.port), str(count)],
        cwd=ROOT, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write("\n".join(code.text().reveal() for code in codes))
    process.stdin.close()
    process.stdin = None
    return process


def crowd(hub: FakeHub, state: Path, codes: list[Code], count: int = 50) -> collections.Counter[str]:
    process = started(hub, state, codes, count)
    out, err = process.communicate(timeout=150)
    assert process.returncode == 0, err
    return collections.Counter(out.split("\n")[:-1])


def test_fifty_processes_with_fifty_codes_send_five(hub: FakeHub, state: Path) -> None:
    assert crowd(hub, state, [hub.code() for _ in range(50)]) == {"refused": 5, "locked": 45}
    assert len({request.code for request in hub.seen}) == len(hub.seen) == 5
    assert crowd(hub, state, [hub.code() for _ in range(10)], 10) == {"locked": 10}
    assert len(hub.seen) == 5
    assert Lockout(state).standing().locked


def test_fifty_processes_with_one_code_send_it_once(hub: FakeHub, state: Path) -> None:
    assert crowd(hub, state, [hub.code()]) == {"refused": 1, "locked": 49}
    assert len(hub.seen) == 1
    assert Lockout(state).standing().used == 1


def test_fifty_processes_with_one_good_code_are_one_agent(hub: FakeHub, state: Path) -> None:
    hub.judge = accept
    assert crowd(hub, state, [hub.code()], 12) == {"activated": 12}
    found = load_identity(Vault(state, environ={}))
    assert found is not None
    assert Lockout(state).standing().used == 0


def test_a_kill_between_the_count_and_the_answer_leaves_the_try_counted(hub: FakeHub, state: Path) -> None:
    codes = [hub.code() for _ in range(6)]
    for number, code in enumerate(codes[:5], 1):
        hub.gate.clear()
        hub.arrived.clear()
        with started(hub, state, [code], 1) as process:
            assert hub.arrived.wait(60)
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            assert len(children) == 1
            subprocess.run(["kill", "-9", *children], check=True)
            process.communicate(timeout=30)
        hub.gate.set()
        assert Lockout(state).standing().used == number
    assert [request.code for request in hub.seen] == [code.text().reveal() for code in codes[:5]]
    assert crowd(hub, state, codes[5:], 1) == {"locked": 1}
    assert len(hub.seen) == 5


def test_after_a_kill_the_same_code_comes_with_the_same_key(hub: FakeHub, state: Path) -> None:
    hub.judge = accept
    code = hub.code()
    hub.gate.clear()
    with started(hub, state, [code], 1) as process:
        assert hub.arrived.wait(60)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        subprocess.run(["kill", "-9", *children], check=True)
        process.communicate(timeout=30)
    pending = Secret(Vault(state, environ={}).read()[PENDING])
    hub.gate.set()
    assert crowd(hub, state, [code], 1) == {"activated": 1}
    found = load_identity(Vault(state, environ={}))
    assert found is not None
    assert found.key == pending
    assert hub.keys == {fingerprint(key_of(request_for(pending)))}

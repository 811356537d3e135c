from __future__ import annotations

import re
import sys
import time

import psutil
import pytest

from dca.cli.demo import parts as parts_module
from dca.cli.demo import setting
from dca.cli.demo.parts import PartError, Parts
from dca.config import load


@pytest.fixture
def parts(tmp_path, monkeypatch):
    monkeypatch.setattr(parts_module, "COMMAND", (sys.executable, "-c"))
    monkeypatch.setattr(parts_module, "_PATIENCE", 0.5)
    found = Parts(tmp_path, lambda: None)
    yield found
    found.stop()


def started(part, text="up\n"):
    while part.log.read_text() != text:
        time.sleep(0.01)


def test_a_part_is_asked_to_stop(parts):
    part = parts.start("meek part", ["print('up', flush=True); import time; time.sleep(60)"])
    started(part)
    parts.check()
    parts.stop()
    assert part.process.returncode == -15
    assert part.log.name == "meek-part.log"


def test_one_that_does_not_stop_is_ended_with_all_that_it_started(parts):
    code = "import signal, subprocess, sys; signal.signal(15, signal.SIG_IGN)\n"
    code += "child = subprocess.Popen(['sleep', '60'])\nprint(child.pid, flush=True)\nsignal.pause()"
    part = parts.start("stubborn", [code])
    while not part.log.read_text().endswith("\n"):
        time.sleep(0.01)
    grandchild = psutil.Process(int(part.log.read_text()))
    parts.stop()
    assert part.process.returncode == -9
    assert psutil.wait_procs([grandchild], timeout=10)[1] == []


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("print('one'); print('two'); raise SystemExit(3)", "the x ended with exit code 3; its last lines:\none\ntwo"),
        ("import os; os.kill(os.getpid(), 9)", "the x was ended by SIGKILL; it wrote nothing"),
    ],
)
def test_one_that_ends_is_told_with_its_last_lines(parts, code, words):
    parts.start("x", [code])
    with pytest.raises(PartError) as caught:
        parts.wait_for(lambda: False, 30, "x")
    assert str(caught.value) == words
    with pytest.raises(PartError):
        parts.check()  # still, for it was not reaped


def test_one_that_is_never_ready_is_told(parts):
    parts.start("x", ["print('still starting', flush=True); import time; time.sleep(60)"])
    with pytest.raises(PartError, match="the x is not ready after 0 s"):
        parts.wait_for(lambda: False, 0.3, "the x")


def test_the_agents_config_is_one_that_it_takes(tmp_path):
    calls = []

    class Recorded:
        def start(self, name, arguments):
            calls.append((name, arguments))

    hub = setting.Hub("localhost:4443", "http://127.0.0.1:4480/", "a-code-of-the-site")
    state, _ = setting.start_agent(Recorded(), tmp_path, hub, 16161)
    ((name, arguments),) = calls
    assert (name, arguments[:2]) == ("agent", ["run", "--config"])
    config = load(tmp_path / "agent.toml")
    assert config.hub.activation_code.reveal() == "a-code-of-the-site"
    assert [credential.name for credential in config.ranges[0].credentials] == ["public", "office-v3"]
    assert config.ranges[0].include == (f"{setting.FIRST}-{setting.LAST}",)
    assert (tmp_path / "code").stat().st_mode & 0o777 == 0o600
    assert "a-code-of-the-site" not in (tmp_path / "agent.toml").read_text()
    assert state == tmp_path / "agent"
    assert re.fullmatch(r"127\.20\.0\.27", setting.LAST)

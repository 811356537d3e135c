"""``dca status``: what a person and a program see of a state directory."""

from __future__ import annotations

import json
import time

import pytest

import dca.service.status
from dca.model import Known
from dca.service.notes import Notes, Trouble
from dca.service.status import DeviceStatus, Status
from dca.telemetry import Figures
from dca.wire.snapshot_pb2 import OUTCOME_NO_ANSWER, OUTCOME_OK, Snapshot


def known(number: int, **fields) -> Known:
    return Known(
        device_id=f"{number:016x}", address=f"10.0.0.{number}", port=161, range="Office", credential="office",
        version="2c", manufacturer="Acme", model="Mono 1", serial=f"SN{number}", **fields,
    )  # fmt: skip


@pytest.fixture
def state(monkeypatch, made):
    """Stand for the state file; returns the directories that were asked for."""
    asked = []
    now = time.time()
    there = Status(
        read_at=now,
        pid=4711,
        agent_id="5f0c8a1e-0000-4000-8000-000000000001",
        figures=Figures(1234, 7200.0, 5000, 3700, {"status_unchanged": 60}, 2, 4),
        notes=Notes(
            "0.1.0",
            now - 7200,
            now - 600,
            now - 30,
            "the hub \x1b[2J is away",
            now - 20,
            {"status": now + 200},
            closed=True,
            others=17,
            refused=53,
            let_nobody_in=[Trouble("10.0.0.99", "Office", "accepts no\x1b[2J credential", now - 7200)],
            names=[Trouble("server.example", "", "no such name", now - 600)],
        ),
        devices=(
            DeviceStatus(known(1, outcome=OUTCOME_OK, last_read=now), made("10.0.0.1"), made("10.0.0.1")),
            DeviceStatus(
                known(2, outcome=OUTCOME_NO_ANSWER, reason="nothing came back\x1b[2J", silent_since=now - 600),
                Snapshot(),
                None,
            ),
        ),
    )

    def read(directory):
        asked.append(directory)
        return there

    monkeypatch.setattr(dca.service.status, "read_status", read)
    return asked


def test_people_see_what_is_wrong_and_since_when(dca, state, tmp_path) -> None:
    ran = dca("status", "--state-dir", str(tmp_path))
    assert ran.code == 0
    for words in (
        "running as process 4711 for 2 h", "2 known, 1 answering, 1 silent", "1 234 rows wait, the oldest for 2 h",
        "3 700 of 5 000 acknowledged", "60 dropped", "2 set aside", "4 lost", "last just now", "is away",
        "status in 3 min", "Acme Color 3", "10 min", "nothing came back", "Acme Mono 1",
        "53 let nobody in, 17 hosts are no printers", "10.0.0.99", "accepts no", "and 52 more",
        "nothing is contacted until", "server.example", "no such name",
    ):  # fmt: skip
        assert words in ran.out
    assert "\x1b" not in ran.out
    assert state == [tmp_path]


@pytest.mark.parametrize("columns", [80, 120])
def test_it_fits_the_terminal(dca, state, columns) -> None:
    ran = dca("status", "--state-dir", ".", columns=columns)
    assert max(map(len, ran.out.splitlines())) <= columns


def test_programs_get_one_object(dca, state) -> None:
    ran = dca("status", "--state-dir", ".", "--json")
    assert ran.code == 0
    assert ran.out.count("\n") == 1
    found = json.loads(ran.out)
    assert (found["running"], found["pid"]) == (True, 4711)
    assert found["outbox"] == {
        "depth": 1234, "oldest_age": 7200.0, "written": 5000, "acknowledged": 3700,
        "dropped": {"status_unchanged": 60}, "aside": 2, "lost": 4,
    }  # fmt: skip
    assert found["delivery"]["last"].endswith("Z")
    first, second = found["devices"]
    assert (first["answering"], first["silent_since"], first["outcome"]) == (True, None, "ok")
    assert first["snapshot"]["device"]["model"] == "Acme Color 3"
    assert (second["answering"], second["outcome"], second["snapshot"]) == (False, "no answer", None)
    assert second["silent_since"].endswith("Z")
    assert found["closed"] is True
    assert found["others"] == {"let_nobody_in": 53, "left_alone": 17}
    (stranger,), (name,) = found["let_nobody_in"], found["names"]
    assert (stranger["address"], stranger["range"], stranger["since"][-1]) == ("10.0.0.99", "Office", "Z")
    assert (name["name"], name["range"], name["reason"]) == ("server.example", None, "no such name")


def test_the_config_says_where_without_its_secrets(dca, state, tmp_path) -> None:
    (tmp_path / "dca.toml").write_text('[agent]\nstate_dir = "here"\n[hub]\nactivation_code = "file:/nowhere"\n')
    assert dca("status", "--config", str(tmp_path / "dca.toml")).code == 0
    assert state == [tmp_path / "here"]


def test_a_config_without_a_state_dir_means_the_usual_one(dca, state, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "usual"))
    (tmp_path / "dca.toml").write_text("[agent]\n")
    assert dca("status", "--config", str(tmp_path / "dca.toml")).code == 0
    assert state == [tmp_path / "usual"]


@pytest.mark.parametrize("content", [None, "[agent", b"\xff\xfe"])
def test_a_config_that_cannot_be_read_is_wrong_use(dca, state, tmp_path, content) -> None:
    if content is not None:
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / "dca.toml").write_bytes(data)
    ran = dca("status", "--config", str(tmp_path / "dca.toml"))
    assert ran.code == 2
    assert "dca.toml cannot be used" in ran.err
    assert state == []


def test_no_state_is_one_clear_line(dca, tmp_path) -> None:
    ran = dca("status", "--state-dir", str(tmp_path / "nowhere"))
    assert ran.code == 1
    assert ran.err.startswith("dca: there is no state file at ")
    assert ran.err.count("\n") == 1

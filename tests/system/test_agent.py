"""The real agent between a simulated office and a real hub: read, deliver, reload, stop, start again."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import time
from typing import TYPE_CHECKING

import pytest

from dca.sim.office import V3_USER
from tests.system.agent import ALL, AgentProcess, dca, office, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.hub.process import HubProcess

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

PRINTERS = 24
"""Of the office's 25 devices; one is a switch."""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with office(tmp_path_factory.mktemp("office")) as found:
        yield found


@pytest.fixture
def agent(tmp_path_factory: pytest.TempPathFactory, hub: HubProcess, port: int) -> Iterator[AgentProcess]:
    process = AgentProcess(tmp_path_factory.mktemp("agent"), hub, port)
    yield process
    process.close()


def settled(agent: AgentProcess) -> dict:
    """Wait until every printer is known and read, and everything read so far is delivered."""

    def all_known() -> dict | None:
        found = agent.status()
        return found if len(found["devices"]) == PRINTERS and found["delivery"]["last"] else None

    return wait_for(all_known, "all devices")


def stored(agent: AgentProcess) -> tuple[int, int, int]:
    """Return rows written, acknowledged and waiting, by the state file."""
    outbox = agent.status()["outbox"]
    return outbox["written"], outbox["acknowledged"], outbox["depth"]


def test_from_the_first_start_to_the_end(agent: AgentProcess) -> None:
    agent.start()
    found = settled(agent)
    assert found["running"]
    by_protocol = {
        device["address"]: device["snapshot"]["protocol"] for device in found["devices"] if device["snapshot"]
    }
    assert set(by_protocol.values()) == {"snmpv1", "snmpv2c", "snmpv3"}
    assert sum(device["answering"] for device in found["devices"]) >= PRINTERS - 1  # one of them sleeps at times
    wait_for(lambda: "WATCHDOG=1" in agent.notified(), "the watchdog's food")
    code, seconds = agent.end()
    assert code == 0
    assert seconds < 5
    assert agent.notified()[0] == "READY=1"
    assert "STOPPING=1" in agent.notified()
    written, acknowledged, depth = stored(agent)
    assert written == acknowledged
    assert depth == 0
    after = agent.status()
    assert not after["running"]
    assert len(after["devices"]) == PRINTERS


def test_no_line_of_the_log_shows_a_secret_or_a_serial_number(agent: AgentProcess) -> None:
    agent.start()
    found = settled(agent)
    agent.end()
    said = agent.said()
    assert V3_USER.auth_password is not None
    assert V3_USER.priv_password is not None
    secrets = [V3_USER.auth_password.reveal(), V3_USER.priv_password.reveal(), agent.code]
    serials = [device["serial"] for device in found["devices"]]
    assert sum(map(bool, serials)) > PRINTERS // 2
    assert [text for text in secrets + serials if text and text in said] == []
    assert "Traceback" not in said


def test_sighup_takes_the_new_config_and_keeps_the_old_one_when_it_is_wrong(agent: AgentProcess) -> None:
    agent.start()
    settled(agent)
    agent.configure(include="127.24.0.1-5")
    agent.send(signal.SIGHUP)
    wait_for(lambda: "RELOADING=1" in agent.notified(), "the reload")

    def left_alone() -> int:
        return sum("no enabled range" in (device["reason"] or "") for device in agent.status()["devices"])

    wait_for(lambda: left_alone() == PRINTERS - 5, "the devices that are outside now")
    agent.configure(include="127.24.0.0/99")
    agent.send(signal.SIGHUP)
    wait_for(lambda: "the old one stays" in agent.said(), "the complaint")
    agent.configure(include=ALL)  # and now by the file alone
    wait_for(lambda: left_alone() == 0, "the devices to come back")
    code, seconds = agent.end(signal.SIGINT)
    assert (code, seconds < 5) == (0, True)


def test_a_kill_loses_nothing_and_the_next_start_goes_on(agent: AgentProcess, hub: HubProcess) -> None:
    agent.start()
    before = settled(agent)
    agent.end(signal.SIGKILL)
    killed = agent.status()
    assert not killed["running"]
    agent.start()
    wait_for(lambda: agent.status()["running"], "the second start")
    wait_for(lambda: agent.status()["outbox"]["acknowledged"] > killed["outbox"]["written"], "its deliveries")
    agent.end()
    after = agent.status()
    assert after["agent_id"] == before["agent_id"]
    assert {device["device_id"] for device in after["devices"]} == {device["device_id"] for device in before["devices"]}
    assert after["outbox"]["written"] == after["outbox"]["acknowledged"]


def test_a_second_agent_on_the_same_state_is_refused(agent: AgentProcess) -> None:
    agent.start()
    wait_for(lambda: agent.status().get("running"), "the start")
    done = dca("run", "--config", str(agent.config))
    assert done.returncode == 1
    assert re.search(r"dca: .*in use by another agent \(pid \d+\)", done.stderr)
    assert agent.end()[0] == 0


def test_a_config_that_is_wrong_from_the_start(agent: AgentProcess) -> None:
    agent.configure(include="127.24.0.0/99")
    done = dca("run", "--config", str(agent.config))
    assert done.returncode == 2
    assert "cannot be used" in done.stderr
    assert "line" in done.stderr
    assert "Traceback" not in done.stderr


def test_silence_has_a_reason_and_a_beginning(tmp_path_factory: pytest.TempPathFactory, hub: HubProcess) -> None:
    with office(tmp_path_factory.mktemp("office")) as port:
        process = AgentProcess(tmp_path_factory.mktemp("agent"), hub, port)
        process.start()
        settled(process)
    try:
        wait_for(lambda: not any(device["answering"] for device in process.status()["devices"]), "silence", 60)
        found = process.status()
        assert all(device["reason"] and device["silent_since"] for device in found["devices"])
        shown = dca("status", "--config", str(process.config)).stdout
        assert f"{PRINTERS} silent" in shown
        silent = process.said().count(" is silent: ") + process.said().count(" sleeps: ")
        assert silent <= 2 * PRINTERS  # once each, and once more for one that changed between the two
        assert process.end()[1] < 5
    finally:
        process.close()


def test_a_state_file_that_cannot_be_written_stops_neither_reading_nor_delivering(agent: AgentProcess) -> None:
    agent.start()
    settled(agent)
    # Another program holds the file's write lock: what the agent reads waits in its memory meanwhile.
    holder = sqlite3.connect(agent.folder / "state" / "state.sqlite3", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    wait_for(lambda: "wait in memory" in agent.said() or "cannot be" in agent.said(), "the complaint", 60)
    holder.execute("ROLLBACK")
    holder.close()
    before = stored(agent)[1]
    wait_for(lambda: stored(agent)[1] > before, "deliveries afterwards")
    assert agent.end()[0] == 0


def test_the_agent_is_light(agent: AgentProcess) -> None:
    agent.start()
    settled(agent)
    assert agent.process is not None
    with open(f"/proc/{agent.process.pid}/status", encoding="ascii") as status:  # noqa: PTH123  # no file of ours
        resident = int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])
    assert resident < 100_000  # kB, with v3 and TLS in use
    agent.end()


def test_scan_and_read_of_the_same_office(port: int) -> None:
    scan = dca("scan", ALL, "--port", str(port), "--json", "--timeout", "0.5")
    assert scan.returncode == 0, scan.stderr
    found = [json.loads(line) for line in scan.stdout.splitlines()]
    assert len(found) >= PRINTERS - 2  # without the one that speaks v3 only, and the sleeper
    assert all(line["outcome"] == "OUTCOME_OK" for line in found)
    read = dca("read", found[0]["host"], "127.24.0.31", "--port", str(port), "--json", "--timeout", "0.2")
    assert read.returncode == 1
    nothing = dca("scan", "127.24.1.0/28", "--port", str(port), "--timeout", "0.2", "--retries", "0")
    assert nothing.returncode == 3
    v3 = dca(
        "scan", ALL, "--port", str(port), "--user", V3_USER.user, "--auth-password-env", "DCA_TEST_AUTH",
        "--priv-password-env", "DCA_TEST_PRIV", "--json", "--timeout", "0.5",
    )  # fmt: skip
    assert "snmpv3" in v3.stdout


def test_the_clock_of_a_stop_is_not_the_hubs(agent: AgentProcess, hub: HubProcess) -> None:
    agent.start()
    settled(agent)
    os.kill(hub.pid, signal.SIGSTOP)  # it accepts connections and answers nothing
    try:
        time.sleep(2)
        code, seconds = agent.end()
    finally:
        os.kill(hub.pid, signal.SIGCONT)
    assert code == 0
    assert seconds < 5

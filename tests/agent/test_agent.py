"""The agent as a process: start, reload, heartbeats, end."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import socket

import pytest

from dca.agent.agent import Agent, run_agent
from dca.agent.parts import hide_secrets
from dca.audit import AuditLog
from dca.config import load
from dca.errors import ConfigError, StoreError
from dca.model import Secret
from dca.net.proxy import Proxy
from dca.service.logs import MASKS
from dca.service.notify import Notifier
from dca.service.status import read_status
from dca.store import Store

TOML = """
[hub]
address = "127.0.0.1:4443"
plaintext_on_loopback = true
[agent]
state_dir = "state"
[schedule]
status = "{status}"
[[credential]]
name = "office"
community = "public"
[[range]]
label = "Office"
include = ["{include}"]
credentials = ["office"]
"""


class Manager:
    """The service manager's end of sd_notify."""

    def __init__(self, path) -> None:
        self.path = str(path)
        self._link = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._link.bind(self.path)
        self._link.setblocking(False)
        self.heard: list[str] = []

    def listen(self) -> list[str]:
        while True:
            try:
                self.heard.append(self._link.recv(4096).decode().split("\n")[0])
            except BlockingIOError:
                return self.heard

    def close(self) -> None:
        self._link.close()


@pytest.fixture
def manager(tmp_path):
    there = Manager(tmp_path / "notify")
    yield there
    there.close()


@pytest.fixture
def swept(monkeypatch, hub, visit):
    """Fakes for the network and the hub; returns the ranges that were swept."""
    ranges = []

    async def discover(_client, gate, _profiles, **_):
        ranges.append([item.range.include for item in gate.resolved])
        yield visit(1)

    async def reading(*_, **__):
        return visit(1)

    monkeypatch.setattr("dca.agent.readings.discover", discover)
    monkeypatch.setattr("dca.agent.readings.visit", reading)
    monkeypatch.setattr("dca.agent.session.make_uplink", lambda config, _badge: config.require_hub() and hub)
    return ranges


async def until(condition) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110  # nothing tells a test when the parts are where it waits for them
            await asyncio.sleep(0.005)


@pytest.fixture
def file(tmp_path):
    def write(include: str = "10.0.0.0/24", status: str = "5m", more: str = ""):
        path = tmp_path / "dca.toml"
        path.write_text(TOML.format(include=include, status=status) + more)
        return path

    return write


def agent_of(path, manager=None) -> Agent:
    return Agent(load(path), path, notifier=Notifier(manager.path if manager else None))


async def test_from_start_to_end(swept, hub, file, manager, tmp_path) -> None:
    agent = agent_of(file(), manager)
    running = asyncio.create_task(agent.run())
    await until(lambda: len(hub.rows) == 2)
    agent.stop()
    async with asyncio.timeout(5):
        await running
    heard = manager.listen()
    assert heard[0] == "READY=1"
    assert heard[-1] == "STOPPING=1"
    assert hub.closed
    found = read_status(tmp_path / "state")
    assert found.pid is None
    assert [device.known.address for device in found.devices] == ["10.0.0.1"]
    assert found.figures.rows_acknowledged == 2


async def test_a_new_config_is_taken(swept, hub, file, manager) -> None:
    agent = agent_of(file(), manager)
    running = asyncio.create_task(agent.run())
    await until(lambda: len(swept) == 1)
    file(include="10.0.0.0/28")
    agent.reload()
    await until(lambda: len(swept) == 2)
    agent.stop()
    await running
    assert swept == [[("10.0.0.0/24",)], [("10.0.0.0/28",)]]
    heard = [word for word in manager.listen() if not word.startswith("STATUS")]
    assert heard == ["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]


async def test_the_same_ranges_are_not_swept_again(swept, hub, file, caplog) -> None:
    caplog.set_level(logging.INFO)
    agent = agent_of(file())
    running = asyncio.create_task(agent.run())
    await until(lambda: len(hub.calls) == 2)
    file(status="6m")
    agent.reload()
    await until(lambda: "the config is taken anew" in caplog.text)
    await until(lambda: len(hub.calls) == 3)
    agent.stop()
    await running
    assert len(swept) == 1


async def test_a_wrong_config_changes_nothing_and_is_told(swept, hub, file, caplog) -> None:
    agent = agent_of(file())
    running = asyncio.create_task(agent.run())
    await until(lambda: swept)
    file(more="oops = 3\n")
    agent.reload()
    await until(lambda: "the old one stays" in caplog.text)
    assert "oops" in caplog.text
    assert not running.done()
    agent.stop()
    await running
    assert not hub.rows or len(swept) == 1


WRONG = {
    "oops": "oops = 3\n",
    "raed": '[policy]\nallow = ["raed"]\n',  # the file can be read, and no session can be made of it
}


@pytest.mark.parametrize("word", WRONG)
async def test_a_policy_that_cannot_be_read_denies_until_it_can(swept, file, tmp_path, caplog, word) -> None:
    agent = agent_of(file())
    running = asyncio.create_task(agent.run())
    await until(lambda: swept)

    def closed() -> str:
        assert agent._session is not None
        return agent._session._policy.closed

    assert closed() == ""
    file(more=WRONG[word])
    for times in (1, 2):  # the same file again is no better
        agent.reload()
        await until(lambda: caplog.text.count("the old one stays") == times)  # noqa: B023  # awaited here
        assert word in closed()
    file()
    agent.reload()
    await until(lambda: not closed())
    agent.stop()
    await running
    audit = [entry.what for entry in AuditLog(tmp_path / "state").entries()]
    assert audit == ["agent_started", "policy_closed", "policy_opened"]


async def test_a_policy_that_vanishes_denies_until_somebody_says_that_it_is_meant(swept, file, caplog) -> None:
    agent = agent_of(file(more='[policy]\ndeny = ["read"]\n'))
    running = asyncio.create_task(agent.run())
    await until(lambda: swept)

    def closed() -> str:
        assert agent._session is not None
        return agent._session._policy.closed

    assert closed() == ""
    file()  # as a file that is half written ends before it
    agent.reload()
    await until(lambda: "half-written" in closed())
    agent.reload()
    await until(lambda: not closed())
    agent.stop()
    await running


async def test_a_config_without_a_hub_is_not_taken(swept, file, tmp_path, caplog) -> None:
    agent = agent_of(file())
    running = asyncio.create_task(agent.run())
    await until(lambda: swept)
    path = tmp_path / "dca.toml"
    path.write_text("[agent]" + path.read_text().split("[agent]")[1])
    agent.reload()
    await until(lambda: "the old one stays" in caplog.text)
    agent.stop()
    await running


async def test_a_new_state_dir_waits_for_the_next_start(swept, file, tmp_path, caplog) -> None:
    agent = agent_of(file())
    running = asyncio.create_task(agent.run())
    await until(lambda: swept)
    path = tmp_path / "dca.toml"
    path.write_text(path.read_text().replace('"state"', '"elsewhere"'))
    agent.reload()
    await until(lambda: "takes effect at the next start" in caplog.text)
    agent.stop()
    await running
    assert not (tmp_path / "elsewhere").exists()


async def test_a_state_dir_that_is_changed_back_is_no_warning(swept, file, tmp_path, caplog) -> None:
    caplog.set_level(logging.INFO)
    agent = agent_of(file())
    running = asyncio.create_task(agent.run())
    await until(lambda: swept)
    path = tmp_path / "dca.toml"
    text = path.read_text()
    for number, new in enumerate((text.replace('"state"', '"elsewhere"'), text), 1):
        path.write_text(new)
        agent.reload()
        await until(lambda: caplog.text.count("the config is taken anew") == number)  # noqa: B023  # awaited here
    agent.stop()
    await running
    assert caplog.text.count("takes effect at the next start") == 1


async def test_a_reload_without_a_change_says_so(swept, file, caplog) -> None:
    caplog.set_level(logging.INFO)
    agent = agent_of(file())
    running = asyncio.create_task(agent.run())
    await until(lambda: swept)
    agent.reload()
    await until(lambda: "the config is as it was" in caplog.text)
    agent.stop()
    await running


async def test_the_watchdog_hears_of_a_living_agent(swept, file, manager) -> None:
    path = file()
    agent = Agent(load(path), path, notifier=Notifier(manager.path, watchdog=0.02))
    running = asyncio.create_task(agent.run())
    await until(lambda: "WATCHDOG=1" in manager.listen())
    await until(lambda: any(word.startswith("STATUS=") for word in manager.listen()))
    agent.stop()
    await running


async def test_a_state_directory_in_use_is_an_error_that_names_the_holder(swept, file, tmp_path) -> None:
    other = await Store.open(tmp_path / "state")
    try:
        with pytest.raises(StoreError, match="in use by another agent"):
            await agent_of(file()).run()
    finally:
        await other.close()


async def test_it_can_be_stopped_before_it_has_begun(swept, file) -> None:
    agent = agent_of(file())
    agent.stop()
    async with asyncio.timeout(5):
        await agent.run()
    assert swept == []


def test_a_log_file_that_cannot_be_written_is_a_config_problem(config, tmp_path) -> None:
    log = dataclasses.replace(config.log, file=tmp_path / "no" / "such" / "folder" / "dca.log")
    with pytest.raises(ConfigError) as caught:
        run_agent(tmp_path / "dca.toml", dataclasses.replace(config, log=log))
    assert caught.value.problems[0].key == "log.file"


def test_every_secret_of_a_config_is_hidden(config) -> None:
    proxy = Proxy("p", 3128, user="u", password=Secret("the-proxy-word"))
    hub = dataclasses.replace(config.hub, activation_code=Secret("the-code"), proxy=proxy)
    channel = dataclasses.replace(config.channel, password=Secret("the-broker-word"), sas_key=Secret("the-sas-key"))
    hide_secrets(dataclasses.replace(config, hub=hub, channel=channel))
    said = "very-secret-community the-code the-proxy-word the-broker-word the-sas-key"
    assert MASKS.clean(said) == "*** *** *** *** ***"


def test_public_is_no_secret(config) -> None:
    ((name, credential),) = config.credentials.items()
    open_one = dataclasses.replace(credential, community=Secret("public"))
    hide_secrets(dataclasses.replace(config, credentials={name: open_one}))
    assert MASKS.clean("a public place") == "a public place"

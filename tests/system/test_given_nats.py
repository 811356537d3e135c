"""A hub that is given a NATS of its operator's lets agents' MQTT through to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from mqtt_client import Mqtt

from dca.errors import HubError
from dca.hub.engines import EmbeddedNats
from dca.hub.engines.nats_auth import NatsKeys
from dca.hub.settings import Address, HubSettings
from dca.model import Secret
from tests.hub.enrolled import enrol
from tests.hub.process import HubProcess
from tests.system.conftest import background_loop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def given(tmp_path: Path) -> Iterator[Any]:
    """An operator's NATS, with MQTT in plain text on loopback."""
    server = EmbeddedNats(tmp_path / "nats")
    with background_loop() as run:
        run(server.start())
        yield server
        run(server.stop())


def test_a_task_goes_by_the_given_nats_at_once(given: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DCA_NATS_ACCOUNT_SEED", json.loads((tmp_path / "nats.keys").read_text())["account"])
    options = (
        "--nats-url",
        given.url.reveal(),
        "--nats-mqtt",
        str(given.mqtt),
        "--nats-websocket",
        str(given.websocket),
    )
    hub = HubProcess(tmp_path / "data", *options).start()
    try:
        identity = enrol(hub)
        for websocket in (True, False):
            agent = Mqtt(hub, identity, websocket=websocket)
            assert agent.is_in
            assert agent.subscribes(f"dca/{identity.agent_id}/tasks")
            hub.command("task", "new", "discover", "--agent", identity.agent_id)
            assert agent.until(lambda agent=agent: agent.messages)
            agent.close()
    finally:
        hub.stop()


@pytest.mark.parametrize("seed", ["", "SAnonsense", "SUAGC3DIQOSBFVB6NQKZ"])
def test_a_seed_that_is_none_is_said_without_showing_it(seed: str) -> None:
    with pytest.raises(HubError, match="DCA_NATS_ACCOUNT_SEED") as caught:
        NatsKeys.given(Secret(seed))
    assert not seed or seed not in str(caught.value)


def test_what_belongs_together_is_asked_for_together(tmp_path: Path) -> None:
    with pytest.raises(HubError, match="belong together"):
        HubSettings(data=tmp_path, nats_url=Secret("nats://127.0.0.1"), nats_mqtt=Address("127.0.0.1", 1883))

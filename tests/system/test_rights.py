"""What an agent may do at the broker, and what not: the real NATS behind the real door, asked with paho."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from mqtt_client import Mqtt

from dca.hub.engines.nats_auth import NatsKeys
from tests.hub.enrolled import enrol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dca.identity.identity import Identity
    from tests.hub.process import HubProcess


@pytest.fixture(scope="module")
def ann(hub: HubProcess) -> Identity:
    return enrol(hub, "Rights")


@pytest.fixture(scope="module")
def bob(hub: HubProcess) -> Identity:
    return enrol(hub, "Rights")


@pytest.fixture
def come(hub: HubProcess) -> Iterator[Callable[..., Mqtt]]:
    opened: list[Mqtt] = []

    def comes(certificate: Identity | None, **more: Any) -> Mqtt:
        opened.append(Mqtt(hub, certificate, **more))
        return opened[-1]

    yield comes
    for one in opened:
        one.close()


def tasks(identity: Identity) -> str:
    return f"dca/{identity.agent_id}/tasks"


def status(identity: Identity) -> str:
    return f"dca/{identity.agent_id}/status"


@pytest.mark.parametrize("websocket", [True, False])
def test_an_agent_listens_to_its_own_tasks_by_both_ways(hub, come, ann, websocket) -> None:
    agent = come(ann, websocket=websocket)
    assert agent.is_in
    assert agent.subscribes(tasks(ann))


def test_it_subscribes_to_nothing_else(come, ann, bob) -> None:
    for topic in (
        tasks(bob),
        status(bob),
        "#",
        "dca/#",
        "dca/+/tasks",
        "+/+/tasks",
        f"dca/{ann.agent_id}/#",
        f"dca/{ann.agent_id}/+",
        "$SYS/#",
        "$SYS/REQ/USER/INFO",
        "$JS/API/#",
        "$MQTT/#",
        "dca/events",
        f"dca.{bob.agent_id}.tasks",
        f"$share/group/{tasks(bob)}",
        tasks(ann) + "/",
        tasks(ann).upper(),
    ):
        agent = come(ann, clean=True)
        assert agent.is_in
        assert not agent.subscribes(topic), topic
        agent.close()


def test_it_speaks_on_its_own_status_only(hub, come, ann, bob) -> None:
    victim = come(bob)
    assert victim.is_in
    assert victim.subscribes(tasks(bob))
    for retain in (False, True):
        for topic in (tasks(bob), status(bob), tasks(ann), "dca/x", "$JS/API/STREAM/LIST", "$MQTT/deliver/pubrel/x"):
            thief = come(ann)
            assert thief.is_in
            thief.publishes(topic, b"forged", retain=retain)
            thief.close()
    own = come(ann)
    assert own.is_in
    assert own.subscribes(tasks(ann))
    own.publishes(status(ann), b"online")
    assert not victim.until(lambda: victim.messages, 1.0)
    assert not own.until(lambda: own.messages, 0.5)


def test_a_retained_message_or_a_will_for_another_does_not_get_through(come, ann, bob) -> None:
    victim = come(bob)
    assert victim.is_in
    assert victim.subscribes(tasks(bob))
    for retain in (False, True):
        thief = come(ann, will=(tasks(bob), b"forged", retain))
        if thief.is_in:
            thief.close(cut=True)
    assert not victim.until(lambda: victim.messages, 1.5)
    victim.close()
    again = come(bob, clean=True)
    assert again.is_in
    assert again.subscribes(tasks(bob))
    assert not again.until(lambda: again.messages, 0.5)


@pytest.mark.parametrize("websocket", [True, False])
def test_a_token_without_its_certificate_and_a_certificate_without_its_token_are_of_no_use(
    come, ann, bob, websocket
) -> None:
    assert ann.channel is not None
    assert bob.channel is not None
    thieves = [
        come(ann, token=bob.channel.password, websocket=websocket),
        come(ann, token=bob.channel.password, client_id=bob.agent_id, websocket=websocket),
        come(ann, client_id=bob.agent_id, websocket=websocket),
        come(ann, token="garbage", websocket=websocket),
        come(None, token=bob.channel.password, client_id=bob.agent_id, websocket=websocket),
    ]
    assert [thief.is_in for thief in thieves] == [False] * 5


def test_nobody_ends_anothers_connection_by_its_name(come, ann, bob) -> None:
    victim = come(bob)
    assert victim.is_in
    assert not come(ann, client_id=bob.agent_id).is_in
    assert not victim.until(victim.ended.is_set, 0.5)
    assert victim.subscribes(tasks(bob))


def test_a_token_that_has_ended_or_was_changed_is_refused(hub, come, ann) -> None:
    now = datetime.now(UTC)
    made = NatsKeys.open(hub.data / "nats.keys")
    assert come(ann, token=made.agent(ann.agent_id, now, now + timedelta(hours=1))).is_in
    ended = made.agent(ann.agent_id, now - timedelta(hours=2), now - timedelta(seconds=5))
    assert ann.channel is not None
    head, claims, signature = ann.channel.password.split(".")
    for token in (ended, f"{head}.{claims}.{signature[::-1]}", f"{head}.{claims}."):
        assert not come(ann, token=token).is_in, token


def test_a_token_that_ends_ends_the_connection(hub, come, ann) -> None:
    now = datetime.now(UTC)
    agent = come(ann, token=NatsKeys.open(hub.data / "nats.keys").agent(ann.agent_id, now, now + timedelta(seconds=3)))
    assert agent.is_in
    assert agent.until(agent.ended.is_set, 8.0)


def test_the_tokens_of_another_hub_are_worth_nothing(come, ann, tmp_path: Path) -> None:
    other = NatsKeys.open(tmp_path / "nats.keys")
    now = datetime.now(UTC)
    assert not come(ann, token=other.agent(ann.agent_id, now, now + timedelta(hours=1))).is_in


def test_the_token_opens_no_other_way_into_nats(hub, ann) -> None:
    assert ann.channel is not None
    token = ann.channel.password
    port = int((hub.data / "nats" / "nats.conf").read_text().split("\nport: ")[1].split()[0])
    logins = (
        {"jwt": token},
        {"auth_token": token},
        {"user": ann.agent_id, "pass": token},
        {"jwt": token, "sig": ""},
        {},
    )
    for login in logins:
        with socket.create_connection(("127.0.0.1", port), 10) as line, line.makefile("rb") as answers:
            assert answers.readline().startswith(b"INFO ")
            line.sendall(b"CONNECT " + json.dumps(login).encode() + b"\r\nPING\r\n")
            assert answers.readline().startswith(b"-ERR ")
            assert answers.readline() == b""


def test_it_is_told_of_no_other_agent(come, ann) -> None:
    """A topic of an agent that is not there is closed as one that is."""
    agent = come(ann)
    assert agent.is_in
    assert not agent.subscribes(f"dca/{uuid4()}/tasks")

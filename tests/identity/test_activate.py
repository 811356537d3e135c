from __future__ import annotations

import os
import socket
import ssl
import threading
from typing import TYPE_CHECKING

import grpc
import pytest

from dca.contract.codes import make_code, pin_of
from dca.errors import ActivationRefusedError, AuditError, IdentityError, LockedError
from dca.identity.activate import HubPlace, activate
from dca.identity.identity import PENDING, load_identity
from dca.identity.lockout import Lockout
from dca.identity.pin import fetch_ca
from dca.identity.vault import Vault
from dca.net.tls import load_key
from tests.identity.fake_hub import FakeHub, refuse, saying

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dca.contract.codes import Code
    from dca.identity.identity import Identity


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[FakeHub]:
    (tmp_path / "hub").mkdir()
    with FakeHub(tmp_path / "hub") as serving:
        yield serving


class Agent:
    """A state directory without a run."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        self.vault = Vault(folder, environ={})
        self.lockout = Lockout(folder)

    async def tries(self, code: Code, place: HubPlace, **more) -> Identity:
        return await activate(code, place, self.vault, self.lockout, **more)

    @property
    def used(self) -> int:
        return self.lockout.standing().used


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    return Agent(tmp_path / "state")


async def test_a_code_becomes_an_identity_that_is_kept(hub: FakeHub, agent: Agent) -> None:
    identity = await agent.tries(hub.code(), hub.place, hostname="reception-pc")
    assert load_identity(agent.vault) == identity
    assert identity.hub_ca.strip() == hub.authority.ca_file.read_text().strip()
    assert PENDING not in agent.vault.read()
    assert agent.used == 0
    (request,) = hub.seen
    assert request.hostname == "reception-pc"


async def test_a_refusal_counts_and_says_how_many_are_left(hub: FakeHub, agent: Agent) -> None:
    hub.judge = refuse
    for left in (4, 3, 2, 1):
        with pytest.raises(ActivationRefusedError, match=f"not valid. {left} of 5 tries are left") as caught:
            await agent.tries(hub.code(), hub.place)
    with pytest.raises(ActivationRefusedError, match="last of 5 tries: the agent is locked"):
        await agent.tries(hub.code(), hub.place)
    with pytest.raises(LockedError):
        await agent.tries(hub.code(), hub.place)
    assert len(hub.seen) == 5
    for request in hub.seen:
        assert request.code not in str(caught.value)


NOT_JUDGED = ("ABORTED", "RESOURCE_EXHAUSTED", "UNIMPLEMENTED", "INVALID_ARGUMENT", "UNAUTHENTICATED")


@pytest.mark.parametrize("status", NOT_JUDGED)
async def test_what_the_hub_says_it_did_not_judge_does_not_count(hub: FakeHub, agent: Agent, status: str) -> None:
    hub.judge = saying(grpc.StatusCode[status])
    for _ in range(7):
        with pytest.raises(IdentityError, match="does not count"):
            await agent.tries(hub.code(), hub.place)
    assert agent.used == 0


LOST = ("UNAVAILABLE", "INTERNAL", "UNKNOWN", "CANCELLED", "DEADLINE_EXCEEDED", "DATA_LOSS", "NOT_FOUND")


@pytest.mark.parametrize("status", LOST)
async def test_whatever_else_it_says_may_be_a_lost_answer_and_counts_once(
    hub: FakeHub, agent: Agent, status: str
) -> None:
    hub.judge = saying(grpc.StatusCode[status])
    code = hub.code()
    for _ in range(3):
        with pytest.raises(IdentityError, match=r"was lost .* does not count twice"):
            await agent.tries(code, hub.place)
    assert agent.used == 1
    assert len(hub.keys) == 1
    hub.judge = lambda *_: None
    await agent.tries(code, hub.place)
    assert agent.used == 0


async def test_a_proxys_403_is_no_refusal(hub: FakeHub, agent: Agent) -> None:
    hub.judge = saying(grpc.StatusCode.PERMISSION_DENIED, "Received http2 header with status: 403")
    with pytest.raises(IdentityError, match="lost") as caught:
        await agent.tries(hub.code(), hub.place)
    assert not isinstance(caught.value, ActivationRefusedError)


async def test_a_hub_that_does_not_listen_costs_nothing(hub: FakeHub, agent: Agent) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    for _ in range(7):
        with pytest.raises(IdentityError, match=r"cannot be reached.*not sent.*does not count"):
            await agent.tries(hub.code(), HubPlace("127.0.0.1", port))
    assert agent.used == 0
    assert hub.seen == []


async def test_a_code_whose_answer_was_lost_stays_counted_when_the_line_is_cut_later(
    hub: FakeHub, agent: Agent
) -> None:
    hub.judge = saying(grpc.StatusCode.UNAVAILABLE)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    for used in range(1, 6):
        code = hub.code()
        for place in (hub.place, HubPlace("127.0.0.1", port)):
            with pytest.raises(IdentityError):
                await agent.tries(code, place)
        assert agent.used == used
    with pytest.raises(LockedError):
        await agent.tries(hub.code(), hub.place)
    assert len(hub.seen) == 5


async def test_another_hub_gets_nothing_of_the_code(hub: FakeHub, agent: Agent) -> None:
    for pin in (pin_of(b"another CA"), pin_of(b"")):
        with pytest.raises(IdentityError, match=r"not the hub of this code.*not sent.*does not count"):
            await agent.tries(make_code(pin), hub.place)
    assert hub.seen == []
    assert agent.used == 0


async def test_a_hub_that_changes_between_look_and_call_gets_nothing(
    hub: FakeHub, agent: Agent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dca.identity.activate._CONNECT_SECONDS", 1.0)
    (tmp_path / "other").mkdir()
    with FakeHub(tmp_path / "other") as other:
        with pytest.raises(IdentityError, match="does not count"):
            await agent.tries(hub.code(), other.place, fetch=lambda *_: fetch_ca("127.0.0.1", hub.port, hub.code()))
        assert other.seen == []
    assert agent.used == 0


async def test_nothing_goes_out_that_cannot_be_audited(hub: FakeHub, agent: Agent) -> None:
    def full() -> None:
        raise AuditError("the audit log cannot be written")

    with pytest.raises(IdentityError, match="nothing was sent: the audit log cannot be written"):
        await agent.tries(hub.code(), hub.place, before_sending=full)
    assert hub.seen == []
    assert agent.used == 0


async def test_it_is_counted_before_anything_goes_out(hub: FakeHub, agent: Agent) -> None:
    counted = []
    await agent.tries(hub.code(), hub.place, before_sending=lambda: counted.append((agent.used, len(hub.seen))))
    assert counted == [(1, 0)]


async def test_a_vault_that_cannot_be_opened_costs_no_try(hub: FakeHub, agent: Agent) -> None:
    agent.vault.write({})
    agent.vault.path.write_bytes(b"damaged")
    with pytest.raises(IdentityError, match="cannot be opened"):
        await agent.tries(hub.code(), hub.place)
    assert agent.used == 0
    assert hub.seen == []


async def test_while_one_has_its_turn_another_waits(
    hub: FakeHub, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dca.identity.activate._TURNS", 2)
    turn = agent.lockout.try_turn()
    assert turn is not None
    with pytest.raises(IdentityError, match="another activation of this agent is under way"):
        await agent.tries(hub.code(), hub.place)
    os.close(turn)
    await agent.tries(hub.code(), hub.place)


@pytest.mark.parametrize("change", [
    {"agent_id": "me"}, {"certificate_chain": ""}, {"certificate_chain": "x"}, {"task_key": b"short"},
])  # fmt: skip
async def test_an_answer_that_is_no_identity_is_said_and_not_kept(
    hub: FakeHub, agent: Agent, change: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = hub._activate

    def answer(request, context):
        made = whole(request, context)
        for name, value in change.items():
            setattr(made, name, value)
        return made

    monkeypatch.setattr("tests.identity.fake_hub.FakeHub._activate", lambda _self, *given: answer(*given))
    with FakeHub(hub.authority.folder) as other, pytest.raises(IdentityError, match="may not fit"):
        await agent.tries(other.code(), other.place)
    assert load_identity(agent.vault) is None


def listener(hub: FakeHub, received: list[bytes]) -> socket.socket:
    """A TLS server of another CA that keeps what it gets."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    load_key(context, *hub.authority.server_pair())
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        try:
            line, _ = server.accept()
            with context.wrap_socket(line, server_side=True) as secured:
                while data := secured.recv(4096):
                    received.append(data)
        except OSError:
            return

    threading.Thread(target=serve, daemon=True).start()
    return server


async def test_a_listener_with_the_wrong_certificate_gets_no_byte(hub: FakeHub, agent: Agent) -> None:
    received: list[bytes] = []
    with listener(hub, received) as server, pytest.raises(IdentityError, match="not the hub of this code"):
        await agent.tries(make_code(pin_of(b"mine")), HubPlace("127.0.0.1", server.getsockname()[1]))
    assert received == []
    assert agent.used == 0

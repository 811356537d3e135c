"""Activation against the real hub, as things go wrong on the way there and back."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import grpc.aio
import psutil
import pytest
from brokers import tinyproxy
from mqtt_client import lets_in
from person import Person

from dca.contract.codes import Code, make_code, pin_of
from dca.errors import IdentityError
from dca.hub.pki import Authority
from dca.hub.run import database
from dca.identity.activate import activate
from dca.identity.identity import PENDING, load_identity
from dca.identity.lockout import Lockout
from dca.identity.vault import Vault
from dca.model import Secret
from dca.net.proxy import Proxy
from dca.net.tls import load_key
from tests.hub.database import rows
from tests.hub.enrolled import elsewhere, new_code, place_of, report_as
from tests.hub.office import laser, row
from tests.hub.process import running
from tests.proof_delivery.relay import Relay

if TYPE_CHECKING:
    from pathlib import Path

    from tests.hub.process import HubProcess

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture
def person(tmp_path: Path, hub: HubProcess) -> Person:
    return Person(tmp_path, hub)


def test_the_wrong_hub_gets_nothing_of_the_code(person: Person, hub: HubProcess, tmp_path: Path) -> None:
    (tmp_path / "pki").mkdir()
    authority = Authority(tmp_path / "pki")
    authority.ensure([], datetime.now(UTC))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    load_key(context, *authority.server_pair())
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    line, _ = server.accept()
                    with contextlib.suppress(OSError), context.wrap_socket(line, server_side=True) as secured:
                        while data := secured.recv(4096):
                            received.append(data)

        thread = threading.Thread(target=serve)
        thread.start()
        code = new_code(hub, "Front office")
        status, said = person.activates(code, at=f"127.0.0.1:{server.getsockname()[1]}")
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert status == 1
    assert "is not the hub of this code" in said
    assert "The code was not sent" in said
    assert received == []
    assert person.used == 0
    assert person.activates(code)[0] == 0


def test_the_pin_of_another_hub_is_not_this_hubs(person: Person) -> None:
    status, said = person.activates(make_code(pin_of(b"another CA")))
    assert status == 1
    assert "is not the hub of this code" in said
    assert person.used == 0


def test_a_hub_that_is_away_costs_no_try(person: Person, hub: HubProcess) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    code = new_code(hub, "Front office")
    for _ in range(6):
        status, said = person.activates(code, at=f"127.0.0.1:{port}")
        assert status == 1
    assert "cannot be reached" in said
    assert "The try does not count" in said
    assert person.used == 0
    assert person.audit().count("activation_unanswered") == 6


async def cut_after_the_commit(person: Person, hub: HubProcess, code: Code) -> tuple[int, str]:
    """Activate through a line that is cut when the hub has committed and before its answer is through.

    The hub is held at the code's row until the line is deaf.
    """
    relay = Relay(lambda: int(hub.ready["grpc"].rpartition(":")[2]))
    await relay.open()
    try:
        async with database(hub.data, None) as holder, database(hub.data, None) as watcher:
            async with holder.transaction():
                await holder.execute("SELECT id FROM codes WHERE id = $1 FOR UPDATE", code.id)
                trying = asyncio.create_task(asyncio.to_thread(person.activates, code, at=f"127.0.0.1:{relay.port}"))
                while not await watcher.fetchval(WAITS):
                    assert not trying.done()
                    await asyncio.sleep(0.02)
                cutting = asyncio.create_task(relay.disturb("deaf", 1.0))
                await asyncio.sleep(0)
            await cutting
        return await trying
    finally:
        await relay.close()


WAITS = "SELECT true FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%FOR UPDATE OF c' LIMIT 1"


def test_an_answer_that_was_lost_is_given_again_to_the_same_code(person: Person, hub: HubProcess) -> None:
    code = new_code(hub, "Front office")
    status, said = asyncio.run(cut_after_the_commit(person, hub, code))
    assert status == 1
    assert "Try the same code again: that does not count twice" in " ".join(said.split())
    assert person.used == 1
    assert person.identity is None
    status, said = person.activates(code)
    assert status == 0, said
    identity = person.identity
    assert identity is not None
    agents = rows(
        hub, "SELECT a.agent_id::text FROM codes c JOIN agents a ON a.id = c.used_by WHERE c.id = $1", code.id
    )
    assert [row[0] for row in agents] == [identity.agent_id]
    outcomes = rows(hub, "SELECT outcome FROM activations WHERE code = $1 ORDER BY id", code.id)
    assert [row[0] for row in outcomes] == ["activated", "repeated"]
    assert person.used == 0


def test_once_the_agent_has_come_its_code_gives_nothing_more_even_to_the_same_key(
    person: Person, hub: HubProcess, tmp_path: Path
) -> None:
    code = new_code(hub, "Front office")
    assert person.activates(code)[0] == 0
    identity = person.identity
    assert identity is not None
    thief = Vault(tmp_path)
    thief.write({PENDING: identity.key.reveal()})
    copied = Person(tmp_path, hub)
    copied.state = tmp_path
    report_as(hub, identity)
    status, said = copied.activates(code)
    assert status == 1
    assert "was used already" in said


def test_a_code_for_a_known_agent_keeps_its_id_and_ends_its_old_certificates(
    person: Person, hub: HubProcess, tmp_path: Path
) -> None:
    assert person.activates(new_code(hub, "Front office"))[0] == 0
    old = person.identity
    assert old is not None
    report_as(hub, old, [row(laser(), 1)])
    (tmp_path / "new").mkdir()
    heir = Person(tmp_path / "new", hub)
    status, said = heir.activates(new_code(hub, "Front office", "--agent", old.agent_id))
    assert status == 0, said
    new = heir.identity
    assert new is not None
    assert new.agent_id == old.agent_id
    assert len(rows(hub, DEVICES, old.agent_id)) == 1
    with pytest.raises(grpc.aio.AioRpcError, match="a newer certificate of this agent is in use") as caught:
        report_as(hub, old)
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
    report_as(hub, new, [row(laser(), 2)])
    assert not lets_in(hub, old)
    assert "no agent" in hub.command("code", "new", "--site", "Front office", "--agent", str(uuid4()), check=False)


DEVICES = "SELECT d.device_id FROM devices d JOIN agents a ON a.id = d.agent WHERE a.agent_id = $1::text::uuid"


def test_a_source_that_is_refused_too_often_is_not_judged_any_more(person: Person, hub: HubProcess) -> None:
    code = new_code(hub, "Front office")
    full = "INSERT INTO activations (source, outcome) SELECT '127.0.0.1', 'refused: test' FROM generate_series(1, 50)"
    rows(hub, full + " RETURNING id")
    try:
        status, said = person.activates(code)
        assert status == 1
        assert "too many refused activations from this address within an hour" in said
        assert "The try does not count" in said
        assert person.used == 0
    finally:
        rows(hub, "DELETE FROM activations WHERE outcome = 'refused: test' RETURNING id")
    assert person.activates(code)[0] == 0


def test_a_proxy_with_a_password_is_gone_through(person: Person, hub: HubProcess, tmp_path: Path) -> None:
    """Below the config, for which a hub on loopback is always reached directly."""
    code, direct = new_code(hub, "Front office"), place_of(hub)
    vault, lockout = Vault(tmp_path), Lockout(tmp_path)
    with tinyproxy(tmp_path, [direct.port], user="dca", password="pr0xy-word") as proxy:
        for password, says in (("guess", "the proxy a"), ("pr0xy-word", "")):
            through = replace(direct, proxy=Proxy("127.0.0.1", proxy, "dca", Secret(password)))
            with pytest.raises(IdentityError, match=says) if says else contextlib.nullcontext() as caught:
                identity = elsewhere(activate(code, through, vault, lockout))
            if says:
                assert "guess" not in str(caught.value)
                assert lockout.standing().used == 0
    assert load_identity(vault) == identity
    assert (tmp_path / "tinyproxy.log").read_text().count(f"CONNECT 127.0.0.1:{direct.port}") >= 2


def test_a_hub_with_an_ipv6_address_whose_database_hangs_for_a_while(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--grpc", "[::1]:0") as own:
        person = Person(tmp_path, own)
        code = new_code(own, "Six")
        assert own.ready["grpc"].startswith("[::1]:")
        postmaster = psutil.Process(int((own.data / "postgres" / "postmaster.pid").read_text().split()[0]))
        stopped = [postmaster, *postmaster.children(recursive=True)]
        for process in stopped:
            process.suspend()
        try:
            status, said = person.activates(code)
        finally:
            for process in stopped:
                process.resume()
        assert status == 1
        assert "the hub's database is away: try again later. The try does not count" in " ".join(said.split())
        assert person.used == 0
        status, said = person.activates(code)
        assert status == 0, said

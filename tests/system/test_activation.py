"""Activation against the real hub: as a person does it, and as things go wrong on the way."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
import ssl
import subprocess
import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import grpc.aio
import psutil
import pytest
from brokers import tinyproxy
from mqtt_client import Mqtt

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
from tests.system.agent import DCA, ROOT, environ

if TYPE_CHECKING:
    from pathlib import Path

    from dca.identity.identity import Identity
    from tests.hub.process import HubProcess

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


class Person:
    """Somebody at the agent's machine, with a state directory."""

    def __init__(self, folder: Path, hub: HubProcess) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.hub = hub

    def types(self, *words: str, text: str | None = None) -> tuple[int, str]:
        """Run a `dca` command; returns its exit code and what it said, in which there is never a traceback."""
        done = subprocess.run(
            [*DCA, *words, "--state-dir", str(self.state)],
            cwd=ROOT, env=environ(), input=text, capture_output=True, text=True, timeout=90, check=False,
        )  # fmt: skip
        said = done.stdout + done.stderr
        assert "Traceback" not in said
        return done.returncode, said

    def activates(self, code: Code | str, *options: str, at: str | None = None) -> tuple[int, str]:
        """Run `dca activate` with the code on standard input."""
        text = code if isinstance(code, str) else code.text().reveal()
        done = self.types("activate", "-", "--hub", at or self.hub.ready["grpc"], *options, text=text + "\n")
        assert isinstance(code, str) or code.secret.reveal() not in done[1]
        return done

    @property
    def used(self) -> int:
        return Lockout(self.state).standing().used

    @property
    def identity(self) -> Identity | None:
        return load_identity(Vault(self.state))

    def audit(self) -> list[str]:
        """What the audit log tells of, oldest first."""
        lines = (self.state / "audit" / "audit.jsonl").read_text().splitlines()
        return [json.loads(line)["what"] for line in lines]


@pytest.fixture
def person(tmp_path: Path, hub: HubProcess) -> Person:
    return Person(tmp_path, hub)


def wrong(code: Code) -> Code:
    """The same code with another secret."""
    return Code(code.id, code.pin, make_code(code.pin).secret)


def test_a_code_makes_an_agent_and_works_once(person: Person, hub: HubProcess, tmp_path: Path) -> None:
    code = new_code(hub, "Front office")
    status, said = person.activates(code)
    assert status == 0, said
    identity = person.identity
    assert identity is not None
    assert f"as agent {identity.agent_id} of Front office" in said
    assert "dca run" in said
    assert person.audit() == ["activation_tried", "activated"]
    listed = hub.command("code", "list", env={"COLUMNS": "200"})
    assert re.search(rf"{code.id}.*used .*{identity.agent_id}", listed)
    (tmp_path / "second").mkdir()
    second = Person(tmp_path / "second", hub)
    status, said = second.activates(code)
    assert status == 1
    assert "was used already: ask the hub's operator for a new one. 4 of 5 tries are left" in " ".join(said.split())
    assert second.used == 1
    assert second.audit() == ["activation_tried", "activation_refused"]
    status, said = second.activates(code)
    assert status == 1
    assert "refused this very code before" in said


def test_a_code_as_an_argument_works_as_well(person: Person, hub: HubProcess) -> None:
    code = new_code(hub, "Front office").text().reveal()
    status, said = person.types("activate", code.lower().replace("-", " "), "--hub", hub.ready["grpc"])
    assert status == 0, said


def test_a_slip_of_the_pen_costs_nothing_and_is_not_repeated(person: Person, hub: HubProcess) -> None:
    text = new_code(hub, "Front office").text().reveal()
    typo = text[:20] + ("A" if text[20] != "A" else "B") + text[21:]
    for code, says in ((typo, "mistyped"), (text[:-3], "has 50 characters"), ("", "has 50 characters")):
        status, said = person.activates(code)
        assert status == 1
        assert says in said
        assert "Nothing was sent, and no try was used" in said
        assert not code or code not in said
    assert person.used == 0


def test_a_code_that_ended_or_was_withdrawn_says_so(person: Person, hub: HubProcess) -> None:
    withdrawn, ended = new_code(hub, "Front office"), new_code(hub, "Front office")
    assert "can no longer be used" in hub.command("code", "withdraw", withdrawn.id)
    rows(hub, "UPDATE codes SET expires_at = now() - interval '1 hour' WHERE id = $1 RETURNING id", ended.id)
    for left, code in ((4, withdrawn), (3, ended)):
        status, said = person.activates(code)
        assert status == 1
        assert "this activation code ended at" in said
        assert f"{left} of 5 tries are left" in " ".join(said.split())
    assert "there is no open code" in hub.command("code", "withdraw", withdrawn.id, check=False)


def test_five_wrong_secrets_lock_the_agent_and_the_code(person: Person, hub: HubProcess, tmp_path: Path) -> None:
    code = new_code(hub, "Front office")
    for _ in range(4):
        assert person.activates(wrong(code))[0] == 1
    status, said = person.activates(wrong(code))
    assert status == 1
    assert "This was the last of 5 tries" in said
    seen = rows(hub, "SELECT count(*) FROM activations WHERE code = $1", code.id)[0][0]
    assert seen == 5
    for _ in range(2):
        status, said = person.activates(code)
        assert status == 1
        assert "this agent is locked: 5 activations failed" in said
    assert person.audit()[-2:] == ["locked", "activation_not_sent"]
    assert rows(hub, "SELECT count(*) FROM activations WHERE code = $1", code.id)[0][0] == seen
    assert "locked after 5 wrong tries" in hub.command("code", "list", env={"COLUMNS": "200"})
    (tmp_path / "second").mkdir()
    status, said = Person(tmp_path / "second", hub).activates(code)
    assert status == 1
    assert "was locked after five wrong tries" in said


def test_unlocking_needs_a_reason_is_written_down_and_opens_once(person: Person, hub: HubProcess) -> None:
    codes = [new_code(hub, "Front office") for _ in range(2)]
    for _ in range(5):
        person.activates(wrong(codes[0]))
    assert person.types("unlock")[0] == 2
    assert person.types("unlock", "--reason", "  ")[0] == 2
    assert "agent is locked" in person.activates(codes[1])[1]
    status, said = person.types("unlock", "--reason", "the code was read over the phone")
    assert status == 0
    assert "was locked (5 tries used); five tries are free again" in said
    assert "unlocked" in person.audit()
    status, said = person.activates(codes[1])
    assert status == 0, said
    assert "was not locked" in person.types("unlock", "--reason", "again")[1]


def test_an_agent_that_is_activated_is_replaced_only_when_told_so(person: Person, hub: HubProcess) -> None:
    assert person.activates(new_code(hub, "Front office"))[0] == 0
    first = person.identity
    code = new_code(hub, "Back office")
    status, said = person.activates(code)
    assert status == 1
    assert "activated already" in said
    assert "--again" in said
    assert person.identity == first
    status, said = person.activates(code, "--again")
    assert status == 0, said
    second = person.identity
    assert second is not None
    assert first is not None
    assert (second.site, second.agent_id != first.agent_id) == ("Back office", True)


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
    assert not Mqtt(hub, old).is_in
    status, said = person.types("activate", "-", "--hub", hub.ready["grpc"], "--again", text="x\n")
    assert status == 1
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

"""An agent's identity at its start: made once by the config's code, loaded ever after, and all of it audited."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from dca.agent.enrol import Enrolment
from dca.agent.parts import open_parts
from dca.audit import AuditLog
from dca.config import Endpoint
from dca.contract.codes import make_code
from dca.errors import ActivationRefusedError, AuditError, ConfigError, IdentityError, LockedError
from dca.identity.lockout import MOST
from dca.model import Secret
from dca.service.logs import MASKS
from dca.tasks.desk import Desk
from tests.identity.fake_hub import FakeHub, refuse

DAY = 86_400.0


class Start:
    """Starts of an agent whose config names a code."""

    def __init__(self, config, there: FakeHub) -> None:
        self.hub = there
        self.directory = config.agent.state_dir
        self._config = config

    def config(self, code: str | None, *, plaintext: bool = False):
        endpoint = Endpoint("127.0.0.1", self.hub.port)
        secret = Secret(code) if code is not None else None
        hub = dataclasses.replace(
            self._config.hub, grpc=endpoint, plaintext_on_loopback=plaintext, activation_code=secret
        )
        return dataclasses.replace(self._config, hub=hub)

    async def begin(self, code: str | None, **options):
        return await Enrolment(self.directory).at_start(self.config(code, **options))

    def audited(self) -> list[str]:
        return [entry.what for entry in AuditLog(self.directory).entries()]


@pytest.fixture
def start(config, tmp_path):
    (tmp_path / "hub").mkdir()
    with FakeHub(tmp_path / "hub") as there:
        yield Start(config, there)


async def test_a_code_is_used_at_the_first_start_only(start) -> None:
    code = start.hub.code().text().reveal()
    first = await start.begin(code)
    assert first is not None
    again = await start.begin(code)
    assert again is not None
    assert (again.agent_id, again.site, again.chain) == (first.agent_id, "Office", first.chain)
    assert len(start.hub.seen) == 1
    assert start.audited() == ["activation_tried", "activated"]
    assert code not in MASKS.clean(f"the code {code}")
    entries = [repr(entry) for entry in AuditLog(start.directory).entries()]
    assert not any(code in entry or first.key.reveal() in entry for entry in entries)


async def test_without_an_identity_and_a_code_it_is_said_what_to_do(start) -> None:
    with pytest.raises(IdentityError, match=r"dca activate CODE --hub 127\.0\.0\.1:\d+"):
        await start.begin(None)
    assert start.hub.seen == []


async def test_a_code_that_is_none_is_a_problem_of_the_config_and_is_not_shown(start) -> None:
    with pytest.raises(ConfigError) as caught:
        await start.begin("hunter2-hunter2")
    assert caught.value.problems[0].key == "hub.activation_code"
    assert "hunter2" not in str(caught.value)
    assert start.hub.seen == []


async def test_in_plain_text_there_is_no_identity(start) -> None:
    assert await start.begin(None, plaintext=True) is None


async def test_an_activated_agent_is_not_activated_over_by_mistake(start) -> None:
    await start.begin(start.hub.code().text().reveal())
    enrolment, place = Enrolment(start.directory), start.hub.place
    with pytest.raises(IdentityError, match="activated already"):
        await enrolment.activate(start.hub.code(), place)
    before = enrolment.identity()
    assert before is not None
    assert (await enrolment.activate(start.hub.code(), place, again=True)).agent_id != before.agent_id


async def test_refusals_and_the_lock_are_audited_and_who_goes_on_guessing_does_not_fill_the_log(start) -> None:
    start.hub.judge = refuse
    pin = start.hub.code().pin
    for _ in range(MOST):
        with pytest.raises(ActivationRefusedError):
            await start.begin(make_code(pin).text().reveal())
    for _ in range(3):
        with pytest.raises(LockedError):
            await start.begin(make_code(pin).text().reveal())
    assert len(start.hub.seen) == MOST
    assert start.audited() == ["activation_tried", "activation_refused"] * MOST + ["locked", "activation_not_sent"]
    Enrolment(start.directory).unlock("a new code came by post")
    assert start.audited()[-1] == "unlocked"
    start.hub.judge = lambda *_: None
    assert await start.begin(start.hub.code().text().reveal())


async def test_what_cannot_be_audited_does_not_happen(start, monkeypatch) -> None:
    def full(*_, **__):
        raise AuditError("the disk is full")

    monkeypatch.setattr(AuditLog, "append", full)
    with pytest.raises(AuditError, match="the disk is full"):
        await start.begin(start.hub.code().text().reveal())
    assert start.hub.seen == []
    with pytest.raises(AuditError):
        Enrolment(start.directory).unlock("no reason")


async def test_the_parts_of_an_activated_agent_know_who_it_is(start) -> None:
    async with open_parts(start.config(start.hub.code().text().reveal())) as parts:
        assert parts.badge is not None
        assert parts.outbox.agent_id == parts.badge.identity.agent_id
        assert isinstance(parts.desk, Desk)
        assert parts.audit is not None
    async with open_parts(start.config(None)) as parts:
        assert parts.badge is not None


async def test_without_an_identity_there_are_no_tasks_and_the_audit_log_is_kept(start) -> None:
    async with open_parts(start.config(None, plaintext=True)) as parts:
        assert (parts.badge, parts.desk) == (None, None)
        assert parts.audit is not None


async def test_a_certificate_is_as_old_as_the_hubs_clock_says(start, monkeypatch) -> None:
    """A PC whose clock is months ahead does not renew with each look."""
    asked = asyncio.Event()

    async def renew(identity, *_, **__):
        asked.set()
        return identity

    monkeypatch.setattr("dca.agent.badge.renew", renew)
    monkeypatch.setattr("dca.agent.badge.LOOK", 0.0)

    async def keep(parts) -> bool:
        asked.clear()
        keeping = asyncio.create_task(parts.badge.keep(config, looked))
        for _ in range(50):
            await asyncio.sleep(0)
        keeping.cancel()
        return asked.is_set()

    async def looked() -> None:
        pass

    config = start.config(start.hub.code().text().reveal())
    async with open_parts(config) as parts:
        assert not await keep(parts)
        parts.offset.seconds = 100 * DAY
        assert await keep(parts)

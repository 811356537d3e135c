"""The certificate while the agent runs: renewed at two thirds of its life, tried for as long as it takes."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import logging
from datetime import timedelta
from types import SimpleNamespace

import pytest

from dca.agent.badge import Badge
from dca.agent.enrol import Enrolment
from dca.config import Endpoint
from dca.errors import AuditError, DeliveryError, IdentityError
from dca.identity.identity import Identity
from dca.model import Secret
from dca.service.logs import MASKS
from dca.telemetry import Uplink
from dca.wire.report_pb2 import ReportRequest
from tests.identity.fake_hub import made_identity
from tests.net.hubs import Hub, make_pair, serving

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
LIFE = timedelta(days=9)


class OverError(Exception):
    """The time that a test looks at has passed."""


class Life:
    """A badge whose looks pass at once: each moves the wall clock on by as long as it would wait."""

    def __init__(self, enrolment: Enrolment, config, monkeypatch) -> None:
        self.first = made_identity(life=LIFE)
        self.ends = self.first.ends.timestamp()
        self.begins = self.first.certificate.not_valid_before_utc.timestamp()
        self.now = self.begins
        self.asked: list[tuple[float, bool]] = []
        """When a renewal was tried, and whether as one of a certificate that is over."""
        self.answer: Identity | Exception = DeliveryError("the hub is away", "UNAVAILABLE")
        self.renewed = 0
        self.badge = Badge(self.first, enrolment, lambda: self.now)
        self._config = config
        self._until = 0.0
        monkeypatch.setattr("dca.agent.badge.renew", self._renew)
        clock = SimpleNamespace(sleep=self._sleep, to_thread=asyncio.to_thread)
        monkeypatch.setattr("dca.agent.badge.asyncio", clock)

    async def pass_by(self, begin: float, end: float) -> list[float]:
        """Keep the badge from one time to another, Unix seconds; return when it asked."""
        self.now, self._until = begin, end
        before = len(self.asked)
        with pytest.raises(OverError):
            await self.badge.keep(self._config, self._tell)
        return [at for at, _ in self.asked[before:]]

    async def _sleep(self, seconds: float) -> None:
        self.now += seconds
        if self.now > self._until:
            raise OverError

    async def _renew(self, identity: Identity, _place: object, _vault: object, *, over: bool) -> Identity:
        assert identity is self.badge.identity
        self.asked.append((self.now, over))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def _tell(self) -> None:
        self.renewed += 1


@pytest.fixture
def enrolment(tmp_path):
    return Enrolment(tmp_path / "state")


@pytest.fixture
def life(enrolment, config, monkeypatch):
    return Life(enrolment, config, monkeypatch)


async def test_it_is_renewed_once_at_two_thirds_of_its_life(life, enrolment, caplog) -> None:
    life.answer = fresh = made_identity(life=LIFE * 10)
    due = life.begins + (life.ends - life.begins) * 2 / 3
    with caplog.at_level(logging.INFO):
        (at,) = await life.pass_by(due - HOUR, due + DAY)
    assert due <= at < due + 2 * MINUTE
    assert (life.renewed, life.badge.identity) == (1, fresh)
    assert life.asked[0][1] is False
    assert caplog.text.count("the certificate is renewed") == 1
    assert [entry.what for entry in enrolment.audit.entries()] == ["renewed"]
    key = fresh.key.reveal()
    assert key not in MASKS.clean(f"the key is {key}")


async def test_a_hub_that_is_away_is_asked_each_hour_and_in_the_last_day_each_minute(life, caplog) -> None:
    before = await life.pass_by(life.ends - 2 * DAY, life.ends - DAY - MINUTE)
    assert {later - earlier for earlier, later in itertools.pairwise(before)} == {HOUR}
    assert len(before) in {24, 25}
    last = await life.pass_by(life.ends - HOUR, life.ends)
    assert {later - earlier for earlier, later in itertools.pairwise(last)} == {MINUTE}
    assert len(caplog.records) == 1, "said once"
    assert "cannot be renewed: the hub is away. It holds for 2 days more" in caplog.text


async def test_months_after_its_end_it_is_still_asked_for_as_one_that_is_over(life) -> None:
    await life.pass_by(life.ends - 5 * MINUTE, life.ends - MINUTE)
    assert not any(over for _, over in life.asked)
    life.asked.clear()
    await life.pass_by(life.ends + 200 * DAY, life.ends + 200 * DAY + 10 * MINUTE)
    assert len(life.asked) == 11
    assert all(over for _, over in life.asked)
    life.answer = made_identity(life=timedelta(days=900))
    await life.pass_by(life.now, life.now + HOUR)
    assert life.renewed == 1


async def test_a_clock_that_steps_back_does_not_keep_it_from_trying(life) -> None:
    await life.pass_by(life.ends - 2 * DAY, life.ends - 2 * DAY)
    assert await life.pass_by(life.ends - 2.5 * DAY, life.ends - 2.5 * DAY) == [life.ends - 2.5 * DAY]


async def test_each_other_reason_is_said_and_that_it_is_over(life, caplog) -> None:
    begin = life.ends - HOUR
    with caplog.at_level(logging.INFO):
        await life.pass_by(begin, begin + 2 * MINUTE)
        life.answer = IdentityError("the hub does not renew this agent's certificate: it was revoked")
        await life.pass_by(life.now, life.now + 2 * MINUTE)
        life.answer = made_identity()
        await life.pass_by(life.now, life.now + 2 * MINUTE)
    said = [record.getMessage().partition(".")[0] for record in caplog.records]
    assert len(said) == 4
    assert said[0].endswith("the hub is away")
    assert said[1].endswith("it was revoked")
    assert "can be renewed again" in said[2]
    assert said[3].startswith("the certificate is renewed")


async def test_an_audit_log_that_cannot_be_written_costs_no_certificate(life, enrolment, monkeypatch, caplog) -> None:
    def full(*_, **__):
        raise AuditError("the disk is full")

    monkeypatch.setattr(enrolment.audit, "append", full)
    life.answer = made_identity()
    await life.pass_by(life.ends - HOUR, life.ends - HOUR)
    assert life.renewed == 1
    assert "the renewal is not in the audit log: the disk is full" in caplog.text


async def test_the_hub_is_called_with_the_certificate(enrolment, config) -> None:
    authority = make_pair("hub CA")
    pair = make_pair("agent-7", authority)
    identity = Identity(
        "agent-7", "Office", Secret(pair.key_pem.decode()), pair.pem.decode(), authority.pem.decode(), bytes(32)
    )
    hub = Hub()
    async with serving(hub, make_pair("127.0.0.1", authority), authority) as port:
        there = dataclasses.replace(config, hub=dataclasses.replace(config.hub, grpc=Endpoint("127.0.0.1", port)))
        uplink = Uplink(Badge(identity, enrolment, lambda: 0.0).calls(there), deadline=5)
        await uplink.report(ReportRequest())
        await uplink.close()
    assert hub.names == [b"agent-7"]

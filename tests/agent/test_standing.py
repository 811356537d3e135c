"""What the hub says of the agent itself is told once, at each change, in three places."""

from __future__ import annotations

import dataclasses

import pytest

from dca.agent.standing import Standing
from dca.audit import AuditLog
from dca.errors import AuditError, DeliveryError, StoreError
from dca.telemetry import Delivered
from dca.wire.report_pb2 import Event

REVOKED = DeliveryError(
    "the hub sends this agent away (PERMISSION_DENIED)", "PERMISSION_DENIED", "it was revoked: theft"
)


class Told:
    """A standing and the three places where it tells."""

    def __init__(self, parts, rows, caplog) -> None:
        self.standing = Standing(parts)
        self._parts, self._rows, self._caplog = parts, rows, caplog

    async def everywhere(self) -> list[str]:
        """What was told; it is the same in all three places."""
        events = [Event.FromString(payload).name for _, payload in await self._rows(self._parts)]
        audit = [entry.what for entry in self._parts.audit.entries()]
        lines = [record for record in self._caplog.records if record.levelname == "ERROR"]
        assert events == audit
        assert len(lines) == len(events)
        return events


@pytest.fixture
def audited(parts, tmp_path):
    return dataclasses.replace(parts, audit=AuditLog(tmp_path / "state"), badge=object())


@pytest.fixture
def told(audited, rows, caplog):
    return Told(audited, rows, caplog)


@pytest.mark.parametrize("word", ["clone_seen", "audit_broken"])
async def test_what_an_answer_says_is_told_once_until_it_is_over(told, word) -> None:
    for there in (False, True, True, True):
        await told.standing.heard(Delivered(**{word: there}))
    assert await told.everywhere() == [word]
    for there in (False, False, True):
        await told.standing.heard(Delivered(**{word: there}))
    assert await told.everywhere() == [word, word]


async def test_both_at_once_are_two(told) -> None:
    for _ in range(2):
        await told.standing.heard(Delivered(clone_seen=True, audit_broken=True))
    assert await told.everywhere() == ["clone_seen", "audit_broken"]


async def test_a_revocation_is_told_with_the_hubs_words_and_again_only_after_an_answer(told, caplog) -> None:
    for _ in range(3):
        await told.standing.failed(REVOKED)
    assert await told.everywhere() == ["revoked"]
    assert "it was revoked: theft" in caplog.text
    await told.standing.heard(Delivered())
    await told.standing.failed(REVOKED)
    assert await told.everywhere() == ["revoked", "revoked"]


@pytest.mark.parametrize("code", ["UNAVAILABLE", "UNAUTHENTICATED", "DEADLINE_EXCEEDED", ""])
async def test_another_failure_is_no_revocation(told, code) -> None:
    await told.standing.failed(DeliveryError("no", code, "no"))
    assert await told.everywhere() == []


async def test_without_an_identity_nobody_is_revoked(parts, rows) -> None:
    await Standing(parts).failed(REVOKED)
    assert await rows(parts) == []


async def test_what_cannot_be_written_down_is_told_all_the_same(audited, rows, monkeypatch, caplog) -> None:
    def full(*_, **__):
        raise AuditError("the disk is full")

    monkeypatch.setattr(audited.audit, "append", full)
    standing = Standing(audited)
    await standing.heard(Delivered(clone_seen=True))
    assert "that is not in the audit log: the disk is full" in caplog.text
    assert len(await rows(audited)) == 1

    async def away(*_, **__):
        raise StoreError("closed")

    monkeypatch.setattr(audited.outbox, "put_event", away)
    await standing.heard(Delivered(audit_broken=True))
    assert "dca audit verify" in caplog.text

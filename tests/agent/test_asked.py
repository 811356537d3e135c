"""What goes with a report of the audit log."""

from __future__ import annotations

import pytest

from dca.agent.asked import SHOWN_EVERY, AuditHeads
from dca.audit import AuditLog


@pytest.fixture
def audit(tmp_path):
    log = AuditLog(tmp_path / "state")
    for number in range(1, 4):
        log.append("said", str(number))
    return log


async def test_the_newest_entry_goes_with_the_one_that_the_hub_holds_once_a_minute(audit, now) -> None:
    heads = AuditHeads(audit, lambda: now.monotonic)
    newest, held = await heads(2)
    assert (newest.number, newest.hash.hex()) == (3, audit.head().hash)
    assert (held.number, held.hash.hex()) == (2, audit.entry(2).hash)
    assert await heads(2) == (None, None)
    now.pass_by(SHOWN_EVERY)
    assert (await heads(0))[1] is None, "the hub holds none yet"


async def test_an_entry_that_is_gone_is_shown_as_gone(audit) -> None:
    """Were nothing shown, the hub would wait for ever, and a log that was begun anew further on would not show."""
    _, held = await AuditHeads(audit)(9)
    assert (held.number, held.hash) == (9, bytes(32))

"""Running agents as the hub knows them: renewed by themselves, copied, restarted, with a rewritten audit log."""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from dca.audit import AuditLog
from dca.audit.entry import Entry, make_entry, read_entry
from dca.identity.identity import load_identity
from dca.identity.vault import Vault
from tests.hub.database import rows
from tests.hub.process import running
from tests.system.agent import AgentProcess, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.hub.process import HubProcess

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

NOWHERE = "127.24.9.9"
"""Nobody answers there: these tests are not about devices."""
LIFE_S = 70.0


@contextlib.contextmanager
def agent_at(hub: HubProcess, folder: Path) -> Iterator[AgentProcess]:
    folder.mkdir()
    process = AgentProcess(folder, hub, 161)
    process.configure(include=NOWHERE)
    try:
        yield process
    finally:
        process.close()


def record(hub: HubProcess, site: str) -> dict[str, Any]:
    """The one agent of a site as `dca hub agent list` has it."""
    lines = hub.command("agent", "list", "--json").splitlines()
    return next(found for line in lines if (found := json.loads(line))["site"] == site)


def reports(hub: HubProcess, site: str) -> None:
    """Wait for three reports of the site's agent."""
    last = ""
    for _ in range(3):
        last = wait_for(lambda before=last: _later(hub, site, before), "a report")


def _later(hub: HubProcess, site: str, before: str) -> str:
    statement = "SELECT a.last_report_at FROM agents a JOIN sites s ON s.id = a.site WHERE s.name = $1"
    found = rows(hub, statement, site)
    return at if found and (at := str(found[0][0])) != before else ""


def audit(agent: AgentProcess) -> list[str]:
    return [entry.what for entry in AuditLog(agent.folder / "state").entries()]


def test_a_running_agent_renews_itself_and_goes_on_delivering_and_listening(tmp_path: Path) -> None:
    with (
        running(tmp_path / "data", "--certificate-days", str(LIFE_S / 86_400)) as hub,
        agent_at(hub, tmp_path / "Renewing") as agent,
    ):
        agent.start()
        wait_for(lambda: agent.log.exists() and "the certificate is renewed" in agent.said(), "the first renewal")
        began = time.monotonic()
        wait_for(lambda: _certificates(hub) >= (1, 1), "the new certificate in use")
        wait_for(lambda: record(hub, "Renewing")["channel"] == "wss", "the channel")
        first = load_identity(Vault(agent.folder / "state"))
        assert first is not None
        # Everything of the first two certificates has ended when this has passed; the third was fetched meanwhile.
        wait_for(lambda: agent.said().count("the certificate is renewed;") >= 2, "the second renewal", 90)
        wait_for(lambda: time.monotonic() - began > LIFE_S, "the end of the first", 90)
        reports(hub, "Renewing")
        wait_for(lambda: record(hub, "Renewing")["channel"] == "wss", "the channel once more")
        asked = ("task", "new", "logs", "--agent", first.agent_id, "--reason", "a test", "--wait", "20")
        assert "done" in hub.command(*asked)
        assert audit(agent).count("renewed") >= 2
        second = load_identity(Vault(agent.folder / "state"))
        assert second is not None
        assert second.key != first.key
        assert second.agent_id == first.agent_id
        assert agent.end()[0] == 0


def _certificates(hub: HubProcess) -> tuple[int, int]:
    """How many were replaced, and how many are in use."""
    found = rows(hub, "SELECT count(replaced_at), count(first_used) - count(replaced_at) FROM certificates")
    return found[0][0], found[0][1]


def test_a_restart_is_no_copy_and_a_copy_is_noticed_on_both_sides(hub: HubProcess, tmp_path: Path) -> None:
    with agent_at(hub, tmp_path / "Cloned") as agent, agent_at(hub, tmp_path / "Copy") as copy:
        for _ in range(3):
            agent.start()
            reports(hub, "Cloned")
            assert agent.end()[0] == 0
        assert record(hub, "Cloned")["clone_seen_at"] is None
        shutil.copytree(agent.folder / "state", copy.folder / "state")
        both = (agent, copy)
        for one in both:
            one.start()
        for one in both:
            wait_for(lambda one=one: "the hub sees two copies of this agent" in one.said(), "word of the copy")
            wait_for(lambda one=one: "clone_seen" in audit(one), "the entry in the audit log")
        assert record(hub, "Cloned")["clone_seen_at"] is not None
        assert "two copies of it were seen" in hub.command("agent", "show", record(hub, "Cloned")["agent_id"])
        named = "SELECT e.text FROM events e JOIN agents a ON a.id = e.agent JOIN sites s ON s.id = a.site"
        events = wait_for(
            lambda: rows(hub, f"{named} WHERE s.name = 'Cloned' AND e.name = 'clone_seen'"), "the event at the hub"
        )
        assert "Stop one of them" in events[0][0]
        for one in both:
            assert one.said().count("the hub sees two copies of this agent") == 1
            assert one.end()[0] == 0


def rewritten(entries: list[Entry], at: int) -> bytes:
    """The log with another text in one entry, and every hash after it made anew."""
    made: list[Entry] = []
    for entry in entries:
        moment = datetime.fromisoformat(entry.at).timestamp()
        text = "nothing happened" if entry.n == at else entry.text
        last = made[-1] if made else None
        made.append(make_entry(last, moment, entry.what, text, who=entry.who, details=entry.details))
    return b"".join(entry.line() + b"\n" for entry in made)


@pytest.mark.parametrize("how", ["rewritten", "cut", "restored"])
def test_an_audit_log_that_was_rewritten_shows_at_the_hub(hub: HubProcess, tmp_path: Path, how: str) -> None:
    site = f"Audited {how}"
    with agent_at(hub, tmp_path / site) as agent:
        agent.start()
        reports(hub, site)
        assert agent.end()[0] == 0
        path = agent.folder / "state" / "audit" / "audit.jsonl"
        before = path.read_bytes()
        log = AuditLog(agent.folder / "state")
        newest = log.append("unlocked", "for the test", who="local:test").n
        agent.start()
        wait_for(lambda: record(hub, site)["audit_number"] >= newest, "the newest entry at the hub")
        assert record(hub, site)["audit_broken_at"] is None
        assert agent.end()[0] == 0
        entries = [read_entry(line) for line in path.read_bytes().splitlines()]
        path.write_bytes({"rewritten": rewritten(entries, 2), "cut": before, "restored": before}[how])
        if how == "restored":
            log.append("unlocked", "something else", who="local:test")
        assert log.verify().whole
        agent.start()
        wait_for(lambda: record(hub, site)["audit_broken_at"], "the hub's word")
        wait_for(lambda: "audit log does not hold what it held before" in agent.said(), "the agent's word")
        assert "audit log was changed" in hub.command("agent", "show", record(hub, site)["agent_id"])
        assert "audit_broken" in audit(agent)
        assert agent.end()[0] == 0

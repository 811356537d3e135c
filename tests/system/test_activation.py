"""Activation against the real hub: as a person does it, and what is refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from person import Person

from dca.contract.codes import Code, make_code
from tests.hub.database import rows
from tests.hub.enrolled import new_code

if TYPE_CHECKING:
    from pathlib import Path

    from tests.hub.process import HubProcess

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


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
    assert re.search(rf"{code.id}.*{identity.agent_id[:8]} .*used ", listed)
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

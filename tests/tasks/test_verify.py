"""Which tasks are taken: every fault has its code, and nothing that came in can do more than be refused."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from dca.contract.tasks import MAX_LIFE, MAX_PARAMETERS, MAX_TASK
from dca.errors import TaskError
from dca.tasks.verify import check, find_device, open_task
from dca.wire.task_pb2 import Task
from tests.tasks.counter import AGENT, KEY, NOON, PUBLIC, Tools, Works, body, kinds_of, signed

KINDS = kinds_of(Works())


def checked(made, *, now: float = NOON, began: float = NOON - 1000):
    return check(open_task(signed(made), PUBLIC), KINDS, agent_id=AGENT, now=now, began=began)


def code_of(call, *args, **more) -> str:
    with pytest.raises(TaskError) as caught:
        call(*args, **more)
    return caught.value.code


def test_a_task_in_order_is_taken():
    kind, parameters = checked(body("look", parameters='{"text": "x"}'))
    assert (kind.name, parameters.text) == ("look", "x")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"agent_id": "5f0c8a1e-0000-4000-8000-000000000002"}, "wrong_agent"),
        ({"agent_id": ""}, "wrong_agent"),
        ({"number": 0}, "bad_task"),
        ({"number": 2**63}, "bad_task"),
        ({"kind": "format_disk"}, "unknown_kind"),
        ({"kind": ""}, "unknown_kind"),
        ({"parameters": "{"}, "bad_parameters"),
        ({"parameters": "[1]"}, "bad_parameters"),
        ({"parameters": '{"text": 1}'}, "bad_parameters"),
        ({"parameters": '{"more": "x"}'}, "bad_parameters"),
        ({"parameters": "[" * 20_000}, "bad_parameters"),
        ({"parameters": '{"text": "' + "x" * MAX_PARAMETERS + '"}'}, "bad_parameters"),
        ({"issued_at": None}, "bad_task"),
        ({"not_before": None}, "bad_task"),
        ({"expires": None}, "bad_task"),
        ({"expires": NOON}, "bad_task"),
        ({"expires": NOON + MAX_LIFE + 1}, "bad_task"),
        ({"not_before": NOON + 3601}, "bad_task"),
        ({"issued_at": NOON - 1001}, "stale"),
        ({"issued_at": NOON - 900, "expires": NOON - 1, "not_before": NOON - 900}, "expired"),
    ],
)
def test_every_fault_has_its_code(fields, code):
    assert code_of(checked, body(**({"kind": "look"} | fields))) == code


def test_times_that_are_none_are_missing():
    made = body("look")
    made.expires.seconds = -5
    assert code_of(checked, made) == "bad_task"
    made.expires.seconds = 2**62
    assert code_of(checked, made) == "bad_task"


@pytest.mark.parametrize(
    ("device", "kind", "code"), [("", "look", "no_device"), ("00000000000000ff", "look", "no_device")]
)
def test_a_device_must_be_named_and_known(device, kind, code):
    asked = open_task(signed(body(kind, device_id=device)), PUBLIC)
    assert code_of(find_device, asked, KINDS[kind], Tools().registry) == code


def test_what_is_not_signed_by_the_hub_has_no_name():
    stranger = Ed25519PrivateKey.generate()
    good = Task.FromString(signed(body("look")))
    other = body("restart").SerializeToString(deterministic=True)
    assert code_of(open_task, signed(body("look"), stranger), PUBLIC) == "bad_signature"
    assert code_of(open_task, Task(body=other, signature=good.signature).SerializeToString(), PUBLIC) == "bad_signature"
    assert code_of(open_task, Task(body=good.body).SerializeToString(), PUBLIC) == "bad_signature"
    assert code_of(open_task, b"", PUBLIC) == "bad_signature"
    assert code_of(open_task, b"\xff" * 50, PUBLIC) == "bad_task"
    assert code_of(open_task, bytes(MAX_TASK + 1), PUBLIC) == "too_large"


def test_a_signature_of_something_else_by_the_same_key_is_none():
    content = body("look").SerializeToString(deterministic=True)
    data = Task(body=content, signature=KEY.sign(content)).SerializeToString()
    assert code_of(open_task, data, PUBLIC) == "bad_signature"


def test_a_signed_task_without_a_usable_name_cannot_be_answered():
    assert code_of(open_task, signed(body("look", id="1; DROP TABLE task")), PUBLIC) == "bad_task"
    content = b"\xff\xff"
    data = Task(body=content, signature=KEY.sign(b"dca task v1\0" + content)).SerializeToString()
    assert code_of(open_task, data, PUBLIC) == "bad_task"


def test_texts_are_cut_and_print():
    asked = open_task(signed(body("look", requested_by="\x1b[2Jjane\n" * 100, reason="r" * 5000)), PUBLIC)
    assert asked.requested_by.isprintable()
    assert len(asked.requested_by) <= 100
    assert len(asked.reason) == 500


@given(st.binary(max_size=300))
def test_rubbish_is_refused_and_nothing_else(data):
    with pytest.raises(TaskError):
        open_task(data, PUBLIC)


@given(st.data())
def test_a_task_that_was_changed_on_its_way_is_refused(data):
    whole = bytearray(signed(body("look", id="5f0c8a1e-0000-4000-8000-00000000000a")))
    before = Task.FromString(bytes(whole))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    try:
        asked = open_task(bytes(whole), PUBLIC)
    except TaskError:
        return
    assert asked.body == before.body, "only what is not of the task may have changed"


@given(st.binary(max_size=200))
def test_whatever_the_hub_signs_is_taken_or_refused(content):
    data = Task(body=content, signature=KEY.sign(b"dca task v1\0" + content)).SerializeToString()
    with pytest.raises(TaskError):
        check(open_task(data, PUBLIC), KINDS, agent_id=AGENT, now=NOON, began=0)

from __future__ import annotations

import itertools
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dca.hub.front.greeting import LARGEST, Greeting
from tests.hub.mqtt import UPGRADE, connect, frame, packet, text, token

AGENT = uuid4()
NAME = str(AGENT)
GOOD = connect(NAME, token(NAME), will=(f"dca/{NAME}/status", "offline"))
LATER = packet(b"\x00\x01" + text(f"dca/{NAME}/tasks") + b"\x01", 0x82)


def fed(chunks: list[bytes], *, websocket: bool = False, agent: UUID = AGENT) -> bytes:
    greeting = Greeting(agent, websocket=websocket)
    return b"".join(greeting.feed(chunk) for chunk in chunks)


def cut_at(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % len(data) for place in places), len(data)]
    return [data[begin:end] for begin, end in itertools.pairwise(edges)]


@given(st.lists(st.integers(0, 10_000), max_size=12))
def test_an_agent_with_its_own_name_and_token_goes_on_unchanged_however_it_is_cut(places: list[int]) -> None:
    plain = GOOD + LATER
    assert fed(cut_at(plain, places)) == plain
    framed = UPGRADE + frame(GOOD[:7], opcode=0x02) + frame(GOOD[7:], opcode=0x80) + frame(LATER)
    assert fed(cut_at(framed, places), websocket=True) == framed


def test_nothing_of_connect_goes_on_before_it_is_whole() -> None:
    greeting = Greeting(AGENT, websocket=False)
    assert greeting.feed(GOOD[:-1]) == b""
    assert not greeting.done
    assert greeting.feed(GOOD[-1:]) == GOOD
    assert greeting.done
    assert greeting.feed(b"anything") == b"anything"


def test_the_request_for_a_websocket_goes_on_first_for_the_broker_answers_it() -> None:
    greeting = Greeting(AGENT, websocket=True)
    assert greeting.feed(UPGRADE[:-1]) == b""
    assert greeting.feed(UPGRADE[-1:]) == UPGRADE
    assert greeting.feed(frame(GOOD)) == frame(GOOD)


OTHER = str(uuid4())
STRANGE = {
    "another's token": (connect(NAME, token(OTHER)), "its token is not that"),
    "another's session": (connect(OTHER, token(NAME)), "its client id is not that"),
    "another's both": (connect(OTHER, token(OTHER)), "client id"),
    "no session": (connect("", token(NAME)), "client id"),
    "upper case": (connect(NAME.upper(), token(NAME)), "client id"),
    "garbage": (connect(NAME, "garbage"), "no token"),
    "no text": (connect(NAME, "a.\x00.c"), "no token"),
    "a list": (connect(NAME, "a.W10.c"), "no token"),
    "deep": (connect(NAME, "a." + "W1tb" * 1500 + ".c"), "no token"),
    "no password": (connect(NAME, token(NAME), flags=0x80), "no password"),
    "no user": (connect(NAME, token(NAME), flags=0x40), "no user name"),
    "MQTT 5": (connect(NAME, token(NAME), level=b"\x00\x04MQTT\x05"), "3.1.1"),
    "MQTT 3.1": (connect(NAME, token(NAME), level=b"\x00\x06MQIsdp\x03"), "3.1.1"),
    "more": (connect(NAME, token(NAME), more=b"x"), "more than it says"),
    "short": (packet(b"\x00\x04MQTT\x04\xc0\x00\x3c\xff\xff"), "cut short"),
    "empty": (packet(b""), "3.1.1"),
    "SUBSCRIBE first": (LATER, "no CONNECT"),
    "HTTP": (b"GET / HTTP/1.1\r\n", "no CONNECT"),
    "no length": (b"\x10\x80\x80\x80\x80\x01", "no length"),
    "too long": (b"\x10\xff\xff\x7f", "too large"),
}


@pytest.mark.parametrize("case", STRANGE)
def test_whoever_says_anything_else_is_stopped_and_told_nothing(case: str) -> None:
    data, says = STRANGE[case]
    for chunks in ([data], [bytes([byte]) for byte in data]):
        with pytest.raises(ValueError, match=says) as caught:
            fed(chunks)
        assert NAME not in str(caught.value)
        assert token(NAME) not in str(caught.value)
    with pytest.raises(ValueError, match=says):
        fed([UPGRADE, frame(data)], websocket=True)


SMUGGLED = frame(connect(OTHER, token(OTHER)))
REQUESTS = {
    "a body": UPGRADE.replace(b"Host:", b"Content-Length: 300\r\nHost:"),
    "a body in chunks": UPGRADE.replace(b"Host:", b"transfer-ENCODING: chunked\r\nHost:"),
    "POST": UPGRADE.replace(b"GET", b"POST"),
    "a line that ends alone": UPGRADE.replace(b"\r\n", b"\n") + b"\r\n\r\n",
    "an end in between": UPGRADE[:-2] + b"\n\n" + SMUGGLED + b"\r\n\r\n",
    "a folded line": UPGRADE.replace(b"Upgrade: ", b"Upgrade:\r\n "),
    "a blank before the colon": UPGRADE.replace(b"Host:", b"Content-Length : 300\r\nHost:"),
    "HTTP/1.0": UPGRADE.replace(b"HTTP/1.1", b"HTTP/1.0"),
    # NATS then takes masks for frames: it reads something else than what is looked at here.
    "no masks": UPGRADE.replace(b"Host:", b"Nats-No-Masking: true\r\nHost:"),
    "no masks, in small letters": UPGRADE.replace(b"Host:", b"nats-no-masking:true\r\nHost:"),
    "compression": UPGRADE.replace(b"Host:", b"Sec-WebSocket-Extensions: permessage-deflate\r\nHost:"),
    "another's address": UPGRADE.replace(b"Host:", b"X-Forwarded-For: 192.0.2.1\r\nHost:"),
    "no request": b"\x16\x03\x01\r\n\r\n",
    "control characters": UPGRADE.replace(b"127.0.0.1", b"127.0.0.1\x00"),
    "too much": UPGRADE.replace(b"Host:", b"X: " + b"a" * LARGEST + b"\r\nHost:"),
    "no end": b"GET /mqtt HTTP/1.1\r\n" + b"a" * LARGEST,
}


@pytest.mark.parametrize("case", REQUESTS)
def test_a_request_in_which_another_could_be_read_is_stopped(case: str) -> None:
    greeting = Greeting(AGENT, websocket=True)
    with pytest.raises(ValueError, match=r"request for a WebSocket|too much"):
        greeting.feed(REQUESTS[case] + frame(GOOD))


FRAMES = {
    "text": frame(GOOD, opcode=0x81),
    "not masked": frame(GOOD, masked=False),
    "a reserved bit": frame(GOOD, opcode=0xC2),
    "ping": frame(b"", opcode=0x89),
    "close": frame(b"", opcode=0x88),
    "eight bytes of length": b"\x82\xff" + len(GOOD).to_bytes(8, "big") + bytes(4) + GOOD,
    "a second request": UPGRADE,
}


@pytest.mark.parametrize("case", FRAMES)
def test_a_frame_that_a_client_of_mqtt_does_not_send_is_stopped(case: str) -> None:
    with pytest.raises(ValueError, match=r"no MQTT|not masked, or too large"):
        fed([UPGRADE, FRAMES[case]], websocket=True)


def test_whoever_never_comes_to_the_point_is_stopped() -> None:
    greeting = Greeting(AGENT, websocket=True)
    greeting.feed(UPGRADE)
    with pytest.raises(ValueError, match="too much"):
        greeting.feed(frame(b"", opcode=0x02) * LARGEST)
    long = packet(b"\x00\x04MQTT\x04" + bytes(LARGEST - 7))
    with pytest.raises(ValueError, match="user name"):
        fed([long])


@given(st.binary(max_size=400), st.booleans())
def test_no_bytes_at_all_get_through_or_raise_anything_else(data: bytes, websocket: bool) -> None:
    greeting = Greeting(AGENT, websocket=websocket)
    try:
        passed = greeting.feed(data)
    except ValueError:
        return
    assert passed == b""

"""The channel against a broker that behaves, misbehaves, stalls and refuses."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import socket
import ssl

import pytest

from dca.channel import Login, Route, Topics
from dca.channel.terms import Limits
from dca.errors import ConfigError, ConfigProblem, StoreError
from dca.model import Secret
from tests.channel.conftest import QUICK, until
from tests.channel.fake_broker import Broker


async def honest(visitor):
    await visitor.welcome()
    await visitor.listen()


async def honest_websocket(visitor):
    await visitor.upgrade()
    await honest(visitor)


async def test_a_message_is_acknowledged_when_it_is_kept_and_not_before(pki, hold):
    async with Broker(honest).serving(pki) as broker, hold(broker.route()) as held:
        await held.ups.get()
        gate = asyncio.Event()
        held.channel._intake._on_message = lambda _: gate.wait()
        broker.visitors[0].publish(b"one", 7)
        broker.visitors[0].send(0xD0, b"")
        await asyncio.sleep(0.1)
        assert broker.visitors[0].acked == []
        gate.set()
        await until(lambda: broker.visitors[0].acked == [7])


async def test_what_could_not_be_kept_is_not_acknowledged_and_comes_again(pki, hold, caplog):
    async def redelivers(visitor):
        await visitor.welcome()
        visitor.publish(b"one", 1)
        visitor.publish(b"two", 2)
        await visitor.listen()

    async with Broker(redelivers).serving(pki) as broker, hold(broker.route()) as held:
        held.fail = lambda payload: StoreError("the disk is full") if payload == b"one" else None
        await until(lambda: len(broker.visitors) == 4)
        assert [visitor.acked for visitor in broker.visitors[:3]] == [[2], [2], [2]]
        held.fail = lambda _: None
        await until(lambda: broker.visitors[-1].acked == [1, 2])
    assert caplog.text.count("the disk is full") == 1


async def test_a_bug_in_who_keeps_messages_ends_nothing(pki, hold, caplog):
    async with Broker(honest).serving(pki) as broker, hold(broker.route(), limits=Limits()) as held:
        await held.ups.get()
        held.fail = lambda payload: KeyError("bug") if payload == b"bad" else None
        for mid, payload in enumerate((b"bad", b"bad", b"good"), 1):
            broker.visitors[0].publish(payload, mid)
        assert await held.kept.get() == b"good"
        await until(lambda: broker.visitors[0].acked == [3])
    assert caplog.text.count("KeyError") == 1


async def test_a_message_too_large_for_a_task_is_dropped_and_told_once(pki, hold, caplog):
    async with Broker(honest_websocket).serving(pki) as broker, hold(broker.route("/mqtt")) as held:
        await held.ups.get()
        largest = QUICK.largest
        for mid, size in enumerate((largest + 1, 900_000, largest, 0), 1):
            broker.visitors[0].publish(b"x" * size, mid)
        assert len(await held.kept.get()) == largest
        assert await held.kept.get() == b""
        await until(lambda: broker.visitors[0].acked == [1, 2, 3, 4])
    assert caplog.text.count("was dropped") == 1


async def test_a_message_without_measure_is_not_even_read(pki, hold):
    async def flood(visitor):
        await visitor.welcome()
        visitor.writer.write(b"\x32\xff\xff\xff\x7f")
        await visitor.listen()

    async with Broker(flood).serving(pki) as broker, hold(broker.route()) as held:
        await until(lambda: held.slept)
        assert "268435455 bytes" in held.channel.last_error
        await until(lambda: len(held.slept) >= 3)
        assert held.slept[:3] == [60, 120, 240]


async def test_a_message_with_qos_0_is_kept_and_needs_no_acknowledgement(pki, hold):
    async with Broker(honest).serving(pki) as broker, hold(broker.route()) as held:
        await held.ups.get()
        broker.visitors[0].publish(b"zero", 0, qos=0)
        broker.visitors[0].publish(b"one", 1)
        assert [await held.kept.get(), await held.kept.get()] == [b"zero", b"one"]
        await until(lambda: broker.visitors[0].acked == [1])


async def test_a_flood_stops_being_read_until_there_is_room(pki, hold):
    async with Broker(honest).serving(pki) as broker, hold(broker.route(), limits=Limits()) as held:
        await held.ups.get()
        gate = asyncio.Event()
        held.channel._intake._on_message = lambda _: gate.wait()
        visitor = broker.visitors[0]
        sent = 0

        async def flood():
            nonlocal sent
            for mid in range(1, 1001):
                visitor.publish(b"x" * 60_000, mid)
                await visitor.writer.drain()
                sent = mid

        flooding = asyncio.create_task(flood())
        before = -1
        while before != sent:
            before = sent
            await asyncio.sleep(0.3)
        assert 200 <= sent < 600
        gate.set()
        await flooding
        await until(lambda: visitor.acked == list(range(1, 1001)))


@pytest.mark.parametrize("path", [None, "/mqtt"])
async def test_messages_that_come_in_one_piece_do_not_wait_for_each_other(pki, hold, path):
    script = honest_websocket if path else honest
    async with Broker(script).serving(pki) as broker, hold(broker.route(path)) as held:
        await held.ups.get()
        visitor = broker.visitors[0]
        visitor.writer.write(b"".join(visitor.message(b"x", mid) for mid in range(1, 51)))
        await until(lambda: visitor.acked == list(range(1, 51)), 0.9)


async def test_it_says_when_it_comes_and_goes(pki, hold):
    async with Broker(honest).serving(pki) as broker:
        async with hold(broker.route()) as held:
            await held.ups.get()
            assert held.channel.state == "mqtts"
            visitor = broker.visitors[0]
            await until(lambda: visitor.published == [("s", b"online")])
        await until(lambda: visitor.published == [("s", b"online"), ("s", b"offline")])
    # Flags of CONNECT: user, password, will with QoS 1 and not retained, no clean session.
    assert visitor.login[7] == 0b11001100
    assert b"\x00\x01s\x00\x07offline" in visitor.login
    assert visitor.login.endswith(b"\x00\x05agent\x00\x0aa password")


async def test_without_a_status_topic_it_says_nothing(pki, hold):
    async with Broker(honest).serving(pki) as broker:
        async with hold(broker.route(), topics=Topics("t"), login=Login("a1")) as held:
            await held.ups.get()
        assert broker.visitors[0].login[7] == 0
        assert broker.visitors[0].published == []


@pytest.mark.parametrize(("code", "words"), [(4, "user name or password"), (5, "does not let this agent in")])
async def test_a_refused_login_waits_long_and_takes_no_other_route(pki, hold, code, words, caplog):
    async def refuses(visitor):
        await visitor.welcome(connack=code)
        await visitor.listen()

    async with (
        Broker(refuses).serving(pki) as broker,
        Broker(honest).serving(pki) as other,
        hold(broker.route(), other.route()) as held,
    ):
        await until(lambda: len(held.slept) >= 6)
        assert held.slept[:6] == [60, 120, 240, 480, 900, 900]
        assert other.visitors == []
        assert words in held.channel.last_error
    assert caplog.text.count(words) == 1
    assert "a password" not in caplog.text


async def test_a_broker_that_is_busy_counts_as_a_failure_of_the_way(pki, hold):
    async with (
        Broker(lambda visitor: visitor.welcome(connack=3)).serving(pki) as broker,
        Broker(honest).serving(pki) as other,
        hold(broker.route(), other.route()) as held,
    ):
        await held.ups.get()
        assert held.slept[:2] == [1, 2]


async def test_a_topic_that_is_not_allowed_is_told(pki, hold):
    async def forbids(visitor):
        await visitor.welcome(suback=0x80)
        await visitor.listen()

    async with Broker(forbids).serving(pki) as broker, hold(broker.route()) as held:
        await until(lambda: len(held.slept) >= 2)
        assert held.slept[:2] == [60, 120]
        assert held.channel.state == "down"
        assert "does not allow this agent to subscribe to 't'" in held.channel.last_error
        assert held.ups.empty()


async def nothing(visitor):
    await visitor.reader.read()


async def upgrade_only(visitor):
    await visitor.upgrade()
    await nothing(visitor)


async def login_only(visitor):
    await visitor.packet()
    visitor.send(0x20, b"\0\0")
    await nothing(visitor)


async def drip(visitor):
    while True:
        visitor.writer.write(b"x")
        await visitor.writer.drain()
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("script", "tls", "path", "words"),
    [
        (nothing, False, "/mqtt", "TLS got no answer"),
        (nothing, True, "/mqtt", "WebSocket got no answer"),
        (drip, True, "/mqtt", "WebSocket got no answer"),
        (upgrade_only, True, "/mqtt", "did not answer the login"),
        (nothing, True, None, "did not answer the login"),
        (login_only, True, None, "did not answer the subscription"),
    ],
)
async def test_every_step_that_stalls_ends_in_time(pki, hold, *, script, tls, path, words):
    began = asyncio.get_running_loop().time()
    async with (
        Broker(script).serving(pki if tls else None) as broker,
        hold(broker.route(path), limits=dataclasses.replace(QUICK, connect=0.3)) as held,
    ):
        await until(lambda: held.slept)
        assert words in held.channel.last_error
        assert asyncio.get_running_loop().time() - began < 1.5


async def garbage(visitor):
    await visitor.packet()
    visitor.writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" + bytes(range(256)) * 10)
    await visitor.writer.drain()


async def no_websocket(visitor):
    await visitor.reader.readuntil(b"\r\n\r\n")
    visitor.writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    await visitor.writer.drain()


async def bad_publish(visitor):
    await visitor.welcome()
    visitor.send(0x32, b"\xff\xff")
    await visitor.listen()


async def bad_suback(visitor):
    await visitor.packet()
    visitor.send(0x20, b"\0\0")
    await visitor.packet()
    visitor.send(0x90, b"\0")
    await visitor.listen()


@pytest.mark.parametrize(
    ("script", "path", "words"),
    [
        (garbage, None, "no MQTT broker"),
        (no_websocket, "/wrong", "opens no WebSocket at /wrong"),
        (bad_publish, None, "no MQTT"),
        (bad_suback, None, "no MQTT"),
    ],
)
async def test_what_is_no_broker_does_no_harm(pki, hold, script, path, words):
    async with Broker(script).serving(pki) as broker, hold(broker.route(path)) as held:
        await until(lambda: len(broker.visitors) > 2)
        assert words in held.channel.last_error


async def test_a_certificate_of_somebody_else_is_told(pki, hold):
    async with (
        Broker(honest).serving(pki) as broker,
        hold(broker.route(), tls=ssl.create_default_context) as held,
    ):
        await until(lambda: held.slept)
        assert "certificate is not trusted" in held.channel.last_error


async def test_an_address_where_nothing_listens_is_told(hold):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        async with hold(Route("wss", "127.0.0.1", free.getsockname()[1], "/mqtt")) as held:
            await until(lambda: len(held.slept) > 7)
            assert "nothing listens there" in held.channel.last_error
            assert held.slept[:8] == [1, 2, 4, 8, 16, 32, 60, 60]


async def test_trust_that_cannot_be_made_is_told(pki, hold):
    def tls():
        raise ConfigError("dca.toml", [ConfigProblem("hub.ca_file", "is gone")])

    async with Broker(honest).serving(pki) as broker, hold(broker.route(), tls=tls) as held:
        await until(lambda: held.slept)
        assert "is gone" in held.channel.last_error


async def test_after_two_failures_the_other_route_and_back_when_the_first_answers(pki, hold, caplog):
    caplog.set_level(logging.INFO)
    second = Broker(honest)
    first = Broker(honest_websocket)
    async with first.serving(pki):
        pass  # its port is known now, and nothing listens there
    async with second.serving(pki), hold(first.route("/mqtt"), second.route()) as held:
        await held.ups.get()
        assert held.channel.state == "mqtts"
        first.script = no_websocket
        async with first.serving(pki):
            await until(lambda: len(first.visitors) > 2)
            assert held.channel.state == "mqtts", "what opens no WebSocket has not answered"
            first.script = honest_websocket
            await held.ups.get()
            assert held.channel.state == "wss"
            assert second.visitors[0].published == [("s", b"online")], "moving is no going"
    assert "answers again" in caplog.text


async def test_a_lost_connection_comes_back_by_the_same_route_without_hurry_and_without_delay(pki, hold):
    async def brief(visitor):
        await visitor.welcome()
        visitor.writer.transport.abort()

    async with (
        Broker(brief).serving(pki) as broker,
        Broker(honest).serving(pki) as other,
        hold(broker.route(), other.route()) as held,
    ):
        await until(lambda: len(broker.visitors) > 6)
        assert set(held.slept) <= {1}
        assert other.visitors == []


async def test_two_with_one_client_id_are_recognised_and_one_waits_for_minutes(pki, hold, caplog):
    async with Broker(lambda visitor: visitor.welcome()).serving(pki) as broker, hold(broker.route()) as held:
        await until(lambda: len(held.slept) >= 4)
        assert held.slept[:4] == [1, 1, 300, 300]
        assert "a copy of another one" in held.channel.last_error
        assert "'a1'" in held.channel.last_error
    assert caplog.text.count("a copy of another one") == 1


async def test_a_line_that_fell_silent_is_noticed_by_the_keepalive(pki, hold):
    async def silent(visitor):
        await visitor.welcome()
        while True:
            await visitor.packet()

    async with Broker(silent).serving(pki) as broker, hold(broker.route(), keepalive=1) as held:
        await held.ups.get()
        await until(lambda: len(broker.visitors) > 1, 5)
        assert "no answer for 2 s" in held.channel.last_error


async def test_a_quiet_line_is_kept_alive(pki, hold):
    async with Broker(honest).serving(pki) as broker, hold(broker.route(), keepalive=1) as held:
        await held.ups.get()
        await until(lambda: broker.visitors[0].pings >= 3, 8)
        assert len(broker.visitors) == 1


async def test_a_password_that_ends_is_made_anew_in_time(pki, hold):
    made = []

    def password():
        made.append(f"token {len(made)}")
        return Secret(made[-1])

    login = Login("a1", "agent", password, lifetime=0.04)
    async with Broker(honest).serving(pki) as broker, hold(broker.route(), login=login):
        await until(lambda: len(broker.visitors) > 3)
        assert broker.visitors[2].login.endswith(b"token 2")
        assert b"offline" not in [payload for _, payload in broker.visitors[0].published]


@pytest.mark.parametrize("name", ["mqtt_proxy", "MQTT_PROXY", "http_proxy", "https_proxy", "all_proxy"])
async def test_the_environment_has_no_say(pki, hold, monkeypatch, name):
    async with Broker(nothing).serving(None) as trap, Broker(honest).serving(pki) as broker:
        monkeypatch.setenv(name, f"http://127.0.0.1:{trap.port}")
        monkeypatch.delenv("no_proxy", raising=False)
        async with hold(broker.route()) as held:
            await held.ups.get()
        assert trap.visitors == []


async def test_a_proxy_is_not_passed_by_because_of_the_environment(pki, hold, monkeypatch):
    from dca.net.proxy import Proxy  # noqa: PLC0415

    monkeypatch.setenv("no_proxy", "*")
    async with Broker(nothing).serving(None) as proxy, Broker(honest).serving(pki) as broker:
        route = dataclasses.replace(broker.route(), proxy=Proxy("127.0.0.1", proxy.port))
        async with hold(route, limits=dataclasses.replace(QUICK, connect=0.2)) as held:
            await until(lambda: held.slept)
        assert broker.visitors == []
        assert len(proxy.visitors) >= 1


async def test_a_name_without_an_address_is_told(hold):
    from dca.net.dns import Answer  # noqa: PLC0415

    async def resolver(name):
        return Answer(failure=f"{name}: Name or service not known", unknown=True)

    async with hold(Route("wss", "broker.invalid", 443, "/mqtt"), resolver=resolver) as held:
        await until(lambda: held.slept)
        assert "its name cannot be resolved" in held.channel.last_error


async def test_a_poll_that_fails_after_connecting_ends_nothing(pki, hold, caplog):
    async def on_up():
        raise ValueError("bug")

    async with Broker(honest).serving(pki) as broker, hold(broker.route(), on_up=on_up) as held:
        await until(lambda: "bug" in caplog.text)
        broker.visitors[0].publish(b"one", 1)
        assert await held.kept.get() == b"one"

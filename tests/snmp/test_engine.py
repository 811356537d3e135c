"""The engine on a wire in memory: retries, deadlines, budgets, strangers, and that every conversation ends once."""

from __future__ import annotations

import pytest
from fakes import MemoryWire, read_request, response, serving

from dca.errors import BadReplyError, NoAnswerError, NotAllowedError
from dca.model import Credential, Secret
from dca.snmp.ask import columns, get
from dca.snmp.budget import Budget, network_of
from dca.snmp.engine import Engine, growing_waits
from dca.snmp.oids import oid
from dca.snmp.types import Pdu, Peer, Request, Tag

NAME = oid("1.3.6.1.2.1.1.5.0")
PUBLIC = Credential("public", "2c", Secret("public"))


def engine_on(wire, **settings):
    settings.setdefault("waits", (1.0, 1.5, 2.0))
    return Engine(wire, allowed=lambda _a, _p: True, clock=wire.clock, random_id=lambda: 7, **settings)


def peer_at(address="192.0.2.1", version="2c"):
    return Peer(address, 161, PUBLIC, version)


def ask_name(peer):
    found = yield from get(peer, [NAME])
    return found.get(NAME)


def run(engine, peer, conversation):
    ended = []
    engine.submit(peer, conversation, lambda result, error: ended.append((result, error)))
    for _ in range(10_000):
        if not engine.busy:
            break
        engine.poll(10.0)
    assert len(ended) == 1
    return ended[0]


def test_an_answer_comes_back_to_its_conversation():
    wire = MemoryWire()
    wire.devices["192.0.2.1", 161] = serving({NAME: (Tag.OCTET_STRING, b"printer")})
    peer = peer_at()
    assert run(engine_on(wire), peer, ask_name(peer)) == ((NAME, Tag.OCTET_STRING, b"printer"), None)
    assert peer.requests == 1
    assert peer.first_reply == wire.now


def test_silence_is_tried_again_with_growing_waits_and_then_said():
    wire = MemoryWire()
    peer = peer_at()
    result, error = run(engine_on(wire), peer, ask_name(peer))
    assert result is None
    assert isinstance(error, NoAnswerError)
    assert [round(when - 100, 3) for when, *_ in wire.sent] == [0, 1, 2.5]
    assert wire.now == pytest.approx(104.5)
    assert len({data for *_, data in wire.sent}) == 1, "a late answer to an early try still counts"


def test_a_late_answer_to_the_first_try_counts():
    wire = MemoryWire()
    tries = []

    def slow(data):
        tries.append(data)
        return [response(tries[0], [(NAME, Tag.OCTET_STRING, b"late")])] if len(tries) == 2 else []

    wire.devices["192.0.2.1", 161] = slow
    peer = peer_at()
    assert run(engine_on(wire), peer, ask_name(peer))[0][2] == b"late"


def test_nothing_is_sent_to_an_address_that_is_not_allowed():
    wire = MemoryWire()
    engine = Engine(wire, allowed=lambda address, _p: address != "192.0.2.9", clock=wire.clock, random_id=lambda: 7)
    peer = peer_at("192.0.2.9")
    _, error = run(engine, peer, ask_name(peer))
    assert isinstance(error, NotAllowedError)
    assert wire.sent == []


def test_strangers_and_wrong_ids_are_ignored():
    wire = MemoryWire()

    def device(data):
        asked = read_request(data)[3]
        good = response(data, [(NAME, Tag.OCTET_STRING, b"true")])
        wire.inbox.append((good, ("192.0.2.66", 161)))
        return [response(data, [(NAME, Tag.OCTET_STRING, b"forged")], request_id=asked + 1), good, good]

    wire.devices["192.0.2.1", 161] = device
    peer = peer_at()
    engine = engine_on(wire)
    assert run(engine, peer, ask_name(peer))[0][2] == b"true"
    engine.poll(0)
    assert engine.ignored == 3


def test_garbage_from_the_device_does_not_end_the_conversation_but_names_it_at_the_end():
    wire = MemoryWire()
    wire.devices["192.0.2.1", 161] = lambda _data: [b"\x30\x03junk"]
    peer = peer_at()
    _, error = run(engine_on(wire), peer, ask_name(peer))
    assert isinstance(error, BadReplyError)


def test_a_bug_in_a_conversation_ends_only_that_conversation():
    wire = MemoryWire()
    wire.devices["192.0.2.1", 161] = serving({NAME: (Tag.OCTET_STRING, b"a")})
    wire.devices["192.0.2.2", 161] = serving({NAME: (Tag.OCTET_STRING, b"b")})
    engine = engine_on(wire)
    ended = {}

    def broken(_peer):
        yield Request(Pdu.GET, (NAME,))
        raise ZeroDivisionError

    for address, talk in (("192.0.2.1", broken), ("192.0.2.2", ask_name)):
        peer = peer_at(address)
        engine.submit(peer, talk(peer), lambda result, error, address=address: ended.update({address: (result, error)}))
    while engine.busy:
        engine.poll(1)
    assert isinstance(ended["192.0.2.1"][1], ZeroDivisionError)
    assert ended["192.0.2.2"][0][2] == b"b"


def test_no_more_than_in_flight_are_talked_to_at_once_and_one_at_a_time_for_a_device():
    wire = MemoryWire()
    engine = engine_on(wire, in_flight=3)
    ended = []
    peers = [peer_at(f"192.0.2.{n}") for n in (1, 1, 2, 3, 4, 5)]
    for peer in peers:
        engine.submit(peer, ask_name(peer), lambda *end: ended.append(end))
    engine.poll(0)
    assert sorted({address for _, address, *_ in wire.sent}) == ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
    assert len(wire.sent) == 3
    while engine.busy:
        engine.poll(5)
    assert len(ended) == 6


def test_probes_start_at_once_whatever_is_in_flight():
    wire = MemoryWire()
    engine = engine_on(wire, in_flight=1)
    ended = []
    for n in range(600):
        peer = peer_at(f"192.0.{n // 200}.{n % 200}")
        engine.probe(peer, ask_name(peer), lambda *end: ended.append(end), (0.5,))
    while engine.busy:
        engine.poll(5)
    assert len(wire.sent) == len(ended) == 600
    assert wire.now == pytest.approx(100.5)


def test_a_cancelled_conversation_is_closed_and_forgotten():
    wire = MemoryWire()
    engine = engine_on(wire)
    closed = []

    def talk(_peer):
        try:
            yield Request(Pdu.GET, (NAME,))
        finally:
            closed.append(True)

    peer = peer_at()

    def done(*_):
        pytest.fail("a cancelled conversation does not report")

    engine.submit(peer, talk(peer), done)
    engine.poll(0)
    engine.cancel(done)
    assert closed
    assert engine.busy == 0
    engine.poll(10)


def test_packets_keep_to_the_budget_of_the_agent_and_of_each_network():
    wire = MemoryWire()
    engine = engine_on(wire, in_flight=1000, budget=Budget(100, 20), waits=(0.1,))
    for n in range(100):
        peer = peer_at(f"192.0.{n % 2}.{n // 2}")
        engine.submit(peer, ask_name(peer), lambda *_: None)
    while engine.busy:
        engine.poll(10)
    assert len(wire.sent) == 100
    begun, took = wire.sent[0][0], wire.sent[-1][0] - wire.sent[0][0]
    assert took == pytest.approx(50 / 20, rel=0.1), "two networks of 50 at 20 a second each"
    for network in ("192.0.0", "192.0.1"):
        first_second = [t for t, address, *_ in wire.sent if network_of(address) == network and t < begun + 1]
        assert len(first_second) <= 22


def test_ipv6_networks_are_of_64_bits():
    assert network_of("2001:db8::1%eth0") == network_of("2001:db8:0:0:ffff::1") != network_of("2001:db8:0:1::1")


def test_waits_grow():
    assert growing_waits(2.0, 2) == (2.0, 3.0, 4.0)


TABLE = oid("1.3.6.1.2.1.43.11.1.1")
CELLS = {TABLE + bytes((column, 1, row)): (Tag.INTEGER, column * row) for column in (8, 9) for row in (1, 2, 5)}
COLUMNS = [TABLE + b"\x08", TABLE + b"\x09"]


@pytest.mark.parametrize("version", ["1", "2c"])
def test_columns_come_row_by_row_with_gaps(version):
    wire = MemoryWire()
    wire.devices["192.0.2.1", 161] = serving({**CELLS, oid("1.3.6.1.2.1.99.1.0"): (Tag.INTEGER, 1)})
    peer = peer_at(version=version)
    found, error = run(engine_on(wire), peer, columns(peer, COLUMNS))
    assert error is None
    assert not found.cut
    assert found.rows == {
        TABLE + bytes((column,)): [(bytes((1, row)), Tag.INTEGER, column * row) for row in (1, 2, 5)]
        for column in (8, 9)
    }


def test_a_device_without_getbulk_is_walked_with_getnext_and_that_is_remembered():
    wire = MemoryWire()
    good = serving({**CELLS, NAME: (Tag.OCTET_STRING, b"x")})
    wire.devices["192.0.2.1", 161] = lambda data: [] if read_request(data)[2] == Pdu.GETBULK else good(data)
    peer = peer_at()

    def talk():
        yield from get(peer, [NAME])
        return (yield from columns(peer, COLUMNS))

    found, error = run(engine_on(wire), peer, talk())
    assert error is None
    assert [len(rows) for rows in found.rows.values()] == [3, 3]
    assert peer.no_bulk


def test_too_big_is_asked_for_less_at_a_time():
    wire = MemoryWire()
    good = serving(CELLS)

    def small(data):
        _, _, _, _, _, repetitions, names = read_request(data)
        return [response(data, [], 1, 0)] if max(1, repetitions) * len(names) > 2 else good(data)

    wire.devices["192.0.2.1", 161] = small
    peer = peer_at()
    found, error = run(engine_on(wire), peer, columns(peer, COLUMNS))
    assert error is None
    assert [len(rows) for rows in found.rows.values()] == [3, 3]
    assert not peer.no_bulk


def test_a_walk_in_circles_ends():
    wire = MemoryWire()
    first = TABLE + b"\x08\x01\x01"
    wire.devices["192.0.2.1", 161] = lambda data: [response(data, [(first, Tag.INTEGER, 1)])]
    peer = peer_at()
    found, error = run(engine_on(wire), peer, columns(peer, COLUMNS))
    assert error is None
    assert len(found.rows[COLUMNS[0]]) == 1
    assert found.cut == set(COLUMNS)


def test_a_getbulk_that_starts_again_from_the_top_is_walked_row_by_row():
    wire = MemoryWire()
    good = serving({TABLE + bytes((8, 1, row)): (Tag.INTEGER, row) for row in range(1, 31)})

    def forgetful(data):
        if read_request(data)[2] != Pdu.GETBULK:
            return good(data)
        return [response(data, [(TABLE + bytes((8, 1, row)), Tag.INTEGER, row) for row in range(1, 11)])]

    wire.devices["192.0.2.1", 161] = forgetful
    peer = peer_at()
    found, _ = run(engine_on(wire), peer, columns(peer, COLUMNS[:1]))
    assert [value for _, _, value in found.rows[COLUMNS[0]]] == list(range(1, 31))
    assert not found.cut


def test_an_error_in_the_middle_of_a_table_is_no_end_of_it():
    wire = MemoryWire()
    good = serving({TABLE + bytes((8, 1, row)): (Tag.INTEGER, row) for row in range(1, 31)})

    def failing(data):
        names = read_request(data)[6]
        return (
            [response(data, [], 5, 1)]
            if any(len(name) > len(COLUMNS[0]) and name[-1] >= 7 for name in names)
            else good(data)
        )

    wire.devices["192.0.2.1", 161] = failing
    peer = peer_at(version="1")
    found, _ = run(engine_on(wire), peer, columns(peer, COLUMNS[:1]))
    assert len(found.rows[COLUMNS[0]]) == 7
    assert found.cut == {COLUMNS[0]}


def test_silence_in_the_middle_keeps_what_was_read_and_says_what_is_cut():
    wire = MemoryWire()
    good = serving({TABLE + bytes((8, 1, row)): (Tag.INTEGER, row) for row in range(1, 31)})
    asked = []

    def dying(data):
        asked.append(data)
        return good(data) if len(asked) < 2 else []

    wire.devices["192.0.2.1", 161] = dying
    peer = peer_at()
    found, error = run(engine_on(wire), peer, columns(peer, COLUMNS[:1]))
    assert error is None
    assert len(found.rows[COLUMNS[0]]) == 10
    assert found.cut == {COLUMNS[0]}
    assert isinstance(found.error, NoAnswerError)


def test_an_endless_table_ends_at_its_row_limit():
    wire = MemoryWire()

    def endless(data):
        names = read_request(data)[6]
        return [response(data, [(name + b"\x01", Tag.INTEGER, 1) for name in names])]

    wire.devices["192.0.2.1", 161] = endless
    peer = peer_at()
    found, _ = run(engine_on(wire), peer, columns(peer, COLUMNS, rows=20))
    assert [len(rows) for rows in found.rows.values()] == [20, 20]
    assert found.cut == set(COLUMNS)


def test_v1_leaves_out_what_is_missing_and_asks_for_the_rest():
    wire = MemoryWire()
    have = {oid(f"1.3.6.1.2.1.1.{n}.0"): (Tag.INTEGER, n) for n in (1, 3, 5)}

    def v1(data):
        names = read_request(data)[6]
        for at, name in enumerate(names, 1):
            if name not in have:
                return [response(data, [(name, Tag.NULL, None) for name in names], 2, at)]
        return [response(data, [(name, *have[name]) for name in names])]

    wire.devices["192.0.2.1", 161] = v1
    peer = peer_at(version="1")
    found, error = run(engine_on(wire), peer, get(peer, [oid(f"1.3.6.1.2.1.1.{n}.0") for n in range(1, 8)]))
    assert error is None
    assert sorted(value for _, _, value in found.values()) == [1, 3, 5]


def test_ten_thousand_devices_leave_nothing_behind():
    wire = MemoryWire()
    engine = engine_on(wire, in_flight=256)
    good = serving({NAME: (Tag.OCTET_STRING, b"x")})
    for n in range(10_000):
        address = f"192.{n // 65536}.{n // 256 % 256}.{n % 256}"
        wire.devices[address, 161] = good
        peer = peer_at(address)
        engine.submit(peer, ask_name(peer), lambda *_: None)
    while engine.busy:
        engine.poll(1)
    wire.now += 100
    engine.poll(0)
    assert not engine._talks
    assert not any(engine._deadlines.values())
    assert not engine._later

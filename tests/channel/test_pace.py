from __future__ import annotations

import pytest

from dca.channel.pace import Pace, Ways
from dca.channel.terms import Limits, Route

WSS, MQTTS = Route("wss", "h", 443, "/mqtt"), Route("mqtts", "h", 8883)


def test_two_failures_in_a_row_lead_to_the_other_route_and_round_again():
    ways = Ways((WSS, MQTTS), 2)
    taken = []
    for _ in range(6):
        taken.append(ways.current)
        ways.failed()
    assert taken == [WSS, WSS, MQTTS, MQTTS, WSS, WSS]


def test_a_success_between_two_failures_keeps_the_route():
    ways = Ways((WSS, MQTTS), 2)
    for _ in range(5):
        ways.failed()
        ways.arrived()
    assert ways.current == WSS
    assert not ways.on_fallback


def test_from_the_fallback_there_is_a_way_back():
    ways = Ways((WSS, MQTTS), 1)
    ways.failed()
    assert ways.on_fallback
    ways.back()
    assert ways.current == ways.first == WSS


def test_one_route_is_taken_again_and_again():
    ways = Ways((WSS,), 2)
    for _ in range(3):
        ways.failed()
        assert ways.current == WSS


def test_waits_grow_to_a_minute_and_are_spread():
    for drawn, wait in ((0.0, 0.5), (0.5, 0.75), (1.0, 1.0)):
        assert Pace(Limits(), lambda drawn=drawn: drawn).failed() == wait
    pace = Pace(Limits(), lambda: 1.0)
    assert [pace.failed() for _ in range(9)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    for _ in range(5000):
        assert pace.failed() == 60
    pace.arrived()
    assert pace.failed() == 1


@pytest.mark.parametrize(
    ("stays", "orderly", "taken"),
    [
        ([1, 1, 1], True, True),
        ([1, 1], True, False),
        ([1, 1, 1], False, False),
        ([1, 1, 6, 1, 1], True, False),
        ([1, 1, 400, 1, 1, 1], True, True),
    ],
)
def test_a_taken_client_id_shows_by_short_stays_that_the_broker_ends(stays, orderly, taken):
    pace = Pace(Limits(), lambda: 0.5)
    for stay in stays:
        pace.arrived()
        wait = pace.lost(stay, closed_by_broker=orderly)
    assert pace.taken == taken
    assert wait == (210 if taken else 0.75)


def test_a_failure_to_connect_speaks_against_a_taken_client_id():
    pace = Pace(Limits(), lambda: 1.0)
    for _ in range(5):
        pace.lost(1, closed_by_broker=True)
        pace.failed()
    assert not pace.taken

from __future__ import annotations

import copy

import pytest

from dca.sim import Habits, load_models
from dca.sim.counts import METERS, Counts
from dca.sim.names import ERROR_BIT
from tests.sim.asking import HOUR, Hand, column, device, get, walk

BUSY = Habits(jobs_per_hour=60)
STATUS, ERRORS, CONSOLE = "1.3.6.1.2.1.25.3.5.1.1.1", "1.3.6.1.2.1.25.3.5.1.2.1", "1.3.6.1.2.1.43.16.5.1.2.1.1"
DAY = 24 * HOUR


def later(one, hand, seconds):
    hand.seconds += seconds
    return one.advance()


def bits(octets: bytes) -> set[str]:
    return {name for name, bit in ERROR_BIT.items() if bit >> 3 < len(octets) and octets[bit >> 3] & 0x80 >> (bit & 7)}


def story(one, hand, moments):
    for moment in moments:
        hand.seconds = moment
        one.advance()
    return copy.deepcopy(one.state.counts), dict(one.state.alerts), {i: f.left for i, f in one.state.supplies.items()}


@pytest.mark.parametrize("key", ["hp-color-mfp", "sharp-color-mfp", "oki-color"])
def test_a_life_depends_on_seed_and_time_and_not_on_who_looks(key):
    habits = Habits(jobs_per_hour=40, cover=(3 * HOUR, HOUR))
    hands = [Hand(), Hand(), Hand()]
    devices = [device(key, hand, habits=habits, seed=seed) for hand, seed in zip(hands, (5, 5, 6), strict=True)]
    often = story(devices[0], hands[0], range(0, int(3 * DAY) + 1, 600))
    once = story(devices[1], hands[1], [3 * DAY])
    other = story(devices[2], hands[2], [3 * DAY])
    assert often == once
    assert other[0] != once[0]


@pytest.mark.parametrize("key", sorted(key for key, model in load_models().items() if model.printer))
def test_the_meters_agree_with_each_other_at_all_times(key):
    hand = Hand()
    one = device(key, hand, habits=BUSY)
    before = dict.fromkeys(METERS, 0)
    for _ in range(4):
        counts = later(one, hand, DAY / 2).counts
        now = {name: read(counts) for name, read in METERS.items()}
        assert now["total"] == now["total_mono"] + now["total_color"] == now["simplex"] + now["duplex"]
        assert now["total"] == now["print"] + now["copy"] + now["fax"] + now["list"]
        assert now["print"] == now["print_mono"] + now["print_color"]
        assert now["copy"] == now["copy_mono"] + now["copy_color"]
        assert now["scan"] == now["scan_copy"] + now["scan_fax"] + now["scan_send"]
        assert now["scan_copy"] >= now["copy"] > -1
        assert now["duplex"] == 2 * now["duplex_sheets"]
        assert 0 <= now["total_large"] <= now["total"]
        assert all(now[name] >= before[name] for name in METERS)
        assert now["total"] > before["total"]
        assert one.model.color or not now["total_color"]
        assert "copy" in one.model.functions or not now["copy"]
        before = now


def test_what_the_device_says_is_what_it_counted():
    hand = Hand()
    one = device("kyocera-taskalfa", hand, habits=BUSY)
    for _ in range(3):
        counts = later(one, hand, DAY).counts
        tree = walk(one, "1.3.6.1.4.1.1347.42.3.1")
        assert tree["1.3.6.1.4.1.1347.42.3.1.1.1.1.1"][1] == counts.print_mono + counts.print_color + counts.list
        assert tree["1.3.6.1.4.1.1347.42.3.1.2.1.1.2.3"][1] == counts.copy_color
        (billed, life) = get(one, "1.3.6.1.4.1.1347.43.10.1.1.12.1.1", "1.3.6.1.2.1.43.10.2.1.4.1.1")
        assert billed == counts.total
        assert life == int(counts.total * 1.0204)


def test_toner_falls_with_the_pages_and_a_cartridge_is_replaced():
    hand = Hand()
    one = device("hp-mono", hand, habits=Habits(jobs_per_hour=60, replace=(HOUR, HOUR)), left={1: 0.3})
    toner = one.state.supplies[1]
    chip, changed, levels = toner.chip, toner.changed, [0.3]
    while toner.changed == changed:
        pages = one.state.counts.total
        later(one, hand, 900)
        if toner.changed == changed:
            used, printed = levels[-1] - toner.left, one.state.counts.total - pages
            assert used == pytest.approx(printed / 10_000, rel=0.35, abs=1e-4) or toner.left == 0
            levels.append(toner.left)
    assert levels == sorted(levels, reverse=True)
    assert levels[-1] == 0
    assert toner.left > 0.95
    assert toner.chip != chip


def test_low_and_empty_toner_are_told_in_every_place():
    hand = Hand()
    one = device("hp-mono", hand, habits=Habits(jobs_per_hour=60, replace=(HOUR, HOUR)), left={1: 0.101})
    seen = {}
    while ("fresh" not in seen) or len(seen) < 3:
        later(one, hand, 300)
        level = column(one, "11.1.1", 9)["1.1"]
        codes = column(one, "18.1.1", 7)
        if 0 < level < 10 and 1104 in codes.values() and "low" not in seen:
            assert "lowToner" in bits(get(one, ERRORS)[0])
            assert "noToner" not in bits(get(one, ERRORS)[0])
            seen["low"] = True
        if level == 0 and 1101 in codes.values() and "empty" not in seen:
            assert "noToner" in bits(get(one, ERRORS)[0])
            assert get(one, STATUS, CONSOLE) == [1, b"Replace Black Cartridge HP CF289X"]
            row = next(index for index, code in codes.items() if code == 1101)
            assert column(one, "18.1.1", 2)[row] == 3
            assert column(one, "18.1.1", 4)[row] == 11
            assert column(one, "18.1.1", 5)[row] == 1
            seen["empty"] = True
        if level > 90:
            assert not {1101, 1104} & set(codes.values())
            seen["fresh"] = True
    assert set(seen) == {"low", "empty", "fresh"}


def test_trays_empty_and_are_refilled_and_alert_rows_come_and_go():
    hand = Hand()
    one = device("lexmark-mono", hand, habits=Habits(jobs_per_hour=30, refill=(HOUR, HOUR)), left={1: 1.0})
    levels, indexes, blocked = set(), [], False
    for _ in range(400):
        later(one, hand, 120)
        level = column(one, "8.2.1", 10)["1.1"]
        levels.add(level)
        rows = column(one, "18.1.1", 7)
        indexes += [int(index.split(".")[1]) for index, code in rows.items() if code in (807, 808)]
        if level == 0:
            assert "noPaper" in bits(get(one, ERRORS)[0])
            assert get(one, STATUS)[0] == 1
            assert get(one, CONSOLE)[0].decode("cp850") == "Fach\u00a01 auffüllen"
            blocked = True
        elif level > 25:
            assert 807 not in rows.values()
    assert blocked
    assert {0, 250} <= levels
    assert indexes == sorted(indexes), "an alert's index only grows"
    assert len(set(indexes)) > 3


def test_paper_never_goes_below_nothing_and_pages_wait_for_it():
    hand = Hand()
    one = device("brother-mono", hand, habits=Habits(jobs_per_hour=600, pages_per_job=40, refill=(9e9, 9e9)))
    later(one, hand, DAY)
    stands = one.state.counts.total
    assert all(paper.sheets == 0 for paper in one.state.trays.values())
    later(one, hand, DAY)
    assert one.state.counts.total == stands


def test_a_cover_is_left_open_for_a_while():
    hand = Hand()
    one = device("oki-color", hand, habits=Habits(jobs_per_hour=0, cover=(4 * HOUR, HOUR)))
    opened = []
    for _ in range(24 * 6):
        later(one, hand, 600)
        opened.append(column(one, "6.1.1", 3)["3.1"] == 3)
        errors = get(one, "1.3.6.1.2.1.25.3.5.1.2.3")[0]
        assert ("doorOpen" in bits(errors)) is opened[-1]
        assert (3 in column(one, "18.1.1", 7).values()) is opened[-1]
    spells = sum(1 for before, now in zip([False, *opened], opened, strict=False) if now and not before)
    assert 3 <= spells <= 7
    assert sum(opened) / 6 == pytest.approx(spells, abs=1.5)


def test_a_sleeping_device_is_silent_and_then_takes_its_time():
    hand = Hand()
    one = device("hp-mono", hand, habits=Habits(sleep=(3 * HOUR, 2 * HOUR), wake_delay=1.5))
    assert get(one, STATUS)
    assert one.wait == 0
    hand.seconds = 3 * HOUR + 1
    assert one.answer(b"anything") is None
    with pytest.raises(AssertionError):
        get(one, STATUS)
    hand.seconds = 5 * HOUR + 1
    assert get(one, STATUS)
    assert one.wait == pytest.approx(1.5)
    hand.seconds += 1.0
    assert get(one, STATUS)
    assert one.wait == pytest.approx(0.5)
    hand.seconds += 60
    assert get(one, STATUS)
    assert one.wait == 0


def test_console_and_status_follow_the_printing():
    hand = Hand()
    one = device(
        "kyocera-ecosys", hand, habits=Habits(jobs_per_hour=60, pages_per_job=60, refill=(1, 1)), left={1: 1.0}
    )
    pairs = set()
    for _ in range(200):
        later(one, hand, 30)
        if not one.state.alerts:
            pairs.add(tuple(get(one, STATUS, CONSOLE)))
    assert pairs == {(3, b"Ready to print."), (4, b"Processing...")}


def test_a_padded_console_keeps_its_width():
    one = device("brother-color", versions=["2c"])
    (text,) = get(one, CONSOLE)
    assert len(text) == 16
    assert text.strip() in {b"Bereit", b"Druckt..."}


def test_uptime_is_real_time_though_the_office_lives_faster():
    hand = Hand()
    one = device("hp-mono", hand, speed=300)
    (before,) = get(one, "1.3.6.1.2.1.1.3.0")
    hand.seconds += 10
    (after,) = get(one, "1.3.6.1.2.1.1.3.0")
    assert after - before == 1000


def test_an_alert_is_dated_by_its_own_time():
    hand = Hand()
    one = device("hp-mono", hand, habits=Habits(jobs_per_hour=0, cover=(HOUR, 9e9)), speed=10)
    base = one.state.uptime_base
    later(one, hand, 10 * HOUR)
    (raised,) = (a.raised for a in one.state.alerts.values() if a.code == "coverOpen")
    assert base < raised <= base + int(0.4 * HOUR / 10 * 100)


def test_counts_start_consistent():
    assert Counts(print_mono=3, copy_color=2, fax=1).total == 6

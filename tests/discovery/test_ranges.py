from __future__ import annotations

import ipaddress
import itertools
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dca.discovery.ranges import Ranges
from dca.errors import ConfigError
from dca.model import Credential, Range, Secret
from dca.net.dns import Answer

PUBLIC = Credential("public", community=Secret("public"))


def resolver_of(answers):
    """Make a resolver that knows `answers`: a list of addresses, None for no such name, a text for a failure."""

    async def resolve(name):
        found = answers[name]
        if found is None:
            return Answer(failure=f"{name}: no such name", unknown=True)
        return Answer(failure=found) if isinstance(found, str) else Answer(tuple(found))

    return resolve


def swept(ranges):
    return [target.address for target in ranges.addresses()]


# --- which addresses: against sets of ipaddress ------------------------------------------------------------

HOSTS = st.integers(0, 0x2FF).map(lambda number: ipaddress.IPv4Address(0x0A000000 + number))
HOSTS6 = st.integers(0, 0x1FF).map(lambda number: ipaddress.IPv6Address(0x20010DB8 << 96 | number))


@st.composite
def entries(draw):
    """Return (text, addresses when included, addresses when excluded)."""
    kind = draw(st.sampled_from(["single", "mapped", "cidr", "pair", "short", "single6", "cidr6", "pair6"]))
    if kind in {"single", "mapped"}:
        host = draw(HOSTS)
        return f"::ffff:{host}" if kind == "mapped" else str(host), {str(host)}, {str(host)}
    if kind == "single6":
        host = draw(HOSTS6)
        return host.exploded.upper(), {str(host)}, {str(host)}
    if kind == "cidr":
        network = ipaddress.ip_network((draw(HOSTS), draw(st.integers(22, 32))), strict=False)
        return str(network), {str(host) for host in network.hosts()}, {str(host) for host in network}
    if kind == "cidr6":
        network = ipaddress.ip_network((draw(HOSTS6), draw(st.integers(120, 128))), strict=False)
        return str(network), {str(host) for host in network}, {str(host) for host in network}
    if kind == "short":
        host = draw(HOSTS)
        last = draw(st.integers(int(host) & 0xFF, 255))
        held = {str(ipaddress.IPv4Address(int(host) & ~0xFF | number)) for number in range(int(host) & 0xFF, last + 1)}
        return f"{host}-{last}", held, held
    first, last = sorted((draw(HOSTS6 if kind == "pair6" else HOSTS), draw(HOSTS6 if kind == "pair6" else HOSTS)))
    last = min(last, first + 255)
    held = {str(first + number) for number in range(int(last) - int(first) + 1)}
    return f"{first} - {last}", held, held


@st.composite
def layouts(draw):
    """Return (ranges, what belongs to whom at which port, what may not be contacted)."""
    ranges, claims, denied = [], [], set()
    for number in range(draw(st.integers(1, 4))):
        include = draw(st.lists(entries(), min_size=1, max_size=3))
        exclude = draw(st.lists(entries(), max_size=2))
        port = draw(st.sampled_from([161, 161, 1161]))
        enabled = draw(st.integers(0, 4)) > 0
        texts = tuple(text for text, _, _ in include), tuple(text for text, _, _ in exclude)
        ranges.append(Range(f"r{number}", *texts, credentials=(PUBLIC,), port=port, enabled=enabled))
        denied |= set().union(*(held for _, _, held in exclude))
        if enabled:
            claims.append((port, f"r{number}", set().union(*(held for _, held, _ in include))))
    owners: dict[tuple[str, int], str] = {}
    for port, label, held in claims:
        for address in held - denied:
            owners.setdefault((address, port), label)
    return ranges, owners


@settings(deadline=None)
@given(layouts())
def test_the_gate_agrees_with_sets_of_addresses(layout):
    items, owners = layout
    ranges = Ranges(items)
    assert ranges.count == len(owners)
    assert {(t.address, t.port): t.range.label for t in ranges.addresses()} == owners
    assert len(list(ranges.addresses())) == len(owners)
    every = [str(ipaddress.IPv4Address(0x0A000000 + number)) for number in range(-2, 0x302)]
    every += [str(ipaddress.IPv6Address((0x20010DB8 << 96) + number)) for number in range(-1, 0x302)]
    for address, port in itertools.product(every, (161, 1161, 9100)):
        found = ranges.range_of(address, port)
        assert (found.label if found else None) == owners.get((address, port))
        assert ranges.allows(address, port) == ((address, port) in owners)


@settings(deadline=None)
@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=20, unique=True))
def test_no_address_beside_a_listed_one_is_allowed(numbers):
    texts = [str(ipaddress.IPv4Address(number)) for number in numbers]
    usable = [
        text
        for text in texts
        if not ipaddress.ip_address(text).is_multicast and not text.startswith("0.") and text != "255.255.255.255"
    ]
    ranges = Ranges([Range("list", tuple(usable))])
    for number in numbers:
        for near in (number - 1, number, number + 1, number ^ (1 << 31)):
            if 0 <= near < 2**32:
                text = str(ipaddress.IPv4Address(near))
                assert ranges.allows(text, 161) == (text in usable)


@settings(deadline=None)
@given(st.text(max_size=30), st.integers())
def test_what_is_no_address_is_not_allowed(text, port):
    ranges = Ranges([Range("all", ("10.0.0.0/16",))])
    if ranges.allows(text, port):
        assert ipaddress.ip_address(text) in ipaddress.ip_network("10.0.0.0/16")


# --- rules -------------------------------------------------------------------------------------------------


def test_an_exclude_holds_for_every_range_and_while_its_own_is_off():
    ranges = Ranges(
        [Range("a", ("10.0.0.1-9",)), Range("off", ("10.0.0.20-29",), exclude=("10.0.0.5",), enabled=False)]
    )
    assert not ranges.allows("10.0.0.5", 161)
    assert not ranges.allows("10.0.0.20", 161)
    assert [found.count for found in ranges.resolved] == [8, 0]


def test_network_and_broadcast_addresses_are_left_out_of_a_sweep_only_where_a_subnet_has_them():
    assert len(swept(Ranges([Range("24", ("10.0.0.0/24",))]))) == 254
    assert swept(Ranges([Range("31", ("10.0.0.0/31",))])) == ["10.0.0.0", "10.0.0.1"]
    assert swept(Ranges([Range("32", ("10.0.0.0/32",))])) == ["10.0.0.0"]
    assert swept(Ranges([Range("both", ("10.0.0.0/30", "10.0.0.3"))])) == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]


def test_an_excluded_subnet_is_excluded_whole():
    assert swept(Ranges([Range("a", ("10.0.0.254-10.0.1.1",), ("10.0.0.0/24",))])) == ["10.0.1.0", "10.0.1.1"]


def test_a_range_is_asked_at_its_own_port_only():
    ranges = Ranges([Range("a", ("10.0.0.1",), port=1161)])
    assert ranges.allows("10.0.0.1", 1161)
    assert not ranges.allows("10.0.0.1", 161)
    assert not ranges.allows("10.0.0.1", 9100)


def test_one_address_with_two_ports_is_two_devices_and_no_overlap():
    ranges = Ranges([Range("a", ("10.0.0.1",), port=1161), Range("b", ("10.0.0.1",), port=1162)])
    found = [ranges.range_of("10.0.0.1", port) for port in (1161, 1162, None)]
    assert [item.label for item in found if item] == ["a", "b", "a"]
    assert ranges.warnings == ()


def test_overlapping_ranges_are_told_and_the_first_wins():
    ranges = Ranges([Range("a", ("10.0.0.0/24",)), Range("b", ("10.0.0.200-10.0.1.9",))])
    found = ranges.range_of("10.0.0.200")
    assert found is not None
    assert found.label == "a"
    assert ranges.warnings == (
        'range "b" names 55 addresses (first: 10.0.0.200) that range "a", which stands before it, already has',
    )


def test_a_zone_is_part_of_an_address():
    ranges = Ranges([Range("a", ("fe80::1%eth0", "fe80::2%eth0"), ("fe80::2",))])
    assert ranges.allows("fe80::1%eth0", 161)
    assert not ranges.allows("fe80::1", 161)
    assert not ranges.allows("fe80::1%eth1", 161)
    assert not ranges.allows("fe80::2%eth0", 161)
    assert swept(ranges) == ["fe80::1%eth0"]


def test_ipv4_mapped_addresses_are_ipv4_addresses():
    ranges = Ranges([Range("a", ("10.0.0.1",))])
    assert ranges.allows("::ffff:10.0.0.1", 161)
    assert ranges.allows("::FFFF:0A00:0001", 161)
    assert not ranges.allows("::ffff:10.0.0.2", 161)
    assert not ranges.allows("::10.0.0.1", 161)


def test_no_ranges_allow_nothing():
    ranges = Ranges([])
    assert not ranges.allows("127.0.0.1", 161)
    assert (ranges.count, swept(ranges), ranges.range_of("10.0.0.1")) == (0, [], None)


def test_a_range_that_cannot_be_read_is_refused_with_all_of_its_faults():
    with pytest.raises(ConfigError) as caught:
        Ranges([Range("a", ("10.0.0.1/24", "ok")), Range("b", ("224.0.0.1",))])
    assert len(caught.value.problems) == 2


# --- the order of a sweep -----------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.lists(st.integers(1, 254), min_size=1, max_size=12))
def test_each_subnet_is_spread_evenly_over_the_sweep(sizes):
    texts = tuple(f"10.0.{number}.1-{size}" for number, size in enumerate(sizes))
    order = [address.rpartition(".")[0] for address in swept(Ranges([Range("a", texts)]))]
    assert len(order) == sum(sizes)
    for number, size in enumerate(sizes):
        places = [place for place, block in enumerate(order) if block == f"10.0.{number}"]
        share = len(order) / size
        gaps = [after - before for before, after in itertools.pairwise(places)]
        assert all(gap <= share + len(sizes) for gap in gaps)
        assert places[0] <= share + len(sizes)


def test_budgets_for_a_subnet_do_not_hold_up_the_sweep():
    """At 1000 packets/s and 200 for each /24, 16 full subnets take what the agent's budget alone allows."""
    free = dict.fromkeys(range(16), 0.0)
    now = 0.0
    for target in Ranges([Range("a", ("10.0.0.0/20",))]).addresses():
        block = int(target.address.split(".")[2])
        now = max(now + 1 / 1000, free[block])
        free[block] = now + 1 / 200
    assert now < 4094 / 1000 * 1.01


# --- names --------------------------------------------------------------------------------------------------


async def test_names_are_resolved_anew_and_their_addresses_allowed():
    ranges = Ranges([Range("a", ("printer.example", "10.0.0.1"))])
    assert swept(ranges) == ["10.0.0.1"]
    assert await ranges.resolve(resolver_of({"printer.example": ["10.9.0.1", "2001:db8::9"]})) == {}
    assert sorted(swept(ranges)) == ["10.0.0.1", "10.9.0.1", "2001:db8::9"]
    assert ranges.allows("2001:DB8:0::9", 161)
    assert await ranges.resolve(resolver_of({"printer.example": ["10.9.0.2"]})) == {}
    assert sorted(swept(ranges)) == ["10.0.0.1", "10.9.0.2"]
    assert not ranges.allows("10.9.0.1", 161)
    assert ranges.names_of(ranges.resolved[0].range) == ("printer.example",)


@pytest.mark.parametrize("failure", ["the name servers do not answer", None])
async def test_a_name_that_fails_keeps_its_addresses_for_one_more_round(failure):
    ranges = Ranges([Range("a", ("printer.example",))])
    await ranges.resolve(resolver_of({"printer.example": ["10.9.0.1"]}))
    complaints = await ranges.resolve(resolver_of({"printer.example": failure}))
    assert "kept for now" in complaints["printer.example"]
    assert swept(ranges) == ["10.9.0.1"]
    complaints = await ranges.resolve(resolver_of({"printer.example": failure}))
    assert "kept" not in complaints["printer.example"]
    assert swept(ranges) == []
    await ranges.resolve(resolver_of({"printer.example": ["10.9.0.1"]}))
    assert swept(ranges) == ["10.9.0.1"]


async def test_nothing_is_contacted_before_an_excluded_name_was_answered():
    ranges = Ranges([Range("a", ("10.0.0.1-3",)), Range("b", ("10.1.0.1",), ("press.example",))])
    assert ranges.closed
    assert swept(ranges) == []
    assert not ranges.allows("10.0.0.1", 161)
    assert ranges.warnings == ("nothing is contacted until these excluded names are resolved: press.example",)
    assert await ranges.resolve(resolver_of({"press.example": "no answer"})) == {"press.example": "no answer"}
    assert ranges.closed
    await ranges.resolve(resolver_of({"press.example": ["10.0.0.2"]}))
    assert not ranges.closed
    assert sorted(swept(ranges)) == ["10.0.0.1", "10.0.0.3", "10.1.0.1"]
    assert ranges.warnings == ()


async def test_that_there_is_no_such_excluded_name_is_an_answer():
    ranges = Ranges([Range("a", ("10.0.0.1",), ("gone.example",))])
    assert "gone.example" in await ranges.resolve(resolver_of({"gone.example": None}))
    assert swept(ranges) == ["10.0.0.1"]


async def test_an_excluded_name_keeps_its_last_addresses_for_ever():
    ranges = Ranges([Range("a", ("10.0.0.1-3",), ("press.example",))])
    await ranges.resolve(resolver_of({"press.example": ["10.0.0.2"]}))
    for failure in ("no answer", None, "no answer"):
        await ranges.resolve(resolver_of({"press.example": failure}))
        assert not ranges.allows("10.0.0.2", 161)
        assert ranges.allows("10.0.0.1", 161)


async def test_a_name_of_a_range_that_is_off_is_not_asked_for():
    ranges = Ranges([Range("off", ("printer.example",), enabled=False)])
    assert await ranges.resolve(resolver_of({})) == {}


async def test_a_hostile_answer_opens_nothing_that_may_not_be_contacted():
    ranges = Ranges([Range("a", ("printer.example",), ("10.0.0.7", "10.66.0.0/16"))])
    hostile = ["127.0.0.1", "::1", "224.0.0.1", "255.255.255.255", "0.0.0.0", "::", "ff02::1", "::ffff:127.0.0.1"]
    hostile += ["10.0.0.7", "10.66.6.6", "fe80::1", "garbage"]
    complaints = await ranges.resolve(resolver_of({"printer.example": [*hostile, "10.0.0.8"]}))
    assert swept(ranges) == ["10.0.0.8"]
    assert not any(ranges.allows(address, 161) for address in hostile)
    assert "left out" in complaints["printer.example"]


async def test_a_name_never_opens_more_than_a_few_addresses():
    ranges = Ranges([Range("a", ("printer.example",))])
    many = [f"10.0.0.{number}" for number in range(1, 255)]
    complaints = await ranges.resolve(resolver_of({"printer.example": many}))
    assert ranges.count == 16
    assert complaints == {"printer.example": "printer.example: has 254 addresses; the first 16 are taken"}


async def test_localhost_may_be_this_machine():
    ranges = Ranges([Range("a", ("localhost",), port=1161)])
    assert await ranges.resolve(resolver_of({"localhost": ["127.0.0.1"]})) == {}
    assert ranges.allows("127.0.0.1", 1161)


async def test_a_literal_loopback_range_is_the_administrators_word():
    ranges = Ranges([Range("a", ("127.0.0.0/28", "printer.example"))])
    await ranges.resolve(resolver_of({"printer.example": ["127.0.0.1"]}))
    assert ranges.allows("127.0.0.1", 161)
    assert ranges.count == 14


def test_many_addresses_stay_small():
    texts = tuple(f"10.{number >> 14 & 1}.{number >> 7 & 127}.{number % 128 * 2}" for number in range(16384))
    tracemalloc.start()
    try:
        large = Ranges([Range("a", ("10.0.0.0/16",))])
        assert tracemalloc.get_traced_memory()[0] < 200_000
        assert large.count == 65_534
        listed = Ranges([Range("a", texts)])
        assert tracemalloc.get_traced_memory()[0] < 16_000_000
        assert listed.count == 16384
    finally:
        tracemalloc.stop()

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dca.net.addresses import address_text, locate, parse_spec, why_never
from dca.net.intervals import size
from dca.net.rangespec import read_range

IPV4 = st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address)
IPV6 = st.integers(0, 2**128 - 1).map(ipaddress.IPv6Address)


def holds(text, *, whole=False):
    spec = parse_spec(text, whole=whole)
    return [address_text(number, spec.zone) for number in range(spec.interval[0], spec.interval[1] + 1)]


@settings(deadline=None)
@given(IPV4 | IPV6)
def test_an_address_is_the_same_after_the_way_there_and_back(address):
    located = locate(str(address))
    assert located is not None
    expected = getattr(address, "ipv4_mapped", None) or address
    assert ipaddress.ip_address(address_text(*located)) == expected


@settings(deadline=None)
@given(IPV4)
def test_an_ipv4_mapped_address_is_the_ipv4_address(address):
    assert locate(f"::ffff:{address}") == locate(str(address))


@settings(deadline=None)
@given(st.text(max_size=40))
def test_no_text_makes_locate_raise(text):
    located = locate(text)
    assert (located is None) or isinstance(located[0], int)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10.0.0",
        "10.0.0.256",
        "010.0.0.1",
        "0x0a000001",
        "10.0.0.1 ",
        " 10.0.0.1",
        "10.0.0.1\0",
        "10.0.0.1%eth0",
        "2001:db8::1%eth0",
        "fe80::1%",
        "fe80::1%eth0 x",
        "fe80::1%a%b",
        "[::1]",
        "printer",
        "167772161",
    ],
)
def test_what_is_no_literal_has_no_number(text):
    assert locate(text) is None


def test_a_zone_is_kept_for_link_local_addresses_only():
    located = locate("fe80::1%eth0")
    assert located is not None
    assert located[1] == "eth0"
    assert address_text(*located) == "fe80::1%eth0"


@settings(deadline=None)
@given(IPV4, st.integers(20, 32))
def test_a_cidr_holds_what_ipaddress_calls_its_hosts(address, length):
    network = ipaddress.ip_network((address, length), strict=False)
    assert holds(str(network)) == [str(host) for host in network.hosts()]
    assert holds(str(network), whole=True) == [str(host) for host in network]


@settings(deadline=None)
@given(IPV6, st.integers(116, 128))
def test_an_ipv6_cidr_is_held_whole(address, length):
    network = ipaddress.ip_network((address, length), strict=False)
    spec = parse_spec(str(network))
    assert size([spec.interval]) == network.num_addresses
    assert locate(str(network.network_address)) == (spec.interval[0], "")


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("10.0.0.1-50", "10.0.0.1", "10.0.0.50"),
        ("10.0.0.1 - 10.0.1.9", "10.0.0.1", "10.0.1.9"),
        ("10.0.0.7-7", "10.0.0.7", "10.0.0.7"),
        ("2001:db8::1-2001:db8::20", "2001:db8::1", "2001:db8::20"),
        (" 10.0.0.1 ", "10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1", "10.0.0.1"),
    ],
)
def test_pairs_and_singles(text, first, last):
    spec = parse_spec(text)
    assert (address_text(spec.interval[0]), address_text(spec.interval[1])) == (first, last)
    assert not spec.name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("printer", "printer"),
        ("Printer-1.Example.COM.", "printer-1.example.com"),
        ("10-0-0-1.example.com", "10-0-0-1.example.com"),
        ("drucker_2", "drucker_2"),
        ("büro.example", "xn--bro-hoa.example"),
    ],
)
def test_names(text, name):
    assert parse_spec(text).name == name


def test_a_zone_may_hold_a_dash():
    spec = parse_spec("fe80::1%br-lan")
    assert (address_text(spec.interval[0], spec.zone), spec.name) == ("fe80::1%br-lan", "")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("10.0.0.1/24", "meant 10.0.0.0/24?"),
        ("10.0.0.0/255.255.255.0", "write the prefix length: 10.0.0.0/24"),
        ("10.0.0.0/33", "no CIDR"),
        ("10.0.0.0/", "no CIDR"),
        ("printer/24", "no CIDR"),
        ("10.0.0.1-300", "0 to 255"),
        ("10.0.0.50-1", "ends before it begins"),
        ("10.0.0.1-printer", "ends in no address"),
        ("10.0.0.1-", "ends in no address"),
        ("2001:db8::1-20", "ends in no address"),
        ("10.0.0.1-::1", "mixes IPv4 and IPv6"),
        ("fe80::1%eth0-fe80::2%eth0", "stand one by one"),
        ("10.0.0.256", "does not end in a number"),
        ("10.1", "does not end in a number"),
        ("0x7f000001", "does not end in a number"),
        ("2130706433", "does not end in a number"),
        ("10.0.0.*", "no host name"),
        ("2001:db8::g", "no IPv6 address"),
        ("", "empty"),
        ("a" * 301, "too long"),
        ("-printer", "no host name"),
        ("pri nter", "no host name"),
        ("ü" * 80, "no host name"),
    ],
)
def test_what_cannot_be_read_says_why(text, words):
    with pytest.raises(ValueError, match=r".") as caught:
        parse_spec(text)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("include", "exclude", "words"),
    [
        (["10.0.0.0/15"], [], "holds 131,070 addresses"),
        (["10.0.0.0/16", "10.1.0.0-10.1.0.255"], [], "holds 65,790 addresses"),
        (["2001:db8::/119"], [], "too large to sweep"),
        (["2001:db8::-2001:db8::100"], [], "too large to sweep"),
        (["::ffff:0:0/96"], [], "never contacted"),
        (["fe80::1"], [], "say on which link"),
        (["224.0.0.251"], [], "multicast"),
        (["255.255.255.255"], [], "broadcast"),
        (["0.0.0.0"], [], "unspecified"),
        (["::"], [], "unspecified"),
        (["ff02::1"], [], "multicast"),
        (["223.255.255.250-224.0.0.1"], [], "multicast"),
        (["10.0.0.0/24"], ["10.0.0.1/24"], "meant 10.0.0.0/24?"),
    ],
)
def test_bounds_of_a_range(include, exclude, words):
    faults = read_range(include, exclude)[1]
    assert [words in fault.message for fault in faults] == [True]


def test_what_is_excluded_does_not_count_towards_the_bound():
    assert read_range(["10.0.0.0/15"], ["10.1.0.0/16"])[1] == []
    assert read_range(["10.0.0.0/16", "2001:db8::/120"], ["0.0.0.0/0"])[1] == []


def test_the_largest_blocks_are_within_the_bounds():
    assert read_range(["10.0.0.0/16"], [])[1] == []
    assert read_range(["2001:db8::/120", "2001:db8:1::1", "fe80::1%eth0"], [])[1] == []


def test_every_fault_of_a_range_is_found_at_once():
    faults = read_range(["10.0.0.1/24", "ok", "224.0.0.1", "10.0.0.0/8"], ["x y"])[1]
    assert [(fault.field, fault.index) for fault in faults] == [
        ("include", 0),
        ("include", 2),
        ("exclude", 0),
        ("include", None),
    ]


@settings(deadline=None)
@given(IPV4)
def test_never_covers_what_ipaddress_calls_multicast_and_unspecified(address):
    number, _ = locate(str(address)) or (0, "")
    special = address.is_multicast or address in ipaddress.ip_network("0.0.0.0/8") or int(address) == 2**32 - 1
    assert bool(why_never((number, number))) == special

"""Addresses as numbers, and the grammar of ranges: CIDR, ``a-b``, single addresses, host names.

IPv4 and IPv6 share one space of numbers: an IPv4 address is the number of its IPv4-mapped form
(RFC 4291, section 2.5.5.2), so that ``::ffff:10.0.0.1`` and ``10.0.0.1`` cannot be told apart here.
"""

from __future__ import annotations

import ipaddress
import json
import re
import socket
from dataclasses import dataclass

from dca.net.hosts import parse_host_name
from dca.net.intervals import Interval, intersect

__all__ = [
    "LARGEST_IPV6_BLOCK",
    "LARGEST_RANGE",
    "NEVER",
    "Located",
    "Spec",
    "address_text",
    "locate",
    "parse_spec",
    "why_never",
]

LARGEST_RANGE = 65_536
"""Addresses that one range may sweep."""
LARGEST_IPV6_BLOCK = 256
"""Addresses of one IPv6 entry (a /120): IPv6 is for lists, a subnet of it cannot be swept."""

_MAPPED = 0xFFFF << 32
_IPV4_LAST = _MAPPED | 0xFFFF_FFFF
_LINK_LOCAL = (0xFE80 << 112, (0xFEC0 << 112) - 1)
_ZONE = re.compile(r"[A-Za-z0-9_.~-]{1,32}", re.ASCII)
_SHORT = re.compile(r"[0-9]{1,3}", re.ASCII)

Located = tuple[int, str]
"""(number, zone): the zone is "" except for a link-local address with one (RFC 4007)."""


def _span(text: str) -> Interval:
    network = ipaddress.ip_network(text)
    base = _MAPPED if network.version == 4 else 0  # noqa: PLR2004 - the version's own number
    return base + int(network.network_address), base + int(network.broadcast_address)


_NEVER = {
    "unspecified (RFC 1122, RFC 4291)": [_span("0.0.0.0/8"), _span("::/128")],
    "multicast": [_span("224.0.0.0/4"), _span("ff00::/8")],
    "the broadcast address": [_span("255.255.255.255/32")],
}
NEVER: tuple[Interval, ...] = tuple(sorted(interval for group in _NEVER.values() for interval in group))
"""What no packet ever goes to, whatever a range says."""


def why_never(interval: Interval) -> str | None:
    """Say why (part of) an interval is never contacted; None when all of it may be."""
    for reason, intervals in _NEVER.items():
        if intersect([interval], sorted(intervals)):
            return reason
    return None


def locate(address: str) -> Located | None:
    """Return the number and zone of an address literal, None for anything else; fast, no exception leaves."""
    zone = ""
    try:
        if ":" not in address:
            return _MAPPED | int.from_bytes(socket.inet_pton(socket.AF_INET, address), "big"), ""
        if "%" in address:
            address, _, zone = address.partition("%")
            if not _ZONE.fullmatch(zone):
                return None
        number = int.from_bytes(socket.inet_pton(socket.AF_INET6, address), "big")
    except (OSError, ValueError):  # ValueError: a text that is no C string
        return None
    if zone and not _LINK_LOCAL[0] <= number <= _LINK_LOCAL[1]:
        return None
    return number, zone


def address_text(number: int, zone: str = "") -> str:
    """Return the literal of a number, in its normal form."""
    if _MAPPED <= number <= _IPV4_LAST:
        return socket.inet_ntop(socket.AF_INET, (number & 0xFFFF_FFFF).to_bytes(4, "big"))
    text = socket.inet_ntop(socket.AF_INET6, number.to_bytes(16, "big"))
    return f"{text}%{zone}" if zone else text


@dataclass(frozen=True)
class Spec:
    """One entry of a range: a host name, or an interval of addresses (empty for a name)."""

    text: str
    name: str = ""
    interval: Interval = (1, 0)
    zone: str = ""

    @property
    def lacks_zone(self) -> bool:
        """Tell whether this is link-local without saying on which link."""
        first, last = self.interval
        return not self.zone and not self.name and bool(intersect([(first, last)], [_LINK_LOCAL]))


def parse_spec(text: str, *, whole: bool = False) -> Spec:
    """Read one entry: ``10.0.0.0/24``, ``10.0.0.1-50``, ``10.0.0.1-10.0.1.9``, an address or a host name.

    Network and broadcast address of an IPv4 CIDR shorter than /31 are part of it only when it is `whole`
    (what is excluded is, what is swept is not). Raises ValueError.
    """
    entry = text.strip()
    if not entry or len(entry) > 300:  # noqa: PLR2004 - longer than any name and any pair of addresses
        raise ValueError("is empty or too long; allowed is a CIDR, a-b, an address or a host name")
    if "/" in entry:
        return Spec(entry, interval=_cidr(entry, whole=whole))
    if (single := locate(entry)) is not None:
        return Spec(entry, interval=(single[0], single[0]), zone=single[1])
    first, dash, last = (part.strip() for part in entry.partition("-"))
    if dash and (start := locate(first)) is not None:
        return Spec(entry, interval=_pair(entry, start, last))
    if ":" in entry or "%" in entry:
        raise ValueError(f"{json.dumps(entry)} is no IPv6 address (a zone is for link-local addresses only)")
    return Spec(entry, name=parse_host_name(entry))


def _cidr(entry: str, *, whole: bool) -> Interval:
    try:
        network = ipaddress.ip_network(entry, strict=False)
    except ValueError:
        raise ValueError(f"{json.dumps(entry)} is no CIDR; written as 192.0.2.0/24 or 2001:db8::/120") from None
    if not re.fullmatch(r"[^/]+/[0-9]{1,3}", entry, re.ASCII):
        raise ValueError(f"{json.dumps(entry)} has a mask; write the prefix length: {network}")
    literal = entry.partition("/")[0]
    if ipaddress.ip_address(literal) != network.network_address:
        raise ValueError(f"{json.dumps(entry)} is not where a /{network.prefixlen} begins; meant {network}?")
    if isinstance(network, ipaddress.IPv4Network):
        first, last = _MAPPED | int(network.network_address), _MAPPED | int(network.broadcast_address)
        hosts_only = network.prefixlen < 31 and not whole  # noqa: PLR2004 - a /31 has no broadcast (RFC 3021)
        return (first + 1, last - 1) if hosts_only else (first, last)
    return int(network.network_address), int(network.broadcast_address)


def _pair(entry: str, start: Located, last: str) -> Interval:
    is_ipv4 = _MAPPED <= start[0] <= _IPV4_LAST
    if is_ipv4 and _SHORT.fullmatch(last):
        if int(last) > 255:  # noqa: PLR2004 - an octet
            raise ValueError(f"{json.dumps(entry)}: {last} is no last number of an IPv4 address (0 to 255)")
        end: Located | None = ((start[0] & ~0xFF) | int(last), "")
    else:
        end = locate(last)
    if end is None:
        raise ValueError(f"{json.dumps(entry)} ends in no address; written as 192.0.2.1-50 or 192.0.2.1-192.0.3.9")
    if start[1] or end[1]:
        raise ValueError(f"{json.dumps(entry)}: addresses with a zone stand one by one")
    if is_ipv4 != (_MAPPED <= end[0] <= _IPV4_LAST):
        raise ValueError(f"{json.dumps(entry)} mixes IPv4 and IPv6")
    if end[0] < start[0]:
        raise ValueError(f"{json.dumps(entry)} ends before it begins")
    return start[0], end[0]

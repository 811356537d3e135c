"""Host names and ``host:port``, strictly: what passes here means the same to every library below."""

from __future__ import annotations

import ipaddress
import json
import re
from typing import NamedTuple

__all__ = [
    "HostPort",
    "is_loopback",
    "join_host_port",
    "parse_host",
    "parse_host_name",
    "parse_host_port",
    "parse_port",
]

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
# getaddrinfo takes "10.1", "0x7f000001" and the like for addresses; a name never ends in a number.
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_LONGEST_NAME = 253
_LARGEST_PORT = 65535


class HostPort(NamedTuple):
    """A host (name or address literal without brackets) and a port, None where none was given."""

    host: str
    port: int | None


def parse_host_name(text: str) -> str:
    """Return a host name in lower case and ASCII (RFC 1123; "_" is taken as well). Raises ValueError."""
    name = text
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError:
            raise ValueError(f"{json.dumps(text)[:80]} is no host name") from None
    name = name.lower().removesuffix(".")
    labels = name.split(".")
    if len(name) > _LONGEST_NAME or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"{json.dumps(text)[:80]} is no host name")
    if _NUMERIC.fullmatch(labels[-1]):
        raise ValueError(f"{json.dumps(text)[:80]} is no address and no host name (a name does not end in a number)")
    return name


def parse_host(text: str) -> str:
    """Return an address literal in its normal form, or a host name. Raises ValueError."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return parse_host_name(text)


def parse_host_port(text: str) -> HostPort:
    """Split ``host``, ``host:port``, ``[v6]`` or ``[v6]:port``; a bare IPv6 literal has no port. Raises ValueError."""
    if "://" in text or "/" in text or "@" in text:
        raise ValueError("holds more than a host and a port; write it without scheme, path and user")
    host, port = text, ""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or ":" not in host or (rest and not rest.startswith(":")):
            raise ValueError(f"{json.dumps(text)[:80]} is no host and port")
        port = rest[1:] if rest else ""
        if rest == ":":
            raise ValueError(f"{json.dumps(text)[:80]} has no port behind the colon")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
        if not port:
            raise ValueError(f"{json.dumps(text)[:80]} has no port behind the colon")
    return HostPort(parse_host(host), parse_port(port) if port else None)


def parse_port(text: str) -> int:
    """Return a port number from its decimal digits. Raises ValueError."""
    if not re.fullmatch(r"[0-9]{1,5}", text, re.ASCII) or not 1 <= int(text) <= _LARGEST_PORT:
        raise ValueError(f"{json.dumps(text)[:20]} is no port; allowed is 1 to {_LARGEST_PORT}")
    return int(text)


def join_host_port(host: str, port: int) -> str:
    """Write host and port as one text; an IPv6 literal gets its brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_loopback(host: str) -> bool:
    """Tell whether `host` is this machine by its very text: a loopback literal or ``localhost`` (RFC 6761)."""
    if host.lower().removesuffix(".") == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback

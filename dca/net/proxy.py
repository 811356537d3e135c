"""The HTTP proxy on the way to the hub (CONNECT, Basic authentication).

Read strictly: gRPC silently goes direct when it cannot read a proxy's address, which would be a hole in
the customer's rules and a puzzle for everyone. What is not ``http://host:port`` is refused here.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from dca.model import Secret
from dca.net.hosts import is_loopback, join_host_port, parse_host_port

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Proxy", "environment_proxy", "parse_proxy"]

_FORM = re.compile(r"http://(?:([^@/?#\s]*)@)?([^@/?#\s]+)/?", re.IGNORECASE)
_VARIABLES = ("https_proxy", "HTTPS_PROXY")
_EXCEPTIONS = ("no_proxy", "NO_PROXY")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True)
class Proxy:
    """An HTTP proxy, and what goes past it."""

    host: str
    port: int
    user: str = ""
    password: Secret | None = None
    bypass: tuple[str, ...] = ()
    """Entries of ``no_proxy``; empty unless the proxy comes from the environment."""

    def __str__(self) -> str:
        """Show where it is, without user and password."""
        return f"http://{join_host_port(self.host, self.port)}"

    def applies_to(self, host: str, port: int) -> bool:
        """Tell whether a connection to `host` and `port` goes through it; loopback never does."""
        return not is_loopback(host) and not any(_matches(entry, host, port) for entry in self.bypass)

    def grpc_url(self) -> str:
        """Return it for gRPC's option ``grpc.http_proxy``; holds the password, percent-encoded."""
        if not self.user and self.password is None:
            return str(self)
        password = self.password.reveal() if self.password else ""
        return f"http://{quote(self.user, safe='')}:{quote(password, safe='')}@{join_host_port(self.host, self.port)}"

    def authorization(self) -> Secret | None:
        """Return the value of ``Proxy-Authorization`` (RFC 7617), None when the proxy asks for none."""
        if not self.user and self.password is None:
            return None
        pair = f"{self.user}:{self.password.reveal() if self.password else ''}"
        return Secret("Basic " + base64.b64encode(pair.encode("utf-8")).decode("ascii"))


def parse_proxy(url: str) -> Proxy:
    """Read ``http://[user[:password]@]host:port``; user and password are percent-encoded there.

    No message repeats the URL, for it may hold a password. Raises ValueError.
    """
    match = _FORM.fullmatch(url)
    if match is None:
        raise ValueError("the proxy is written http://host:port (no https, no socks, no path)")
    try:
        host, port = parse_host_port(match[2])
    except ValueError:
        raise ValueError("the proxy's host and port cannot be read; written http://host:port") from None
    if port is None:
        raise ValueError("the proxy's port is missing; written http://host:port, e.g. port 3128 or 8080")
    user, password = "", None
    if match[1] is not None:
        if _BAD_ESCAPE.search(match[1]):
            raise ValueError("the proxy's user or password has a bare %; write it percent-encoded (%25)")
        name, colon, word = match[1].partition(":")
        user, password = unquote(name), Secret(unquote(word)) if colon else None
    _check_user(user)
    return Proxy(host, port, user, password)


def _check_user(user: str) -> None:
    """Refuse a user that Basic authentication cannot carry. Raises ValueError."""
    if ":" in user:
        raise ValueError("the proxy's user holds a colon, which Basic authentication cannot carry (RFC 7617)")


def environment_proxy(environ: Mapping[str, str]) -> Proxy | None:
    """Return the proxy that ``https_proxy`` names (lower case first), with ``no_proxy``; None when it names none.

    Raises ValueError.
    """
    name = next((name for name in _VARIABLES if environ.get(name, "").strip()), None)
    if name is None:
        return None
    try:
        proxy = parse_proxy(environ[name].strip())
    except ValueError as error:
        raise ValueError(f"the environment variable {name} cannot be used: {error}") from None
    listed = next((environ[variable] for variable in _EXCEPTIONS if variable in environ), "")
    bypass = tuple(entry.strip().lower() for entry in re.split(r"[,\s]+", listed) if entry.strip())
    return Proxy(proxy.host, proxy.port, proxy.user, proxy.password, bypass)


def _matches(entry: str, host: str, port: int) -> bool:
    """Tell whether one entry of no_proxy names the host: ``*``, a domain, an address or a CIDR, each with a port."""
    if entry == "*":
        return True
    host = host.lower().removesuffix(".")
    if "/" in entry:
        try:
            return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
    name, colon, digits = entry.rpartition(":")
    if colon and digits.isdecimal() and (":" not in name or name.startswith("[")):
        if int(digits) != port:
            return False
        entry = name
    entry = entry.strip("[]").removeprefix("*").removeprefix(".").removesuffix(".")
    try:
        return ipaddress.ip_address(host) == ipaddress.ip_address(entry)
    except ValueError:
        return bool(entry) and (host == entry or host.endswith("." + entry))

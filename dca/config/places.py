"""Kinds of values that say where the hub is and how to get there: hosts, the proxy, the CA file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dca.config.kinds import BadValueError, Context, FilePath, type_name
from dca.net.hosts import HostPort, parse_host, parse_host_port
from dca.net.proxy import Proxy, environment_proxy, parse_proxy
from dca.net.tls import read_ca_file

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["CaFile", "HostKind", "HostPortKind", "ProxyKind"]


@dataclass(frozen=True)
class HostPortKind:
    """A host with or without a port."""

    @property
    def allowed(self) -> str:
        """Word it."""
        return '"host" or "host:port", a name or an address ("[2001:db8::1]:443")'

    def parse(self, raw: object, context: Context) -> HostPort:  # noqa: ARG002 - the kind's common signature
        """Return host and port."""
        if not isinstance(raw, str):
            raise BadValueError(f"is {type_name(raw)}; allowed is {self.allowed}")
        try:
            return parse_host_port(raw)
        except ValueError as error:
            raise BadValueError(f"{error}; allowed is {self.allowed}") from None


@dataclass(frozen=True)
class HostKind:
    """A host without a port."""

    @property
    def allowed(self) -> str:
        """Word it."""
        return "a host name or an address"

    def parse(self, raw: object, context: Context) -> str:  # noqa: ARG002 - the kind's common signature
        """Return the host."""
        if not isinstance(raw, str):
            raise BadValueError(f"is {type_name(raw)}; allowed is {self.allowed}")
        try:
            return parse_host(raw)
        except ValueError as error:
            raise BadValueError(f"{error}; allowed is {self.allowed}") from None


@dataclass(frozen=True)
class ProxyKind:
    """The proxy's address without user and password, or the word "environment"."""

    @property
    def allowed(self) -> str:
        """Word it."""
        return '"http://host:port" or "environment"'

    def parse(self, raw: object, context: Context) -> Proxy | None:
        """Return the proxy, None when the environment names none; no message repeats the text."""
        if not isinstance(raw, str):
            raise BadValueError(f"is {type_name(raw)}; allowed is {self.allowed}")
        try:
            if raw == "environment":
                return environment_proxy(context.environ)
            proxy = parse_proxy(raw)
        except ValueError as error:
            raise BadValueError(f"{error}; allowed is {self.allowed}") from None
        if proxy.user or proxy.password is not None:
            raise BadValueError("holds a user or password; write them as proxy_user and proxy_password")
        return proxy


@dataclass(frozen=True)
class CaFile:
    """A PEM file of certificates, looked into at once: found out later, it would be a hub out of reach."""

    @property
    def allowed(self) -> str:
        """Word it."""
        return "a PEM file of certificates; a relative path starts at the folder of this file"

    def parse(self, raw: object, context: Context) -> Path:
        """Return the absolute path of a file that can be used."""
        path = FilePath().parse(raw, context)
        try:
            if context.follow:
                read_ca_file(path)
        except ValueError as error:
            raise BadValueError(str(error)) from None
        return path

"""The tables of the file as they are written, where they differ from what becomes of them."""

# ruff: noqa: RUF009 - key() and required() return dataclasses.field()

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dca.config.channel import ChannelConfig
from dca.config.kinds import Choice, FilePath, Flag, ListOf, Text, Whole
from dca.config.places import CaFile, HostKind, HostPortKind, ProxyKind
from dca.config.policy import PolicyConfig, PolicyRule
from dca.config.secrets import SecretKind
from dca.config.settings import LimitsConfig, LogConfig, ScheduleConfig
from dca.config.table import key, required
from dca.model import AuthProtocol, PrivProtocol, Secret

if TYPE_CHECKING:
    from pathlib import Path

    from dca.net.hosts import HostPort
    from dca.net.proxy import Proxy

__all__ = [
    "ARRAYS",
    "TABLES",
    "AgentKeys",
    "CredentialKeys",
    "EndpointKeys",
    "HubKeys",
    "RangeKeys",
]

_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
_PASSWORD = SecretKind(least=8, rule="RFC 3414")


@dataclass(frozen=True)
class HubKeys:
    """Where the hub is. ``dca run`` needs this table; ``dca scan`` and ``dca read`` do without."""

    address: HostPort = required(
        HostPortKind(),
        sample='"hub.example.com"',
        why="The one address that the four endpoints follow from; a port in it stands for 443 in all of them.",
    )
    activation_code: Secret | None = key(
        SecretKind(),
        otherwise="none",
        sample='"file:/etc/dca/activation-code"',
        why="Used once, at the first start of an agent without an identity; `dca activate` does it by hand.",
    )
    ca_file: Path | None = key(
        CaFile(),
        otherwise="none",
        sample='"/etc/dca/hub-ca.pem"',
        why="PEM certificates trusted besides the system's: the hub's own CA, or that of a TLS-inspecting firewall.",
    )
    plaintext_on_loopback: bool = key(
        Flag(), default=False, why="gRPC without TLS, for a hub on this very machine; refused for any other address."
    )
    proxy: Proxy | None = key(
        ProxyKind(),
        otherwise="direct",
        sample='"http://proxy.example.com:3128"',
        why='The HTTP proxy on the way to the hub (CONNECT); "environment" goes by https_proxy and no_proxy.',
    )
    proxy_user: str | None = key(
        Text(255, form="[^:]+", words="no colon (RFC 7617)"),
        otherwise="none",
        sample='"dca"',
        why="For a proxy that asks (Basic authentication).",
    )
    proxy_password: Secret | None = key(
        SecretKind(), otherwise="none", sample='"file:/etc/dca/proxy-password"', why="Goes with proxy_user."
    )


@dataclass(frozen=True)
class EndpointKeys:
    """One endpoint on a host or port of its own."""

    host: str | None = key(HostKind(), otherwise="that of hub.address", sample='"hub.example.com"', why="Its host.")
    port: int | None = key(
        Whole(1, 65_535), otherwise="that of hub.address, else the endpoint's own", sample="443", why="Its port."
    )


@dataclass(frozen=True)
class AgentKeys:
    """The agent itself."""

    state_dir: Path | None = key(
        FilePath(),
        otherwise="$STATE_DIRECTORY, else /var/lib/dca (root), ~/.local/state/dca (others) or %ProgramData%\\dca",
        sample='"/var/lib/dca"',
        why="Holds the outbox and the known devices; local disk, for SQLite does not stand network drives.",
    )
    name: str | None = key(
        Text(64), otherwise="the host name", sample='"reception-pc"', why="What the hub's pages call this agent."
    )


@dataclass(frozen=True)
class CredentialKeys:
    """How to speak to devices: a community, or an SNMPv3 user. One table for each; a range names them."""

    name: str = required(
        Text(64, form=_NAME, words='of letters, digits, "_", "." and "-"'),
        sample='"office"',
        why="What ranges call it, and snapshots report; unique.",
    )
    version: Any = key(
        Choice({"1": "1", "2c": "2c", "3": "3"}),
        otherwise="2c, then 1",
        sample='"3"',
        why="The SNMP version; a community without one is tried with 2c first, then 1.",
    )
    community: Secret | None = key(
        SecretKind(public=True, most=255),
        otherwise="needed for version 1 and 2c",
        sample='"env:DCA_COMMUNITY"',
        why='For version 1 and 2c. The only secret that may stand in the file itself is "public".',
    )
    user: str | None = key(
        Text(32), otherwise="needed for version 3", sample='"monitor"', why="SNMPv3 user name (RFC 3414: 1 to 32)."
    )
    auth: AuthProtocol | None = key(
        Choice({str(protocol): protocol for protocol in AuthProtocol}),
        otherwise="found out, if auth_password is given",
        sample='"sha256"',
        why="How v3 authenticates.",
    )
    auth_password: Secret | None = key(
        _PASSWORD,
        otherwise="no authentication",
        sample='"credential:snmp-auth"',
        why="The v3 authentication password.",
    )
    priv: PrivProtocol | None = key(
        Choice({str(protocol): protocol for protocol in PrivProtocol}),
        otherwise="found out, if priv_password is given",
        sample='"aes128"',
        why="How v3 encrypts; aes192-c and aes256-c are the key extension of Cisco and others.",
    )
    priv_password: Secret | None = key(
        _PASSWORD,
        otherwise="no privacy",
        sample='"file:/etc/dca/snmp-priv"',
        why="The v3 privacy password; needs auth_password.",
    )
    context: str = key(Text(255, least=0), default="", sample='""', why="SNMPv3 context, for devices that ask for one.")


_ENTRY = Text(300, named="a CIDR, a-b, an address or a host name")


@dataclass(frozen=True, kw_only=True)
class RangeKeys:
    """Addresses that the agent may contact. Nothing outside the ranges is ever sent a packet."""

    label: str = required(Text(100), sample='"Head office"', why="What snapshots and pages call it; unique.")
    include: tuple[str, ...] = required(
        ListOf(_ENTRY, most=65_536, least=1),
        sample='["192.168.10.0/24", "192.168.20.5-60", "printer.example.com"]',
        why="What it holds: up to 65536 addresses, IPv6 in blocks of up to a /120.",
    )
    exclude: tuple[str, ...] = key(
        ListOf(_ENTRY, most=65_536),
        default=(),
        sample='["192.168.10.1"]',
        why="What no range holds, this one or another; holds also while enabled is false.",
    )
    credentials: tuple[str, ...] = required(
        ListOf(Text(64, named="the name of a credential"), most=16, least=1),
        sample='["office"]',
        why="Names of credentials in the order to try; no other is tried, for a wrong one raises alarms.",
    )
    port: int = key(Whole(1, 65_535), default=161, why="UDP port that SNMP is asked at.")
    enabled: bool = key(Flag(), default=True, why="false leaves the range alone without removing it.")


TABLES: dict[str, type[Any]] = {
    "hub": HubKeys,
    "hub.grpc": EndpointKeys,
    "hub.mqtt": EndpointKeys,
    "hub.ssh": EndpointKeys,
    "hub.downloads": EndpointKeys,
    "channel": ChannelConfig,
    "agent": AgentKeys,
    "schedule": ScheduleConfig,
    "limits": LimitsConfig,
    "log": LogConfig,
    "policy": PolicyConfig,
}
"""Every table by its dotted name, in the order of the example."""
ARRAYS: dict[str, type[Any]] = {"credential": CredentialKeys, "range": RangeKeys, "policy.rule": PolicyRule}
"""The arrays of tables."""

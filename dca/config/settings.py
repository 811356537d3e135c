"""The config as the rest of dca sees it: frozen, typed, complete."""

# ruff: noqa: RUF009 - key() and required() return dataclasses.field()

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from dca.config.channel import ChannelConfig
from dca.config.durations import Duration
from dca.config.kinds import Choice, FilePath, Whole
from dca.config.policy import PolicyConfig
from dca.config.quiet import QuietHours, QuietHoursKind
from dca.config.table import key
from dca.errors import ConfigError, ConfigProblem
from dca.net.hosts import is_loopback, join_host_port

if TYPE_CHECKING:
    from pathlib import Path

    from dca.model import Credential, Range, Secret
    from dca.net.proxy import Proxy

__all__ = [
    "AgentConfig",
    "Config",
    "Endpoint",
    "HubConfig",
    "LimitsConfig",
    "LogConfig",
    "ScheduleConfig",
]

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0


@dataclass(frozen=True)
class Endpoint:
    """One end of the hub: a host (name or address literal without brackets) and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        """Write it as ``host:port``."""
        return join_host_port(self.host, self.port)


@dataclass(frozen=True)
class HubConfig:
    """Where the hub is and how it is reached."""

    MQTT_PATH: ClassVar[str] = "/mqtt"

    grpc: Endpoint
    mqtt: Endpoint
    """MQTT over WebSocket and TLS, at `MQTT_PATH`."""
    ssh: Endpoint
    ssh_fallback: Endpoint
    downloads: Endpoint
    activation_code: Secret | None = None
    ca_file: Path | None = None
    plaintext_on_loopback: bool = False
    proxy: Proxy | None = None
    """As configured; whether a connection goes through it says `proxy_for`."""

    @property
    def grpc_plaintext(self) -> bool:
        """Tell whether gRPC goes without TLS: asked for, and the host is this machine."""
        return self.plaintext_on_loopback and is_loopback(self.grpc.host)

    def proxy_for(self, endpoint: Endpoint) -> Proxy | None:
        """Return the proxy that a connection to `endpoint` goes through; None means directly."""
        return self.proxy if self.proxy and self.proxy.applies_to(endpoint.host, endpoint.port) else None


@dataclass(frozen=True)
class AgentConfig:
    """The agent itself."""

    state_dir: Path
    name: str = ""


def _every(least: float, most: float, default: float, why: str) -> Any:
    return key(Duration(least, most), default=default, unit="duration", why=why)


@dataclass(frozen=True)
class ScheduleConfig:
    """How often each thing is done; in seconds, once it is read."""

    discovery: float = _every(
        30,
        30 * _DAY,
        6 * _HOUR,
        "Looking for new devices: a sweep of all ranges, the most traffic of all. Names are resolved anew.",
    )
    full: float = _every(
        10,
        7 * _DAY,
        4 * _HOUR,
        "Reading everything of every device; what only this one brings (identity, trays) changes slowly.",
    )
    supplies: float = _every(
        10, _DAY, _HOUR, "Reading supplies and meters: toner is shipped by these, in days, so an hour is enough."
    )
    status: float = _every(5, _DAY, 5 * _MINUTE, "Reading status and alerts: two small requests to each known device.")
    delivery: float = _every(1, _DAY, 5 * _MINUTE, "Handing over to the hub what was read.")
    quiet_hours: QuietHours = key(
        QuietHoursKind(),
        default=QuietHours(),
        sample='["mon-fri 20:00-06:00", "sat,sun 00:00-24:00"]',
        why="When no device is contacted, so that none is woken from its sleep; delivery goes on.",
    )


@dataclass(frozen=True)
class LimitsConfig:
    """What the agent may use of the network, the devices and the disk."""

    packets_per_second: int = key(
        Whole(1, 100_000),
        default=1000,
        unit="packets/s",
        why="SNMP packets sent by the whole agent. 1000 small ones are about 1 Mbit/s.",
    )
    packets_per_second_per_24: int = key(
        Whole(1, 100_000),
        default=200,
        unit="packets/s",
        why="The same for each /24 (IPv6: each /120), so that one branch's slow line carries its share only.",
    )
    devices_in_flight: int = key(
        Whole(1, 4096), default=64, unit="devices", why="Devices read at the same time; memory grows with it."
    )
    timeout: float = key(
        Duration(0.1, 60),
        default=1.0,
        unit="duration",
        why="Wait for the first answer; each retry waits longer. Raise it for satellite lines.",
    )
    retries: int = key(Whole(0, 10), default=2, unit="packets", why="Sent again after the first one was not answered.")
    outbox_mb: int = key(
        Whole(1, 65_536),
        default=256,
        unit="MiB",
        why="Disk that readings may take while the hub is away; when it is full, the oldest status readings go first.",
    )


@dataclass(frozen=True)
class LogConfig:
    """What the agent writes about itself; never a secret, never a serial number."""

    level: str = key(
        Choice({word: word for word in ("debug", "info", "warning", "error")}),
        default="info",
        why="The least important lines that are still written; info is one line for each change of state.",
    )
    format: str = key(
        Choice({word: word for word in ("text", "json")}),
        default="text",
        why="text for people and journald, json (one object a line) for a log collector.",
    )
    file: Path | None = key(
        FilePath(), otherwise="standard error", sample='"/var/log/dca/dca.log"', why="Where lines go instead."
    )


@dataclass(frozen=True)
class Config:
    """A whole config file."""

    agent: AgentConfig
    hub: HubConfig | None = None
    """None: there is no hub section; reading works, ``dca run`` does not."""
    channel: ChannelConfig = field(default_factory=ChannelConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    limits: LimitsConfig = field(default_factory=LimitsConfig)
    log: LogConfig = field(default_factory=LogConfig)
    credentials: dict[str, Credential] = field(default_factory=dict)
    """By name, in the order of the file."""
    ranges: tuple[Range, ...] = ()
    policy: PolicyConfig = field(default_factory=PolicyConfig)
    path: str = ""
    """The file it was read from."""

    def require_hub(self) -> HubConfig:
        """Return the hub section. Raises ConfigError when there is none."""
        if self.hub is None:
            message = 'is missing; the agent needs to know where its hub is: [hub] address = "hub.example.com"'
            raise ConfigError(self.path or "the config", [ConfigProblem("hub", message)])
        return self.hub

"""What a hub is told at its start: where it listens, where its data is, which engines it uses."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dca.errors import HubError

if TYPE_CHECKING:
    from pathlib import Path

    from dca.model import Secret

__all__ = ["Address", "HubSettings"]


LAST_PORT = 0xFFFF
HTTPS, MQTTS = 443, 8883
MOST_DAYS = 397


@dataclass(frozen=True)
class Address:
    """A host and a TCP port to listen on; port 0 lets the system choose one."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read ``HOST:PORT`` (an IPv6 literal in brackets).

        Raises: HubError when it is neither.
        """
        host, colon, port = text.rpartition(":")
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        elif ":" in host:
            raise HubError(f"{text!r} is no address: write an IPv6 address in brackets, e.g. [::1]:4443")
        if not colon or not host or not (port.isascii() and port.isdigit()) or int(port) > LAST_PORT:
            raise HubError(f"{text!r} is no address: write HOST:PORT, e.g. 127.0.0.1:4443")
        return cls(host, int(port))

    @property
    def is_loopback(self) -> bool:
        """Tell whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class HubSettings:
    """Everything `dca hub run` was told; checked for contradictions when made."""

    data: Path
    grpc: Address = Address("127.0.0.1", 4443)
    web: Address = Address("127.0.0.1", 4480)
    database_url: Secret | None = None
    """None means the embedded PostgreSQL in ``data/postgres``."""
    nats_url: Secret | None = None
    """None means the embedded NATS server in ``data/nats``."""
    nats_account_seed: Secret | None = None
    """Signs tokens for a given NATS whose MQTT agents are to use."""
    nats_mqtt: Address | None = None
    nats_websocket: Address | None = None
    """Where that NATS takes MQTT from the hub's door, without TLS."""
    certificate: Path | None = None
    key: Path | None = None
    """A given server certificate (PEM, with its chain) and key; None means the hub's own CA."""
    mqtt: Address | None = None
    """For MQTT over TLS; None takes port 8883 beside 443, else a free one."""
    certificate_days: float = 90.0
    """Life of an agent's certificate."""
    ready_file: Path | None = None
    names: tuple[str, ...] = ()
    """More host names for the server certificate."""

    def __post_init__(self) -> None:
        if not self.web.is_loopback:
            raise HubError(
                f"--web {self.web}: the page has no sign-in yet, so it is shown on this machine only. "
                "Use a loopback address (127.0.0.1) and reach it through SSH: ssh -L 4480:127.0.0.1:4480 HUB"
            )
        if (self.certificate is None) != (self.key is None):
            raise HubError("--cert and --key belong together: give both or neither")
        given = (self.nats_account_seed, self.nats_mqtt, self.nats_websocket)
        if any(given) and (self.nats_url is None or None in given):
            raise HubError(
                "--nats-mqtt, --nats-websocket and DCA_NATS_ACCOUNT_SEED belong together, and to --nats-url: they let "
                "agents' MQTT through the hub's door to that NATS"
            )
        if not 0 < self.certificate_days <= MOST_DAYS:
            raise HubError(f"--certificate-days {self.certificate_days:g}: a certificate lasts up to {MOST_DAYS} days")

    @property
    def mqtt_address(self) -> Address:
        """Where MQTT over TLS listens."""
        if self.mqtt is not None:
            return self.mqtt
        return Address(self.grpc.host, MQTTS if self.grpc.port == HTTPS else 0)

"""What the channel is told: the ways to the broker, who logs in, which topics, and how patient it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from dca.contract.tasks import MAX_TASK
from dca.net.hosts import join_host_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from dca.model import Secret
    from dca.net.proxy import Proxy

__all__ = ["Limits", "Login", "Route", "RouteName", "State", "Topics"]

RouteName: TypeAlias = Literal["wss", "mqtts"]
State: TypeAlias = Literal["wss", "mqtts", "down"]


@dataclass(frozen=True)
class Route:
    """One way to the broker, always with TLS; with a path it is a WebSocket."""

    name: RouteName
    host: str
    port: int
    path: str | None = None
    proxy: Proxy | None = None
    """What it goes through; None: direct, whatever the environment says."""

    def __str__(self) -> str:
        """Write it as a URL, with the proxy behind it."""
        through = f" through {self.proxy}" if self.proxy else ""
        return f"{self.name}://{join_host_port(self.host, self.port)}{self.path or ''}{through}"


@dataclass(frozen=True)
class Login:
    """Who logs in. The broker keeps a session for `client_id`, so it is the same every time."""

    client_id: str
    username: str = ""
    password: Secret | Callable[[], Secret] | None = field(default=None, repr=False)
    """A callable is asked anew for each connection."""
    lifetime: float | None = None
    """Seconds after which the connection is made anew, with a new password."""

    def secret(self) -> Secret | None:
        """Return the password for one connection."""
        return self.password() if callable(self.password) else self.password


@dataclass(frozen=True)
class Topics:
    """What is subscribed to, and where the broker tells of the agent's coming and going."""

    tasks: str
    status: str | None = None


@dataclass(frozen=True)
class Limits:
    """How patient the channel is; seconds, but for `largest`, `switch_after` and `taken_after`."""

    connect: float = 10.0
    """From the first packet to the confirmed subscription."""
    largest: int = MAX_TASK + 4096
    """Bytes of a message; larger ones are dropped."""
    first_wait: float = 1.0
    """After the first failure; doubled by each further one."""
    longest_wait: float = 60.0
    refused_wait: float = 60.0
    """After a refused login, which no hurry cures; doubled as well."""
    longest_refused_wait: float = 900.0
    switch_after: int = 2
    """Failures in a row after which the other route is taken."""
    probe_every: float = 300.0
    """While on the fallback: between two looks at whether the first route answers again."""
    again_after: float = 60.0
    """After a message that could not be kept: the connection is made anew, for the broker sends it again then."""
    short_stay: float = 5.0
    """A connection that the broker closes sooner has been taken by somebody else, perhaps."""
    taken_after: int = 3
    """So many of them in a row, and it is taken for certain."""
    taken_wait: tuple[float, float] = (120.0, 300.0)

"""Who is behind a connection from the front to gRPC: known by its port on loopback, in this process alone.

A connection that the front did not make has no entry here, so nobody on this machine can pass for an agent by
connecting to the inner port.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from uuid import UUID

__all__ = ["Caller", "Callers"]


class Caller(NamedTuple):
    """The far end of a connection."""

    source: str
    """Its address, without a port."""
    agent_id: UUID | None = None
    """By its certificate, which the hub's CA has issued; None when it showed none."""
    serial: str = ""
    """Of that certificate, hex."""

    @property
    def is_stranger(self) -> bool:
        """Tell whether it showed no certificate of this hub."""
        return self.agent_id is None


class Callers:
    """The connections that the front holds to the inner gRPC port."""

    def __init__(self) -> None:
        self._by_port: dict[int, Caller] = {}

    def add(self, port: int, caller: Caller) -> None:
        """Remember who is behind a local port; before anything is sent from it."""
        self._by_port[port] = caller

    def remove(self, port: int) -> None:
        """Forget a port; before its socket is closed."""
        self._by_port.pop(port, None)

    def of(self, peer: str) -> Caller | None:
        """Return who a gRPC peer (``ipv4:127.0.0.1:40000``) is, None when the front did not bring it."""
        host, _, port = peer.rpartition(":")
        if host != "ipv4:127.0.0.1" or not port.isdigit():
            return None
        return self._by_port.get(int(port))

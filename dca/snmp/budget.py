"""How many packets may leave: per agent and per network, by virtual scheduling (GCRA, ITU-T I.371).

A packet reserves its moment: `reserve` says when it may go, and no one has to ask again.
"""

from __future__ import annotations

from ipaddress import IPv6Address

__all__ = ["Budget", "network_of"]

_BURST = 0.02
"""Seconds' worth of packets that may leave at once after a pause."""
_FORGET = 4096
"""Networks kept before the quiet ones are dropped."""


def network_of(address: str) -> str:
    """Return the name of the /24 (IPv4) or /64 (IPv6) that the address is in."""
    if ":" not in address:
        return address[: address.rfind(".")]
    return IPv6Address(address.partition("%")[0]).exploded[:19]


class Budget:
    """Packets per second for the agent as a whole and for each /24 (IPv6: /64); 0 means no limit."""

    __slots__ = ("_agent", "_networks", "_per_network", "_step", "_step_network", "limited")

    def __init__(self, packets_per_second: float, packets_per_second_per_network: float) -> None:
        self._step = 1 / packets_per_second if packets_per_second else 0.0
        self._step_network = 1 / packets_per_second_per_network if packets_per_second_per_network else 0.0
        self.limited = bool(self._step or self._step_network)
        """Whether there is any limit."""
        self._agent = 0.0
        self._networks: dict[str, float] = {}

    def reserve(self, network: str, now: float) -> float:
        """Reserve one packet to `network` and return when it may leave (`now` or later, monotonic seconds)."""
        moment = now
        if self._step:
            theirs = self._agent
            if theirs - _BURST > now:
                moment = theirs - _BURST
            self._agent = (max(now, theirs)) + self._step
        if self._step_network:
            theirs = self._networks.get(network, 0.0)
            moment = max(moment, theirs - _BURST)
            self._networks[network] = (max(now, theirs)) + self._step_network
            if len(self._networks) > _FORGET:
                self._networks = {name: until for name, until in self._networks.items() if until > now}
        return moment

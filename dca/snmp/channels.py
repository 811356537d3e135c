"""Which channel speaks to which device; v3 channels are kept, for they know the engine and its time."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Protocol

from dca.snmp.community import CommunityChannel
from dca.snmp.usm_channel import UsmChannel

if TYPE_CHECKING:
    from collections.abc import Callable

    from dca.snmp.types import Peer, Reply, Request

__all__ = ["Channel", "Channels"]

_KEPT = 20_000
"""v3 engines remembered; the one unused for longest goes first."""


class Channel(Protocol):
    """Turns requests into datagrams and datagrams into replies; no I/O."""

    engine_id: bytes

    def encode(self, request: Request, request_id: int) -> bytes:
        """Return the datagram to send."""

    def decode(self, data: bytes, request: Request, request_id: int) -> Reply | bytes | None:
        """Return the reply, octets to send instead, or None (it answers something else)."""


class Channels:
    """Gives each peer its channel."""

    def __init__(self, clock: Callable[[], float], random: Callable[[], int]) -> None:
        self._clock = clock
        self._salt = random()
        self._communities: dict[tuple[str, str], CommunityChannel] = {}
        self._users: OrderedDict[tuple[object, ...], UsmChannel] = OrderedDict()

    def of(self, peer: Peer) -> Channel:
        """Return the channel for the peer's version, credential and protocols."""
        if peer.version != "3":
            community = peer.credential.community
            key = (peer.version, community.reveal() if community else "")
            channel = self._communities.get(key)
            if channel is None:
                channel = self._communities[key] = CommunityChannel(*key)
            return channel
        name = (peer.address, peer.port, peer.credential, peer.auth, peer.priv)
        user = self._users.get(name)
        if user is None:
            user = self._users[name] = UsmChannel(peer, self._clock, self._next_salt)
            if len(self._users) > _KEPT:
                self._users.popitem(last=False)
        else:
            self._users.move_to_end(name)
        return user

    def _next_salt(self) -> int:
        self._salt += 1
        return self._salt

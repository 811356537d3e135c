"""The stored stream: every stored row, once, in NATS JetStream (stream DCA_STORED)."""

from __future__ import annotations

from dca.hub.stream.link import Link
from dca.hub.stream.live import Change, Live
from dca.hub.stream.publisher import Publisher

__all__ = ["Change", "Link", "Live", "Publisher"]

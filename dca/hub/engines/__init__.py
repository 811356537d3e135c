"""The programs that the hub runs by itself when it is not given servers: PostgreSQL and NATS."""

from __future__ import annotations

from dca.hub.engines.nats import EmbeddedNats
from dca.hub.engines.postgres import EmbeddedPostgres

__all__ = ["EmbeddedNats", "EmbeddedPostgres"]

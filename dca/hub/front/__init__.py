"""The hub's door: one TLS listener for gRPC and MQTT over WebSocket, one for MQTT; it knows who comes."""

from __future__ import annotations

from dca.hub.front.callers import Caller, Callers
from dca.hub.front.front import Front, Inner
from dca.hub.front.inner import InnerServer
from dca.hub.front.revocations import Revocations, ShutOut
from dca.hub.front.trust import Trust

__all__ = ["Caller", "Callers", "Front", "Inner", "InnerServer", "Revocations", "ShutOut", "Trust"]

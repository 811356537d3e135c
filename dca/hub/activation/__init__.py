"""How agents become known: codes, certificates, renewal, revocation."""

from __future__ import annotations

from dca.hub.activation.service import Activation, Office

__all__ = ["Activation", "Office"]

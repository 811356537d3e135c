"""The hub's pages: server-rendered, readable without scripts, kept up to date by server-sent events."""

from __future__ import annotations

from dca.hub.web.app import Install, make_app
from dca.hub.web.server import WebServer

__all__ = ["Install", "WebServer", "make_app"]

"""Addresses as they are typed: what looks like one with a port is told apart before anything is asked."""

from __future__ import annotations

import re

import typer

__all__ = ["check_entries"]

_IN_BRACKETS = re.compile(r"\[([^\]]*)\](?::(\d+))?")
_WITH_PORT = re.compile(r"([^:/]+):(\d+)")


def check_entries(texts: list[str], argument: str) -> None:
    """Refuse brackets and ports, and say where the port goes. Raises typer.BadParameter naming `argument`."""
    for text in texts:
        match = _IN_BRACKETS.fullmatch(text) or _WITH_PORT.fullmatch(text)
        if match is None:
            continue
        host, port = match.groups()
        meant = f"{host} --port {port}" if port else host
        what = "an address stands alone" if port else "an IPv6 address stands without brackets"
        raise typer.BadParameter(f"{text!r}: {what}, a port goes into --port; write {meant}", param_hint=argument)

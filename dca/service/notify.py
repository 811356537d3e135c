"""Speak to the service manager: sd_notify(3) and its watchdog, in plain stdlib.

Outside systemd (no ``NOTIFY_SOCKET``) every call does nothing, so the agent never asks where it runs.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

__all__ = ["Heartbeats", "Notifier", "feed_watchdog"]

log = logging.getLogger(__name__)

WAIT = 0.5
"""Seconds for a manager whose queue is full: a lost READY would have it start the service again."""


class Notifier:
    """Send the states of sd_notify(3) to the socket that the service manager named.

    `address` is a path, or ``@name`` for the abstract namespace; None says nothing to anybody.
    `watchdog` is the time within which the manager wants to hear `alive`, seconds; 0 when it does not.
    """

    def __init__(self, address: str | None, *, watchdog: float = 0.0) -> None:
        self._address = address
        self.watchdog = watchdog if address else 0.0

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None, pid: int | None = None) -> Notifier:
        """Read ``NOTIFY_SOCKET``, ``WATCHDOG_USEC`` and ``WATCHDOG_PID`` (sd_watchdog_enabled(3))."""
        environ = os.environ if environ is None else environ
        usec = environ.get("WATCHDOG_USEC", "")
        meant_for = environ.get("WATCHDOG_PID", "")
        ours = not meant_for or meant_for == str(os.getpid() if pid is None else pid)
        watchdog = int(usec) / 1_000_000 if usec.isascii() and usec.isdigit() and ours else 0.0
        return cls(environ.get("NOTIFY_SOCKET") or None, watchdog=watchdog)

    def ready(self, status: str = "") -> None:
        """Say that the service has started, or has finished reloading."""
        self._send("READY=1", *([_status(status)] if status else []))

    def status(self, text: str) -> None:
        """Say in one line what the service does (shown by ``systemctl status``)."""
        self._send(_status(text), wait=0.0)

    def reloading(self) -> None:
        """Say that the configuration is being read again; `ready` ends it."""
        # MONOTONIC_USEC lets the manager match it to its own signal (Type=notify-reload).
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """Say that the service has begun to stop."""
        self._send("STOPPING=1")

    def alive(self) -> None:
        """Feed the watchdog."""
        self._send("WATCHDOG=1", wait=0.0)

    def _send(self, *lines: str, wait: float = WAIT) -> None:
        if self._address is None:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as link:
                link.settimeout(wait)
                link.sendto("\n".join(lines).encode(), address)
        except OSError as error:
            # The manager is away or slow: nothing that the agent does depends on it.
            log.debug("the service manager did not take %s: %s", lines[0], error)


def _status(text: str) -> str:
    return "STATUS=" + " ".join(text.split())


@dataclass
class _Beat:
    within: float
    last: float


class Heartbeats:
    """The parts that must tick for the service to count as alive."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._beats: dict[str, _Beat] = {}

    def register(self, name: str, within: float) -> None:
        """Expect `name` to tick at least every `within` seconds, from now on; again: change it."""
        self._beats[name] = _Beat(within, self._clock())

    def tick(self, name: str) -> None:
        """Note that `name` is alive; one that nobody expects to tick is nothing."""
        if name in self._beats:
            self._beats[name].last = self._clock()

    def silent(self) -> list[str]:
        """Name the parts that did not tick in time."""
        now = self._clock()
        return [name for name, beat in self._beats.items() if now - beat.last > beat.within]


async def feed_watchdog(
    notifier: Notifier, heartbeats: Heartbeats, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:
    """Feed the watchdog twice per period while every part ticks; return at once where there is none."""
    if not notifier.watchdog:
        return
    starved: list[str] = []
    while True:
        silent = heartbeats.silent()
        if silent != starved and silent:
            log.error("no sign of life from %s: the watchdog is not fed", ", ".join(silent))
        starved = silent
        if not silent:
            notifier.alive()
        await sleep(notifier.watchdog / 2)

"""Host names to addresses, with a time limit, and without a thread that holds up the agent's end.

Whether a packet may go to an answer is not decided here but by `dca.discovery.ranges`.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from dca.net.addresses import address_text, locate

__all__ = ["Answer", "Lookup", "Resolver", "SystemResolver", "system_lookup"]

Lookup: TypeAlias = Callable[[str], list[str]]
"""Blocking: a host name to address literals. Raises OSError (socket.gaierror)."""


@dataclass(frozen=True)
class Answer:
    """What a resolver found out about one name."""

    addresses: tuple[str, ...] = ()
    """Literals in their normal form, each once, IPv4 first, in ascending order."""
    failure: str = ""
    """In words, why there is no address; empty when there is one."""
    unknown: bool = False
    """The name is known not to exist, which is an answer; any other failure may pass."""


Resolver: TypeAlias = Callable[[str], Awaitable[Answer]]
"""Asks for A and AAAA of one name; never raises but for cancellation."""


class SystemResolver:
    """The system's resolver (getaddrinfo: DNS, hosts file, mDNS where installed) in threads of its own.

    A thread cannot be stopped while the system waits for a dead name server. Those of asyncio's executor would
    hold up the end of the process for so long, so these are daemon threads, and no more than `threads` at a time.
    """

    def __init__(self, *, timeout: float = 5.0, threads: int = 16, lookup: Lookup | None = None) -> None:
        self._timeout = timeout
        self._turns = asyncio.Semaphore(threads)
        self._free = threading.BoundedSemaphore(threads)
        self._lookup = lookup or system_lookup

    async def __call__(self, name: str) -> Answer:
        """Resolve `name` within the timeout (seconds), which begins when its turn has come."""
        async with self._turns:
            return await self._resolve(name)

    async def _resolve(self, name: str) -> Answer:
        if not self._free.acquire(blocking=False):
            return Answer(failure=f"{name}: the name servers do not answer; earlier questions still wait for them")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[str]] = loop.create_future()
        threading.Thread(target=self._run, args=(name, loop, future), name=f"dns {name}", daemon=True).start()
        try:
            async with asyncio.timeout(self._timeout):
                found = await future
        except TimeoutError:
            return Answer(failure=f"{name}: no name server answered within {self._timeout:g} s")
        except OSError as error:
            return _failed(name, error)
        return _answer(name, found)

    def _run(self, name: str, loop: asyncio.AbstractEventLoop, future: asyncio.Future[list[str]]) -> None:
        found: list[str] = []
        error: OSError | None = None
        try:
            found = self._lookup(name)
        except OSError as caught:
            error = caught
        except UnicodeError:  # the idna codec, for a name that it cannot write
            error = OSError("is no name that can be asked for")
        finally:
            self._free.release()
        try:
            loop.call_soon_threadsafe(_settle, future, found, error)
        except RuntimeError:
            return  # the loop has ended meanwhile; nobody waits


def _settle(future: asyncio.Future[list[str]], found: list[str], error: OSError | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(found)


def system_lookup(name: str) -> list[str]:
    """Ask getaddrinfo; a link-local answer keeps its zone. Raises OSError."""
    literals: list[str] = []
    for family, _, _, _, address in socket.getaddrinfo(name, None, type=socket.SOCK_DGRAM):
        literal = str(address[0])
        scope = address[3] if family == socket.AF_INET6 and len(address) == 4 else 0  # noqa: PLR2004 - (host, port, flow, scope)
        literals.append(f"{literal}%{scope}" if scope and "%" not in literal else literal)
    return literals


def _failed(name: str, error: OSError) -> Answer:
    unknown = isinstance(error, socket.gaierror) and error.errno in {
        socket.EAI_NONAME,
        getattr(socket, "EAI_NODATA", socket.EAI_NONAME),
    }
    return Answer(failure=f"{name}: {error.strerror or error}", unknown=unknown)


def _answer(name: str, found: list[str]) -> Answer:
    located = {spot for literal in found if (spot := locate(literal)) is not None}
    ordered = sorted(located, key=lambda spot: (spot[0] >> 32 != 0xFFFF, spot))  # noqa: PLR2004 - IPv4-mapped
    if not ordered:
        return Answer(failure=f"{name}: the answer holds no address")
    return Answer(tuple(address_text(number, zone) for number, zone in ordered))

"""Blocking work beside the event loop, in a thread that holds nobody up at the end of the process."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["in_thread"]

T = TypeVar("T")


def in_thread(work: Callable[[], T], name: str) -> asyncio.Future[T]:
    """Start `work`, which does not raise, in a daemon thread; return the future of its result.

    asyncio's own executor would hold up the end of the process until a dead line gives in.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def run() -> None:
        result = work()
        try:
            loop.call_soon_threadsafe(_settle, future, result)
        except RuntimeError:
            return  # the loop has ended meanwhile; nobody waits

    threading.Thread(target=run, name=name, daemon=True).start()
    return future


def _settle(future: asyncio.Future[T], result: T) -> None:
    if not future.done():
        future.set_result(result)

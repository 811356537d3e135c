"""Hands a message to whoever keeps it, and says whether it is kept: only then the broker may forget it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dca.errors import DcaError

if TYPE_CHECKING:
    import logging
    from collections.abc import Awaitable, Callable

__all__ = ["Intake"]

_REMEMBERED = 1000


class Intake:
    """Gives `on_message` what is at most `largest` bytes; the log hears once of each that cannot be kept."""

    def __init__(self, on_message: Callable[[bytes], Awaitable[None]], largest: int, log: logging.Logger) -> None:
        self._on_message = on_message
        self._largest = largest
        self._log = log
        self._failed: set[int] = set()
        """Hashes of messages that could not be kept."""
        self._told_of_large = False

    async def keep(self, payload: bytes) -> bool:
        """Return whether the message may be acknowledged: it is kept, or too large to be a task."""
        if len(payload) > self._largest:
            self._too_large(len(payload))
            return True
        try:
            await self._on_message(payload)
        except DcaError as error:
            self._tell(payload, "a message could not be kept, so the broker sends it again: %s", error)
        except Exception as error:  # noqa: BLE001 - the channel outlives a bug of its owner's, and the log has it
            self._tell(payload, "a message could not be kept, so the broker sends it again", trace=error)
        else:
            self._failed.discard(hash(payload))
            return True
        return False

    def _tell(self, payload: bytes, words: str, *details: object, trace: Exception | None = None) -> None:
        if hash(payload) not in self._failed:
            if len(self._failed) >= _REMEMBERED:
                self._failed.clear()
            self._failed.add(hash(payload))
            self._log.error(words, *details, exc_info=trace)

    def _too_large(self, size: int) -> None:
        if not self._told_of_large:
            self._told_of_large = True
            self._log.warning(
                "a message of %d bytes was dropped: no task has more than %d; does something else publish there?",
                size,
                self._largest,
            )

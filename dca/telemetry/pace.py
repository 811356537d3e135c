"""How much to send at once: less for a slow line or a small hub, and more again afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dca.net.reasons import TOO_LARGE

if TYPE_CHECKING:
    from dca.errors import DeliveryError

__all__ = ["MAX_ROWS", "MAX_SIZE", "Pace", "too_large"]

MAX_ROWS = 1000
"""Rows of one report (report.proto)."""
MAX_SIZE = 3_000_000
"""Bytes of payload: a report stays below the 4 MiB that gRPC receives."""
_BEFORE_MORE = 8
"""Reports of one size that have to arrive before it is doubled."""


def too_large(error: DeliveryError) -> bool:
    """Tell whether the hub takes less at once than it was sent."""
    return error.code == "RESOURCE_EXHAUSTED" and TOO_LARGE.search(str(error)) is not None


class Pace:
    """The size of the next report; halved when one was too large or too slow, doubled when enough arrived."""

    def __init__(self) -> None:
        self.rows = MAX_ROWS
        self.size = MAX_SIZE
        self._arrived = 0

    def failed(self, error: DeliveryError, sent: int) -> int:
        """Return how many of the `sent` rows to try next, or 0 if fewer would not help."""
        if sent <= 1 or not (too_large(error) or error.code == "DEADLINE_EXCEEDED"):
            return 0
        self._arrived = 0
        self.rows = sent // 2
        self.size = max(self.size // 2, 1)
        return self.rows

    def succeeded(self) -> None:
        """Send more after a while: trying at once would fail every other time."""
        self._arrived += 1
        if self._arrived % _BEFORE_MORE:
            return
        self.rows = min(self.rows * 2, MAX_ROWS)
        self.size = min(self.size * 2, MAX_SIZE)

"""Whether a row of a state file is what was put there."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from dca.telemetry.rows import RowName, seal

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["COLUMNS", "intact"]

COLUMNS = ("id", "epoch", "number", "kind", "weight", "at", "crc32", "seal", "payload")
"""In the order that `intact` takes them."""
_EPOCH_SIZE = 16


def intact(row: Sequence[object]) -> bool:
    """Tell whether types, payload and name fit the two checksums (see `COLUMNS`)."""
    _, epoch, number, kind, weight, at, crc32, sealed, payload = row
    if not (isinstance(epoch, bytes) and len(epoch) == _EPOCH_SIZE and isinstance(payload, bytes)):
        return False
    if not (isinstance(number, int) and number > 0 and isinstance(kind, int) and isinstance(weight, int)):
        return False
    if not (isinstance(at, float) and isinstance(crc32, int)):
        return False
    return zlib.crc32(payload) == crc32 and seal(RowName(epoch, number), kind, weight, crc32) == sealed

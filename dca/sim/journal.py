"""A file with one JSON line for each object that was set on a simulated device, so that a proof can count them."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable

    from dca.sim.writes import Written

__all__ = ["Journal"]


class Journal:
    """Writes to a text file that is open; each line is whole as soon as it is there."""

    def __init__(self, file: TextIO, wall: Callable[[], float] = time.time) -> None:
        self._file = file
        self._wall = wall

    def __call__(self, written: Written) -> None:
        """Write one line: address, oid, value, time (Unix seconds)."""
        line = {"address": written.address, "oid": written.oid, "value": written.value, "time": self._wall()}
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._file.flush()

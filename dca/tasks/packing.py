"""Many lines of text in one result: gzip and base64, as many lines as fit."""

from __future__ import annotations

import base64
import zlib

from dca.contract.tasks import MAX_RESULT

__all__ = ["Pack"]

_ROOM = (MAX_RESULT - 12_000) * 3 // 4
"""Octets of gzip that fit, with room for the rest of the result."""
_BATCH = 64
"""Lines that are compressed together before the size is looked at."""
_GZIP = 31
"""zlib's window size that makes it write gzip."""
_TAIL = 64
"""Octets that the end of the gzip stream takes, at most."""


class Pack:
    """Takes lines until they are too many; those of the last batch may be left out then."""

    def __init__(self, room: int = _ROOM) -> None:
        self._room = room - _TAIL
        self._gzip = zlib.compressobj(9, zlib.DEFLATED, _GZIP)
        self._done = bytearray()
        self._batch: list[str] = []
        self._packed = 0
        self._full = False

    @property
    def lines(self) -> int:
        """How many lines are in it."""
        return self._packed + len(self._batch)

    def add(self, line: str) -> bool:
        """Take a line; False when it is full, and then no more."""
        if self._full:
            return False
        self._batch.append(line)
        return len(self._batch) < _BATCH or self._press()

    def finish(self) -> bool:
        """Take in the lines that still wait; False when not all of them fit. Nothing can be added then."""
        fits = self._full or self._press()
        self._full = True
        return fits

    def text(self) -> str:
        """Return all that was taken in, as base64 of gzip."""
        return base64.b64encode(bytes(self._done) + self._gzip.copy().flush(zlib.Z_FINISH)).decode()

    def _press(self) -> bool:
        """Compress the batch; as much of it as fits, in halves."""
        while self._batch:
            trial = self._gzip.copy()
            pressed = trial.compress("".join(f"{line}\n" for line in self._batch).encode("utf-8", "replace"))
            pressed += trial.flush(zlib.Z_SYNC_FLUSH)
            if len(self._done) + len(pressed) <= self._room:
                self._gzip = trial
                self._done += pressed
                self._packed += len(self._batch)
                self._batch = []
                break
            self._full = True
            del self._batch[len(self._batch) // 2 :]
        return not self._full

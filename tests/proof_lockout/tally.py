"""What the guessing processes have done, in memory that they share through a file: it outlives each of them."""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["COLUMNS", "Tally"]

COLUMNS = ("guesses", "refused", "unanswered", "locked", "deaths")
"""Whole guesses, and what came of them; and how often the process was killed before an answer was written down."""
WORD = 8


class Tally:
    """Whole numbers by guesser and column; only its own guesser writes to a row."""

    def __init__(self, path: Path, guessers: int) -> None:
        size = guessers * len(COLUMNS) * WORD
        if not path.exists():
            path.write_bytes(bytes(size))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), size)
        self._words = memoryview(self._memory).cast("Q")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._words.release()
        self._memory.close()

    def of(self, guesser: int, column: str) -> int:
        return self._words[guesser * len(COLUMNS) + COLUMNS.index(column)]

    def add(self, guesser: int, column: str) -> None:
        self._words[guesser * len(COLUMNS) + COLUMNS.index(column)] += 1

    def total(self, column: str) -> int:
        return sum(self._words[COLUMNS.index(column) :: len(COLUMNS)].tolist())

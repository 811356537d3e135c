"""A wall clock that belongs to one process: Debian's libfaketime, preloaded into it, reads an offset from a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PACKAGE", "WallClock", "library"]

PACKAGE = "libfaketime"
SHARED = Path("/dev/shm")  # where the library keeps its two files per process, and leaves them at kill -9


def library() -> Path | None:
    """Return libfaketime's path, nothing where it is not installed."""
    return next(_installed(), None)


def _installed() -> Iterator[Path]:
    for folder in (Path("/usr/lib"), Path("/usr/local/lib"), Path("/usr/lib64")):
        for pattern in ("*/faketime/libfaketime.so.1", "faketime/libfaketime.so.1"):
            yield from folder.glob(pattern)


class WallClock:
    """Steps the wall clock of the processes that run in its environment; monotonic clock and file times stay true.

    Where the library is missing nothing steps and nothing is counted.
    """

    def __init__(self, file: Path) -> None:
        self.steps = 0
        self.offset = 0.0
        self._file = file
        self._library = library()
        self._write()

    @property
    def steppable(self) -> bool:
        return self._library is not None

    def environ(self) -> dict[str, str]:
        """Return what a process needs in its environment to live by this clock."""
        if self._library is None:
            return {}
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def step_to(self, offset: float) -> None:
        """Set the clock so many seconds off the true time; a process that runs notices within two seconds."""
        if self.steppable and offset != self.offset:
            self.offset = offset
            self.steps += 1
            self._write()

    @staticmethod
    def forget(pid: int) -> None:
        """Remove what the library of a killed process could not."""
        for name in (f"faketime_shm_{pid}", f"sem.faketime_sem_{pid}"):
            (SHARED / name).unlink(missing_ok=True)

    def _write(self) -> None:
        part = self._file.with_suffix(".part")
        part.write_text(f"{self.offset:+.0f}\n", "ascii")
        part.replace(self._file)  # the library must never see half of it

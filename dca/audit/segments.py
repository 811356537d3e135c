"""The files of the audit log: the current one, the full ones before it, and what stands at their ends."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from dca.audit.entry import LONGEST, Entry, read_entry
from dca.errors import AuditError
from dca.store.files import own_like

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "CURRENT",
    "FOLDER",
    "LOCK",
    "Segment",
    "Tail",
    "first_entry",
    "full_segments",
    "last_entry",
    "open_for_append",
    "open_for_reading",
    "segment_name",
    "tail_of",
]

FOLDER = "audit"
CURRENT = "audit.jsonl"
LOCK = "audit.lock"
_FULL = re.compile(r"audit-([0-9]{12})\.jsonl")
_WINDOWS = (8 * 1024, 2 * LONGEST)
"""Bytes at the end that are looked into: the first is enough but for a torn line."""
_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""Whoever owns the folder cannot lead root elsewhere by a link, nor make it wait by a pipe."""


@dataclass(frozen=True)
class Segment:
    """One file, opened; what is appended later is not seen."""

    name: str
    first: int | None
    """Its first entry's number by its name; None for the current one."""
    file: int
    size: int

    def read(self) -> bytes:
        """Return its bytes."""
        with open(self.file, "rb", closefd=False) as stream:
            stream.seek(0)
            return stream.read(self.size)


class Tail(NamedTuple):
    """The end of a file."""

    last: Entry | None
    """The last whole entry."""
    torn: bytes
    """What follows it and is none, as a write that a power cut has ended leaves it."""
    ended: bool
    """The file ends with a line end, or is empty."""


def segment_name(first: int) -> str:
    """Return the name of a full segment."""
    return f"audit-{first:012}.jsonl"


def full_segments(folder: Path) -> list[tuple[int, Path]]:
    """Return the full segments with the numbers of their first entries, oldest first."""
    found = ((_FULL.fullmatch(path.name), path) for path in folder.iterdir())
    return sorted((int(match[1]), path) for match, path in found if match)


def open_for_append(directory: Path, path: Path) -> int:
    """Open a file of the log, made (0600, of the state directory's owner) if it is not there.

    Raises OSError, AuditError.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | _FLAGS, 0o600)
    try:
        state = os.fstat(file)
        if stat.S_ISREG(state.st_mode):
            if not state.st_size:
                own_like(directory, path)
            return file
    except OSError:
        os.close(file)
        raise
    os.close(file)
    raise AuditError(f"{path} is no regular file: find out who put it there, and remove it")


@contextlib.contextmanager
def open_for_reading(folder: Path) -> Iterator[list[Segment]]:
    """Open every segment, oldest first. Raises OSError."""
    with contextlib.ExitStack() as stack:
        found: list[Segment] = []
        places: list[tuple[int | None, Path]] = [*full_segments(folder), (None, folder / CURRENT)]
        for first, path in places:
            try:
                file = os.open(path, os.O_RDONLY | _FLAGS)
            except FileNotFoundError:
                continue
            stack.callback(os.close, file)
            found.append(Segment(path.name, first, file, os.fstat(file).st_size))
        yield found


def tail_of(file: int, size: int, name: str) -> Tail:
    """Return the end of an open file of `size` bytes.

    Raises AuditError when no entry is near it.
    """
    for window in _WINDOWS:
        start = max(size - window, 0)
        tail = _tail(_read_at(file, start, size - start), whole=start == 0)
        if tail is not None:
            return tail
    raise AuditError(
        f"the audit log does not end with an entry ({name}, the last {_WINDOWS[-1]} bytes): see dca audit verify; "
        "to go on, move the folder away, keep it, and a new log begins"
    )


def first_entry(data: bytes) -> Entry | None:
    """Return the first whole entry of a segment."""
    for line in data.split(b"\n"):
        with contextlib.suppress(ValueError):
            return read_entry(line)
    return None


def last_entry(segments: list[Segment]) -> Entry | None:
    """Return the newest entry, None for an empty log. Raises AuditError."""
    for segment in reversed(segments):
        last = tail_of(segment.file, segment.size, segment.name).last
        if last is not None:
            return last
    return None


def _tail(data: bytes, *, whole: bool) -> Tail | None:
    """Find the last entry in the end of a file; None where it may lie before it."""
    lines = data.split(b"\n")
    end = len(data)
    for at in range(len(lines) - 1, -1 if whole else 0, -1):
        with contextlib.suppress(ValueError):
            return Tail(read_entry(lines[at]), data[end + 1 :], data.endswith(b"\n"))
        end -= len(lines[at]) + 1
    return Tail(None, data, not data or data.endswith(b"\n")) if whole else None


def _read_at(file: int, start: int, length: int) -> bytes:
    if sys.platform == "win32":
        os.lseek(file, start, os.SEEK_SET)
        return os.read(file, length)
    return os.pread(file, length, start)

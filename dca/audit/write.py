"""Append to the files of the audit log, by the one who holds its lock: torn lines, full files, old files."""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import TYPE_CHECKING, NamedTuple

from dca.audit.entry import Entry, make_entry
from dca.audit.segments import (
    CURRENT,
    first_entry,
    full_segments,
    last_entry,
    open_for_append,
    open_for_reading,
    segment_name,
    tail_of,
)
from dca.errors import AuditError
from dca.store.files import sync_directory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["PRUNED", "TORN", "Event", "append_event"]

PRUNED = "pruned"
"""What an entry is that tells of deleted files; its details name the last entry in them."""
TORN = "torn_line"
"""What an entry is that stands for the line before it, which is none; its details hold that line's SHA-256."""


class Event(NamedTuple):
    """What an entry is to say."""

    what: str
    text: str
    who: str = "agent"
    details: Mapping[str, str] | None = None


def append_event(folder: Path, event: Event, now: float, *, segment_bytes: int, kept: int) -> Entry:
    """Write an entry to the disk and return it; `now` is in Unix seconds.

    A full file is put away first and a new one begun; of those put away, `kept` stay. Raises OSError, AuditError.
    """
    path = folder / CURRENT
    _put_away_if_full(path, segment_bytes)
    doomed: list[tuple[int, Path]] = []
    with _opened(path) as (file, size):
        tail = tail_of(file, size, CURRENT)
        last = tail.last or _before(folder)
        events = [event]
        if tail.torn:
            events.insert(0, _explain(tail.torn))
        if not size and last is not None:
            full = full_segments(folder)
            doomed = full[: max(len(full) - kept, 0)]
            if doomed:
                events.insert(0, _pruned(doomed, full))
        entries: list[Entry] = []
        for what, text, who, details in events:
            last = make_entry(last, now, what, text, who=who, details=details)
            entries.append(last)
        lines = b"".join(entry.line() + b"\n" for entry in entries)
        _write(file, size, lines if tail.ended else b"\n" + lines)
    if not size:
        sync_directory(folder)
    for _, old in doomed:
        with contextlib.suppress(PermissionError):  # somebody reads it, on Windows: it goes the next time
            old.unlink()
    return entries[-1]


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[int, int]]:
    file = open_for_append(path.parent.parent, path)
    try:
        yield file, os.fstat(file).st_size
    finally:
        os.close(file)


def _put_away_if_full(path: Path, segment_bytes: int) -> None:
    """Rename a full file after its first entry; one with a torn end gets that explained first."""
    if not path.exists() or path.stat().st_size < segment_bytes:
        return
    with _opened(path) as (file, size):
        tail = tail_of(file, size, CURRENT)
        with open(file, "rb", closefd=False) as stream:
            stream.seek(0)
            first = first_entry(stream.read())
    if tail.torn or tail.last is None or first is None:
        return
    target = path.with_name(segment_name(first.n))
    if target.exists():
        raise AuditError(f"the audit log has two files that begin with entry {first.n}: see dca audit verify")
    with contextlib.suppress(PermissionError):  # somebody reads it, on Windows: it goes on until the next time
        path.rename(target)


def _before(folder: Path) -> Entry | None:
    """Return the last entry of the files before an empty or missing current one."""
    with open_for_reading(folder) as segments:
        return last_entry([segment for segment in segments if segment.first is not None])


def _explain(torn: bytes) -> Event:
    torn = torn.removesuffix(b"\n")
    return Event(
        TORN,
        "The line before was not written to its end (a power cut, or a disk that was full).",
        details={"sha256": hashlib.sha256(torn).hexdigest(), "bytes": str(len(torn))},
    )


def _pruned(doomed: list[tuple[int, Path]], full: list[tuple[int, Path]]) -> Event:
    first, last = doomed[0][0], full[len(doomed)][0] - 1
    return Event(
        PRUNED,
        f"The files with the entries {first} to {last} are deleted: the log keeps its newest files only.",
        details={"first": str(first), "last": str(last)},
    )


def _write(file: int, size: int, data: bytes) -> None:
    """Append all of it durably, or nothing."""
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(file, rest) :]
        os.fsync(file)
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(file, size)
        raise

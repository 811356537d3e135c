"""The audit log of a state directory: appended to by the agent and by what root runs beside it."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from typing import TYPE_CHECKING

from dca.audit.entry import Entry, read_entry
from dca.audit.segments import FOLDER, LOCK, Segment, last_entry, open_for_append, open_for_reading
from dca.audit.verify import Verdict, verify
from dca.audit.write import Event, append_event
from dca.errors import AuditError, StoreError
from dca.store.files import own_like, prepare, sync_directory
from dca.store.locks import hold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

__all__ = ["AuditLog"]

_PATIENCE = 10.0
"""Seconds to wait for another process that appends."""


class AuditLog:
    """An append-only log, one line of JSON an entry, each with the hash of the one before.

    Any number of processes and threads may append. Every call does its own reading and writing and may wait
    for the disk: from asyncio, call it in a thread.
    """

    def __init__(
        self,
        directory: Path,
        *,
        clock: Callable[[], float] = time.time,
        segment_bytes: int = 4 << 20,
        kept: int = 16,
    ) -> None:
        """Use the log of this state directory; nothing is touched before the first call.

        `segment_bytes` is the size at which a new file is begun, `kept` how many full ones stay (at least one).
        """
        self._directory = directory
        self._folder = directory / FOLDER
        self._clock = clock
        self._segment_bytes = segment_bytes
        self._kept = max(kept, 1)
        self._turn = threading.Lock()

    def append(self, what: str, text: str, *, who: str = "agent", details: Mapping[str, str] | None = None) -> Entry:
        """Write an entry; when this returns, it is on the disk.

        `what` is the kind of event for programs, `text` the same for people, `who` is ``agent``, ``hub:NAME``
        or ``local:USER``. Texts are cut to a length and cleaned of control characters. Secrets never go in.

        Raises:
            AuditError: it could not be written; what it would have told of must not happen.
        """
        event = Event(what, text, who, details)
        try:
            self._make_folder()
            with self._turn, hold(open_for_append(self._directory, self._folder / LOCK), _PATIENCE):
                return append_event(
                    self._folder, event, self._clock(), segment_bytes=self._segment_bytes, kept=self._kept
                )
        except (OSError, StoreError) as error:
            raise self._failed("written", error) from error

    def head(self) -> Entry | None:
        """Return the newest entry, None while there is none. Raises AuditError."""
        with self._segments() as segments:
            return last_entry(segments)

    def entry(self, number: int) -> Entry | None:
        """Return an entry by its number, None if it is not there (any more). Raises AuditError."""
        with self._segments() as segments:
            begun = [segment for segment in segments if segment.first is not None and segment.first <= number]
            for segment in (*begun[-1:], *(segment for segment in segments if segment.first is None)):
                for found in _entries(segment):
                    if found.n == number:
                        return found
        return None

    def entries(self, last: int | None = None) -> Iterator[Entry]:
        """Yield the last so many entries, or all, oldest first; lines that are none are passed over.

        Raises AuditError.
        """
        parts: list[list[Entry]] = []
        with self._segments() as segments:
            for segment in reversed(segments):
                wanted = None if last is None else last - sum(map(len, parts))
                if wanted is not None and wanted <= 0:
                    break
                found = list(_entries(segment))
                parts.append(found if wanted is None else found[-wanted:])
        for part in reversed(parts):
            yield from part

    def verify(self) -> Verdict:
        """Prove the log whole, or say where it is not. Raises AuditError when it cannot be read."""
        with self._segments() as segments:
            return verify((segment.name, segment.first, segment.read()) for segment in segments)

    def _make_folder(self) -> None:
        if self._folder.is_symlink():
            raise AuditError(f"{self._folder} is a link, and the audit log lies in the state directory itself")
        if not self._folder.exists():
            prepare(self._directory)
            self._folder.mkdir(mode=0o700, exist_ok=True)
            own_like(self._directory, self._folder)
            sync_directory(self._directory)

    @contextlib.contextmanager
    def _segments(self) -> Iterator[list[Segment]]:
        """Open the files as they are at one moment; what is appended meanwhile is not seen."""
        try:
            with contextlib.ExitStack() as stack:
                yield self._open_all(stack)
        except OSError as error:
            raise self._failed("read", error) from error

    def _open_all(self, stack: contextlib.ExitStack) -> list[Segment]:
        if not self._folder.exists():
            return []
        lock = self._folder / LOCK
        with contextlib.ExitStack() as locked:
            if lock.exists():  # a copy that an auditor took away has none, and nobody appends to it
                file = os.open(lock, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
                locked.enter_context(hold(file, _PATIENCE))
            return stack.enter_context(open_for_reading(self._folder))

    def _failed(self, what: str, error: OSError | StoreError) -> AuditError:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        advice = {
            "read": "look as root, or as the user that the agent runs as",
            "written": "without it no task is done; make room on its disk, and let the agent's user own it",
        }
        return AuditError(f"the audit log {self._folder} cannot be {what}: {reason}; {advice[what]}")


def _entries(segment: Segment) -> Iterator[Entry]:
    for line in segment.read().split(b"\n"):
        with contextlib.suppress(ValueError):
            yield read_entry(line)

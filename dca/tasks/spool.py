"""What an administrator says on the agent's machine of a task that waits for approval: files in the state directory.

The command writes one file, the running agent takes it within a second; while none runs, it stays for the next start.
Only the agent's user and root can write there.
"""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import time
import uuid
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from dca.errors import StoreError
from dca.store.files import own_like, sync_directory
from dca.tasks.states import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["Answer", "Spool"]

_log = logging.getLogger(__name__)

_SUFFIX = ".json"
_MOST_BYTES = 4096
_FIELDS = {"task": str, "approve": bool, "by": str, "reason": str}
_MOST_WHO, _MOST_REASON = 100, 500


@dataclass(frozen=True)
class Answer:
    """Yes or no to a task."""

    task: str
    """Its id."""
    approve: bool
    by: str
    """The user of the machine who says so."""
    reason: str = ""


class Spool:
    """The folder ``spool`` of a state directory."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._folder = state_dir / "spool"

    def prepare(self) -> None:
        """Make the folder, for the agent's user only (0700).

        Raises:
            StoreError: it cannot be made.
        """
        try:
            if self._folder.is_symlink():
                raise NotADirectoryError(errno.ENOTDIR, "it is a link to somewhere else")
            if not self._folder.is_dir():
                self._folder.mkdir(mode=0o700)
                own_like(self._state_dir, self._folder)
        except OSError as error:
            raise _unusable(self._folder, error) from error

    def put(self, answer: Answer, now: Callable[[], int] = time.time_ns) -> None:
        """Leave an answer; it is there whole or not at all.

        Raises:
            StoreError: it cannot be written.
        """
        self.prepare()
        path = self._folder / f"{now():020d}-{uuid.uuid4().hex[:8]}{_SUFFIX}"
        part = path.with_suffix(".part")
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
                json.dump(asdict(answer), file)
                file.flush()
                os.fsync(file.fileno())
            own_like(self._state_dir, part)
            part.rename(path)
            sync_directory(self._folder)
        except OSError as error:
            raise _unusable(self._folder, error) from error

    def waiting(self) -> Iterator[tuple[Path, Answer]]:
        """Return the answers that wait, oldest first; `done` removes one. What is none is removed and logged."""
        try:
            with os.scandir(self._folder) as found:
                files = [entry for entry in found if entry.is_file(follow_symlinks=False)]
                names = sorted(entry.name for entry in files if entry.name.endswith(_SUFFIX))
        except OSError:
            return
        for name in names:
            path = self._folder / name
            try:
                yield path, _read(path)
            except (OSError, ValueError) as error:
                _log.warning("%s is no answer to a task and is removed: %s", path, error)
                self.done(path)

    def done(self, path: Path) -> None:
        """Remove an answer that was taken."""
        with contextlib.suppress(OSError):
            path.unlink()


def _read(path: Path) -> Answer:
    """Read one answer. Raises OSError and ValueError."""
    with path.open("rb") as file:
        content = file.read(_MOST_BYTES + 1)
    try:
        found = json.loads(content) if len(content) <= _MOST_BYTES else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or any(type(found.get(name)) is not kind for name, kind in _FIELDS.items()):
        raise ValueError("it does not say who answers what to which task")
    who = words(found["by"], _MOST_WHO)
    if not who:
        raise ValueError("it does not say who answers")
    return Answer(str(uuid.UUID(found["task"])), found["approve"], who, words(found["reason"], _MOST_REASON))


def _unusable(folder: Path, error: OSError) -> StoreError:
    return StoreError(
        f"{folder} cannot be written: {error.strerror or error}; ask as the user that the agent runs as, or as root"
    )

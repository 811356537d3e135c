"""The state directory: who may see it, who holds it, and how a damaged file is put aside.

Nothing here deletes a state file. A damaged one is renamed, its write-ahead log with it, so that
what was committed into the log is still found beside it by the same name.
"""

from __future__ import annotations

import contextlib
import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dca.errors import StoreDamagedError, StoreError
from dca.store.locks import try_lock

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["DATABASE", "Lock", "holder", "own_like", "pending", "place", "prepare", "set_aside", "sync_directory"]

DATABASE = "state.sqlite3"
_LOCK = "state.lock"
_MOVING = DATABASE + ".moving"
"""Names where a set-aside that was interrupted was going to."""


def prepare(directory: Path) -> None:
    """Make the directory if need be, for this user's eyes only (0700).

    One that is there already is closed to others too if it is empty or already holds a state
    file; any other is only refused if others could write there.

    Raises:
        StoreError: it cannot be made or used.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = directory.stat().st_mode & 0o777
        if sys.platform == "win32" or not mode & 0o077:
            return
        ours = (directory / DATABASE).exists() or not any(directory.iterdir())
        if ours:
            directory.chmod(0o700)
    except OSError as error:
        raise _unusable(directory, error) from error
    if not ours and mode & 0o022:
        raise StoreError(
            f"the state directory {directory} is shared with others, who can write there: name one of its own"
        )


def place(directory: Path) -> Path:
    """Return the path of the state file, made empty (0600) if it is not there. Needs the lock.

    Raises:
        StoreError: it cannot be made or written.
    """
    path = directory / DATABASE
    try:
        _finish_moving(path)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise _unusable(directory, error) from error
    return path


def _unusable(directory: Path, error: OSError) -> StoreError:
    """Return the error that says that the directory is no place for a state file."""
    return StoreError(
        f"the state directory {directory} cannot be used: {error.strerror or error}; "
        "it must be a directory that this user owns, on a disk that can be written"
    )


def pending(directory: Path) -> list[Path]:
    """Return the set-aside files that nobody has salvaged yet, oldest first."""
    names = sorted(directory.glob(DATABASE + ".corrupt-*Z*"))
    return [path for path in names if path.name.rpartition("-")[2] not in ("wal", "shm") and not _done(path)]


def _done(path: Path) -> bool:
    return path.name.endswith(".salvaged") or path.with_name(path.name + ".salvaged").exists()


def set_aside(path: Path, now: float) -> Path:
    """Rename a damaged file and its log to ``.corrupt-<UTC time>`` and return the new path.

    Where it goes is written down first: after a kill in between, the next start finishes it, so
    that a fresh file never meets the old file's log.

    Raises:
        StoreDamagedError: it cannot be renamed.
    """
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    target = path.with_name(f"{path.name}.corrupt-{stamp}")
    count = 1
    while target.exists():
        count += 1
        target = path.with_name(f"{path.name}.corrupt-{stamp}{count}")
    moving = path.with_name(_MOVING)
    try:
        moving.write_text(target.name, "utf-8")
        sync_directory(path.parent)
        _move(path, target)
        moving.unlink()
    except OSError as error:
        raise StoreDamagedError(
            f"the state file {path} is damaged and cannot be put aside: {error.strerror or error}; "
            "move it away by hand, keeping it, and start again"
        ) from error
    return target


def _finish_moving(path: Path) -> None:
    moving = path.with_name(_MOVING)
    with contextlib.suppress(FileNotFoundError):
        name = moving.read_text("utf-8")
        if name.startswith(DATABASE + ".corrupt-") and "/" not in name and os.sep not in name:
            _move(path, path.with_name(name))
        moving.unlink()


def _move(path: Path, target: Path) -> None:
    for suffix in ("-wal", "-shm", ""):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(target.with_name(target.name + suffix))
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make renames in `directory` durable; Windows does so by itself."""
    if sys.platform == "win32":
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Lock:
    """One agent per state directory; the operating system frees it when the process ends."""

    def __init__(self, directory: Path) -> None:
        """Take the lock.

        Raises:
            StoreError: another process has it; the message names its pid.
        """
        try:
            self._file = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise _unusable(directory, error) from error
        try:
            try_lock(self._file)
        except OSError as error:
            os.lseek(self._file, 0, os.SEEK_SET)
            holder = os.read(self._file, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(self._file)
            raise StoreError(
                f"the state directory {directory} is in use by another agent (pid {holder}); "
                "stop that one, or give this one a state directory of its own"
            ) from error
        os.ftruncate(self._file, 0)
        os.lseek(self._file, 0, os.SEEK_SET)
        os.write(self._file, f"{os.getpid()}\n".encode("ascii"))

    def release(self) -> None:
        """Give the lock back."""
        os.close(self._file)


def holder(directory: Path) -> int | None:
    """Return the process id of the agent that has this state directory now, None if there is none.

    Raises:
        OSError: this user may not look.
    """
    try:
        file = os.open(directory / _LOCK, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        text = os.read(file, 32).decode("ascii", "replace").strip()
        pid = int(text) if text.isdigit() else 0
        # Most pids of former agents are free, so the lock is hardly ever tried while another agent starts.
        if not pid or not _lives(pid):
            return None
        try:
            try_lock(file)
        except OSError:
            return pid
        return None
    finally:
        os.close(file)


def _lives(pid: int) -> bool:
    if sys.platform == "win32":
        return True  # there, asking by signal would end it
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def own_like(directory: Path, path: Path) -> None:
    """Give what root has made to the owner of the state directory, so that the agent can go on with it.

    Nothing happens for any other user, and on Windows, where a file has the rights of its folder.

    Raises:
        OSError: it cannot be given away.
    """
    if sys.platform == "win32" or os.geteuid() != 0:
        return
    owner = directory.stat()
    os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)

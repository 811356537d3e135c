"""The hub's data folder: one owner, closed to others, used by one hub at a time."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import IO

from dca.errors import HubError

__all__ = ["DataFolder", "write_file"]

LOCK = "hub.lock"


def write_file(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file so that it is there whole, on disk and with its mode, or not at all."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class DataFolder:
    """A folder (mode 0700) that holds the CA, the engines' data and a lock."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock: IO[str] | None = None

    def make(self) -> None:
        """Create the folder, or close an existing one to others.

        Raises: HubError when it cannot be made, or holds something that is not a hub's.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            names = {entry.name for entry in self.path.iterdir()}
            if names and LOCK not in names:
                raise HubError(f"{self.path} is not empty and is no hub's data folder: give an empty or a new one")
            self.path.chmod(0o700)
            (self.path / LOCK).touch(mode=0o600)
        except PermissionError as error:
            raise self._closed() from error
        except OSError as error:
            raise HubError(f"{self.path} cannot be the data folder: {error.strerror}") from error

    def require(self) -> None:
        """Raise HubError when there is no hub's data folder here yet."""
        try:
            (self.path / LOCK).stat()
        except PermissionError as error:
            raise self._closed() from error
        except OSError:
            raise HubError(
                f"{self.path} is no hub's data folder: make one with dca hub init --data {self.path}"
            ) from None

    def try_lock(self) -> bool:
        """Take the folder for this process until `unlock` or its end; False when another hub has it."""
        import fcntl  # noqa: PLC0415 - POSIX only; importing the hub must work everywhere

        try:
            file = (self.path / LOCK).open("r+", encoding="ascii")
        except PermissionError as error:
            raise self._closed() from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        file.truncate()
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._lock = file
        return True

    def lock(self) -> None:
        """Take the folder for this process.

        Raises: HubError when another hub has it.
        """
        if not self.try_lock():
            raise HubError(
                f"{self.path} is in use by another hub (process {self.holder()}): stop it first, or give another folder"
            )

    def holder(self) -> str:
        """Return the process id of the hub that has the folder."""
        return (self.path / LOCK).read_text("ascii").strip()

    def unlock(self) -> None:
        """Let the folder go; harmless when it is not held."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _closed(self) -> HubError:
        """Return what to tell somebody whose folder, or whose place for one, this is not."""
        there = next(path for path in (self.path, *self.path.parents) if os.path.lexists(path))
        try:
            owner = _user(there.stat().st_uid)
        except OSError:
            owner = "another user"
        return HubError(
            f"{self.path} is not open to you ({there} belongs to {owner}): run this as {owner} "
            f"(sudo -u {owner} dca hub ...), or give a folder of your own with --data"
        )


def _user(number: int) -> str:
    import pwd  # noqa: PLC0415 - POSIX only; importing the hub must work everywhere

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"#{number}"

"""Locks of the operating system on a file: between processes, and freed when the one that holds it ends."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["hold", "try_lock"]

_LOCKED_BYTE = 1 << 30
"""Windows locks bytes against reading too; this one is far behind what a lock file says."""
_LOOK_AGAIN = 0.005
"""Seconds between two tries."""


def try_lock(file: int) -> None:
    """Lock an open file, given by its descriptor, until it is closed.

    Raises:
        OSError: another one holds it.
    """
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - exists on Windows only

        os.lseek(file, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl  # noqa: PLC0415 - exists elsewhere only

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextlib.contextmanager
def hold(file: int, patience: float) -> Iterator[None]:
    """Hold the lock of an open file, waiting up to `patience` seconds for it; closes the file in the end.

    Raises:
        TimeoutError: another one held it all that time.
    """
    until = time.monotonic() + patience
    try:
        while True:
            try:
                try_lock(file)
                break
            except OSError:
                if time.monotonic() >= until:
                    raise TimeoutError(f"another process has held the lock for {patience:g} s") from None
            time.sleep(_LOOK_AGAIN)
        yield
    finally:
        os.close(file)

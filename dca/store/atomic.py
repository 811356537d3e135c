"""Small files beside the state file: there whole and on disk, or not at all; for their owner's eyes only."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from dca.store.files import own_like, sync_directory

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["write_whole"]


def write_whole(path: Path, data: bytes) -> None:
    """Write a file (0600) in one step; it belongs to the owner of its directory.

    Whoever owns the directory cannot lead root elsewhere by a link of its own.

    Raises:
        OSError: it cannot be written; what was there before still is.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.unlink(missing_ok=True)  # of a process that was killed, or a link
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        own_like(path.parent, part)
        part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    sync_directory(path.parent)

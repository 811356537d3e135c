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

    Raises:
        OSError: it cannot be written; what was there before still is.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
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

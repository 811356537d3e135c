"""Keep this process's memory to itself: it holds the agent's key, its token and the credentials of the devices."""

from __future__ import annotations

import contextlib
import logging
import os
import sys

__all__ = ["seal_memory"]

log = logging.getLogger(__name__)

_PR_SET_DUMPABLE = 4
"""prctl(2)."""


def seal_memory() -> None:
    """Let a crash write no core file, and let no other process of the same user read or trace this one.

    Root can do both all the same; on Windows the system's own rules stand.
    """
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - POSIX only

    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - of use here alone

        # The limit alone is not asked where core files go to a program, as systemd has it.
        if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0):
            log.warning("other processes of this user can read the agent's memory: %s", os.strerror(ctypes.get_errno()))

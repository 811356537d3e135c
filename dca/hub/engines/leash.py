"""Become another program that ends with the hub.

    leash.py HUB_PID SIGNAL UID GID PROGRAM [ARGUMENT ...]

Run as a script between the hub and an engine, by a Python without the hub's packages. It gives up the hub's
rights (UID and GID below 0 keep them), asks the kernel to send the signal when the hub dies (prctl(2); the
kernel forgets the wish when the user changes, hence the order), and becomes the program.
"""

from __future__ import annotations

import ctypes
import os
import sys

__all__ = ["main"]

PR_SET_PDEATHSIG = 1
NOT_STARTED = 127
"""As a shell says it."""


def main(arguments: list[str]) -> None:
    """Become the program; comes back only by an exception."""
    hub, sign, uid, gid = map(int, arguments[:4])
    command = arguments[4:]
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, sign)
    if os.getppid() != hub:  # it died before the kernel was asked
        sys.exit(NOT_STARTED)
    os.execv(command[0], command)  # noqa: S606 - the hub's own programs, no shell


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except OSError as error:
        sys.exit(f"{sys.argv[5]} cannot be started: {error}")

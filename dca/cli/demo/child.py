"""How the demo's parts run: the command line as ever, but none of them outlives the demo, even if it is killed."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

from dca.cli import main

__all__ = ["COMMAND"]

COMMAND = (sys.executable, "-m", "dca.cli.demo.child")
"""What to run before a part's own arguments."""
_PR_SET_PDEATHSIG = 1


def _die_with_the_demo() -> None:
    """Have the kernel send SIGTERM when the parent dies (Linux has that; elsewhere the demo's own stop has to do)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() == 1:  # it died before this was said
            sys.exit(1)


if __name__ == "__main__":
    _die_with_the_demo()
    main()

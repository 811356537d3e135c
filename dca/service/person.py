"""Who sits at the keyboard, for the audit log."""

from __future__ import annotations

import getpass
import os
import re
import sys

__all__ = ["who_asks"]


def who_asks() -> str:
    """Return the user of this machine, and who became root to be that, e.g. ``jane`` or ``root (jane)``."""
    if sys.platform == "win32":
        return getpass.getuser()
    import pwd  # noqa: PLC0415 - exists on Unix only

    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = f"uid {os.getuid()}"
    before = os.environ.get("SUDO_USER", "")
    if os.getuid() == 0 and re.fullmatch(r"[\w.@-]{1,64}", before) and before != name:
        return f"{name} ({before})"
    return name

"""Where the config file and the state folder are when nobody says."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["default_path", "default_state_dir"]


def default_path(environ: Mapping[str, str] = os.environ, *, platform: str = sys.platform) -> Path:
    r"""Return the config file's usual place: ``/etc/dca/dca.toml`` or ``%ProgramData%\dca\dca.toml``."""
    if platform == "win32":
        return _program_data(environ) / "dca.toml"
    return Path("/etc/dca/dca.toml")


def default_state_dir(
    environ: Mapping[str, str] = os.environ, *, platform: str = sys.platform, root: bool | None = None
) -> Path:
    """Return the state folder: systemd's, else the system's for root, else the user's own (XDG)."""
    given = environ.get("STATE_DIRECTORY", "").split(":")[0]
    if given:
        return Path(given)
    if platform == "win32":
        return _program_data(environ)
    if root if root is not None else os.geteuid() == 0:
        return Path("/var/lib/dca")
    base = environ.get("XDG_STATE_HOME", "")
    if not base.startswith("/"):  # the XDG specification has relative ones ignored
        base = str(Path(environ.get("HOME") or "/") / ".local" / "state")
    return Path(base) / "dca"


def _program_data(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("ProgramData") or environ.get("PROGRAMDATA") or r"C:\ProgramData") / "dca"

"""The real programs that the system tests talk to: missing in CI is a failure, elsewhere a skip with the reason."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest


def need(command: str, package: str) -> str:
    """Return the program's path."""
    found = shutil.which(command, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin:/sbin")
    if found:
        return found
    reason = f"{command} is not installed (Debian package {package}; `make test` installs it as root)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def missing(reason: str) -> None:
    """Fail in CI, skip elsewhere: this machine cannot do it."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def shared_tools() -> Path | None:
    """Return the folder of the recordings and tools that lie beside some checkouts, if it is there."""
    folder = Path(__file__).resolve().parents[3] / "shared"
    return folder if (folder / "walks").is_dir() else None

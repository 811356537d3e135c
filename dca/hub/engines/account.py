"""Whom the engines run as: PostgreSQL refuses to be root, so under root both get a system user of their own."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from stat import S_IXGRP, S_IXOTH
from typing import TYPE_CHECKING

from dca.errors import HubError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Account", "current_user", "engine_account", "reachable"]

USER = "dca-hub"
COPIES = Path("/var/cache/dca-hub")
"""Where programs go that the account cannot reach, e.g. from an environment below /root."""


@dataclass(frozen=True)
class Account:
    """A user of the system."""

    name: str
    uid: int
    gid: int

    def own(self, folder: Path) -> None:
        """Give the account a folder that nobody else can open."""
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)
        os.chown(folder, self.uid, self.gid)


def current_user() -> str:
    """Return the name of the user that this process runs as.

    Raises: HubError when the system has no such user, for PostgreSQL needs one.
    """
    import pwd  # noqa: PLC0415 - POSIX only; importing the hub must work everywhere

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise HubError(
            f"user id {os.geteuid()} has no name on this system: the embedded PostgreSQL needs one"
        ) from None


def engine_account() -> Account | None:
    """Return the system user for the engines when the hub is root (made if needed), else None.

    Raises: HubError when it cannot be made.
    """
    import pwd  # noqa: PLC0415 - POSIX only

    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(USER)
    except KeyError:
        useradd = shutil.which("useradd") or "/usr/sbin/useradd"
        command = [useradd, "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        try:
            subprocess.run([*command, "--shell", "/usr/sbin/nologin", USER], check=True, capture_output=True)  # noqa: S603 - fixed words
        except (OSError, subprocess.CalledProcessError) as error:
            raise HubError(
                f"the embedded engines do not run as root, and their user {USER} could not be made ({error}): "
                "run the hub as an ordinary user, or give --database-url and --nats-url"
            ) from error
        entry = pwd.getpwnam(USER)
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def reachable(root: Path, parts: Sequence[str], account: Account | None) -> Path:
    """Return a folder in which the account can run what lies in these parts of `root`.

    That is `root` itself, or a copy owned by the system's root where a closed folder lies before it.
    Raises: HubError when it could not be copied.
    """
    root = root.resolve()
    if account is None or all(_open_to_all(place) for place in (*(root / part for part in parts), root, *root.parents)):
        return root
    made = "".join(f"{root / part} {(root / part).stat().st_mtime_ns}\n" for part in parts)
    copy = COPIES / hashlib.sha256(made.encode()).hexdigest()[:16]
    if not copy.exists():
        new = copy.with_name(f"{copy.name}.{os.getpid()}")
        try:
            new.mkdir(parents=True)
            COPIES.chmod(0o755)
            for part in parts:
                _copy(root / part, new / part)
            for place in (new, *new.rglob("*")):
                if not place.is_symlink():
                    place.chmod(0o755)
            new.rename(copy)
        except OSError as error:
            shutil.rmtree(new, ignore_errors=True)
            raise HubError(
                f"{account.name} cannot reach {root}, and the programs in it could not be copied to {copy} ({error}): "
                "install dca in a folder that others may enter, e.g. below /opt"
            ) from error
    return copy


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("include"))
    else:
        shutil.copy2(source, target)


def _open_to_all(place: Path) -> bool:
    mode = place.stat().st_mode
    return bool(mode & S_IXOTH) and bool(mode & S_IXGRP)

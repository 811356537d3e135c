"""Secrets are references, never values: the config file can be mailed to support as it is.

``env:NAME``         an environment variable
``file:PATH``        a file that only its owner can read
``credential:NAME``  a systemd credential, read from ``$CREDENTIALS_DIRECTORY``

No message names what a reference leads to, nor what stood in the place of one.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from dca.config.kinds import BadValueError, Context, type_name
from dca.model import Secret

__all__ = ["SecretKind"]

_LARGEST = 4096
_WAYS = '"env:NAME", "file:PATH" or "credential:NAME"'
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,254}", re.ASCII)


@dataclass(frozen=True)
class SecretKind:
    """A reference to a secret of at least `least` characters."""

    least: int = 1
    most: int = 1024
    public: bool = False
    """The literal "public" is taken as well: the community that every printer ships with is no secret."""
    rule: str = ""
    """Where `least` comes from."""

    @property
    def allowed(self) -> str:
        """Word it."""
        length = f", of at least {self.least} characters ({self.rule})" if self.least > 1 else ""
        public = ', or the community "public" itself' if self.public else ""
        return f"a reference {_WAYS}{public}{length}"

    def parse(self, raw: object, context: Context) -> Secret:
        """Return what the reference leads to."""
        if not isinstance(raw, str):
            raise BadValueError(f"is {type_name(raw)}; allowed is {self.allowed}")
        if self.public and raw == "public":
            return Secret(raw)
        way, colon, name = raw.partition(":")
        if not colon or way not in {"env", "file", "credential"}:
            exception = ' (only the community "public" may stand here itself)' if self.public else ""
            raise BadValueError(
                f"a secret does not stand in this file{exception}: put it into a file that only the service's "
                f'account can read and write "file:PATH" here, or use "env:NAME" or "credential:NAME"'
            )
        if not context.follow:
            return Secret("")
        text = _follow(way, name, context)
        if not text:
            raise BadValueError(f"{way}:{name} is empty; allowed is {self.allowed}")
        if not self.least <= len(text) <= self.most:
            raise BadValueError(f"{way}:{name} is too short or too long; allowed is {self.allowed}")
        return Secret(text)


def _follow(way: str, name: str, context: Context) -> str:
    if way == "file":
        if not name or name.startswith("~") or not name.isprintable():
            raise BadValueError('"file:" needs the whole path of a file behind it')
        return _read(context.folder / name, private=True)
    if not _NAME.fullmatch(name):
        raise BadValueError(f'"{way}:" needs a name of letters, digits, "_", "." and "-" behind it')
    if way == "env":
        if name not in context.environ:
            raise BadValueError(f"the environment variable {name} is not set; set it for the service, or use file:")
        return context.environ[name]
    folder = context.environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        raise BadValueError(f"credential:{name} needs systemd: add LoadCredential={name}:PATH to the unit")
    # systemd made this folder for the service alone; its files may show group bits where it uses an ACL.
    return _read(Path(folder) / name, private=False)


def _read(path: Path, *, private: bool) -> str:
    """Return the text of a small regular file without its last line end."""
    try:
        with open(path, "rb", opener=_open_without_waiting) as file:
            state = os.fstat(file.fileno())
            if not stat.S_ISREG(state.st_mode):
                raise BadValueError(f"{path} is no regular file")
            if private and os.name == "posix" and state.st_mode & 0o077:
                raise BadValueError(f"{path} can be read by others than its owner; run: chmod 600 {path}")
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise BadValueError(f"{path} cannot be read: {error.strerror or type(error).__name__}") from error
    if len(data) > _LARGEST:
        raise BadValueError(f"{path} is larger than {_LARGEST} bytes, which no secret is")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        # Not chained: the codec's error holds the bytes.
        raise BadValueError(f"{path} is not UTF-8 text") from None
    return text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text


def _open_without_waiting(path: str, flags: int) -> int:
    """Open for reading; a FIFO in the place of the file would otherwise hang the agent."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))

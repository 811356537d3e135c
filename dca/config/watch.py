"""Follow the config file: a new one is taken once it is whole and right, a wrong one is told once and left."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from dca.config.remote import load_with_remote, remote_file
from dca.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from dca.config.settings import Config

__all__ = ["ConfigWatch"]

_Signature = tuple[int, ...]
_MISSING: _Signature = ()


class ConfigWatch:
    """Tell when the file at `path`, or what the hub has set beside it, has become another config than `current`.

    `on_error` hears of a file that cannot be used, `on_good` that one can and is `current`.

    A file is read only after it has not changed for `settle` seconds: half of a file can be valid TOML, and
    the half without the excludes would open addresses. Files that secrets refer to are not watched; `reload`
    (SIGHUP) reads them anew.
    """

    def __init__(
        self,
        path: Path | str,
        current: Config,
        *,
        on_error: Callable[[ConfigError], None],
        on_good: Callable[[], None] = lambda: None,
        settle: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
        stat: Callable[[str], os.stat_result] = os.stat,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.current = current
        self._path = str(path)
        self._on_error = on_error
        self._on_good = on_good
        self._settle = settle
        self._clock = clock
        self._stat = stat
        self._environ = environ
        # Not the file's present state: it may have changed since `current` was read from it.
        self._taken: _Signature | None = None
        self._seen: _Signature | None = None
        self._since = 0.0

    def poll(self) -> Config | None:
        """Return the new config if there is one; quick, to be called every few seconds."""
        signature = self._signature()
        if signature == self._taken:
            return None
        now = self._clock()
        if signature != self._seen:
            self._seen, self._since = signature, now
        if now - self._since < self._settle:
            return None
        return self._read(signature)

    def reload(self) -> Config | None:
        """Read the file now (SIGHUP), changed or not; return the config if it is another one."""
        return self._read(self._signature())

    def _read(self, signature: _Signature) -> Config | None:
        error: ConfigError | None = None
        config: Config | None = None
        try:
            config = load_with_remote(self._path, environ=self._environ)
        except ConfigError as caught:
            error = caught
        if self._signature() != signature:
            self._seen = None  # it changed while it was read: wait until it has settled again
            return None
        self._taken = signature
        if error is not None:
            self._on_error(error)
            return None
        if config is None or config == self.current:
            self._on_good()
            return None
        self.current = config
        return config

    def _signature(self) -> _Signature:
        return (*self._state_of(self._path), *self._state_of(str(remote_file(self.current))))

    def _state_of(self, path: str) -> _Signature:
        try:
            state = self._stat(path)
        except OSError:
            return _MISSING
        return (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)

"""What the hub has set (the task ``apply_config``): kept beside the state, in force only as far as the policy says.

The customer's file is never written. Each start and reload lays these settings over it anew, and only the keys that
``policy.config_keys`` names then: what the customer takes back is back at once.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from typing import TYPE_CHECKING, Any

from dca.config.load import load, parse
from dca.errors import ConfigError
from dca.store.atomic import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dca.config.settings import Config

__all__ = ["change_remote", "load_with_remote", "remote_file"]

_LARGEST = 1 << 16
_one_change = threading.Lock()
_log = logging.getLogger(__name__)


def remote_file(config: Config) -> Path:
    """Return where the settings of the hub are kept."""
    return config.agent.state_dir / "remote.json"


def load_with_remote(path: Path | str, *, environ: Mapping[str, str] = os.environ) -> Config:
    """Read the config file and lay over it what the hub has set and the policy leaves to it.

    Settings that cannot be used are left out with a warning. Raises ConfigError for the file itself.
    """
    config = load(path, environ=environ)
    changes = _left_to_hub(config, _read(remote_file(config)))
    if not changes:
        return config
    try:
        return load(path, environ=environ, over=changes)
    except ConfigError as error:
        _log.warning("what the hub has set is left out: %s", error)
        return config


def change_remote(config: Config, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Keep settings (dotted keys) of the hub's, and return all that are in force then; null takes one back.

    Raises:
        ConfigError: the file with these settings could not be used; nothing is kept.
        OSError: they cannot be written.
    """
    file = remote_file(config)
    with _one_change:
        merged = {key: value for key, value in (_read(file) | dict(changes)).items() if value is not None}
        left = _left_to_hub(config, merged)
        if config.path and left:
            load(config.path, over=left)
        elif left:
            parse("", over=left)
        write_whole(file, json.dumps(merged).encode())
    return left


def _left_to_hub(config: Config, changes: Mapping[str, Any]) -> dict[str, Any]:
    left = config.policy.config_keys
    return {key: value for key, value in changes.items() if key in left or key.partition(".")[0] in left}


def _read(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as stream:
            found = json.loads(stream.read(_LARGEST))
    except (OSError, ValueError, RecursionError):
        return {}
    return {str(key): value for key, value in found.items()} if isinstance(found, dict) else {}

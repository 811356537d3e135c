"""Where the commands that look at an agent find it: the state directory that its config file names."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

import typer

from dca.errors import ConfigError, ConfigProblem

__all__ = ["StateDirOption", "state_dir_of"]

StateDirOption = Annotated[
    Path | None, typer.Option("--state-dir", metavar="DIR", help="Look there, whatever a config file says.")
]


def state_dir_of(config: Path | None, state_dir: Path | None = None) -> Path:
    """Return the directory named by option, else by the config file, else the usual one.

    The config's secrets, which only the agent may read, are not looked up. Raises ConfigError.
    """
    from dca.config import default_path, default_state_dir  # noqa: PLC0415  # --help does without the config

    if state_dir is not None:
        return state_dir
    path = config or default_path()
    try:
        document = tomllib.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError as error:
        if config is None:
            return default_state_dir()
        raise ConfigError(str(path), [ConfigProblem("", "cannot be read: there is no such file")]) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no TOML; see `dca config check`"
        raise ConfigError(str(path), [ConfigProblem("", f"cannot be read: {reason}")]) from None
    agent = document.get("agent")
    named = agent.get("state_dir") if isinstance(agent, dict) else None
    return (path.absolute().parent / named) if isinstance(named, str) and named else default_state_dir()

"""The agent as a service starts it: without the libraries that commands for people need, some 13 MB less to carry."""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["plain_config", "serve", "tidy_streams"]

_WITH_FILE = 2


def plain_config(args: list[str]) -> tuple[Path | None] | None:
    """Return the config file of ``run`` or ``run --config FILE``, None for everything that needs a closer look."""
    if args[:1] != ["run"]:
        return None
    rest = args[1:]
    if len(rest) == 1 and rest[0].startswith("--config="):
        rest = ["--config", rest[0].removeprefix("--config=")]
    if not rest:
        return (None,)
    if len(rest) == _WITH_FILE and rest[0] == "--config" and rest[1] and not rest[1].startswith("-"):
        return (Path(rest[1]),)
    return None


def serve(config: Path | None) -> None:
    """Run the agent until a signal ends it. Raises as `dca.agent.run_agent` does."""
    from dca.agent import run_agent  # noqa: PLC0415 - what only looks at the arguments does without
    from dca.config import default_path, load_with_remote  # noqa: PLC0415 - as above

    path = config or default_path()
    run_agent(path, load_with_remote(path))


def tidy_streams() -> None:
    """Let a terminal that cannot show a character show ``?`` instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")

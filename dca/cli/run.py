"""``dca run``: the agent in the foreground, as a service starts it."""

from __future__ import annotations

from dca.cli.options import ConfigFileOption, command_app

__all__ = ["app"]

app = command_app()


@app.command()
def run(config: ConfigFileOption = None) -> None:
    """Run the agent: read the printers of the config's ranges and report them to its hub.

    SIGTERM and Ctrl-C stop it within five seconds, SIGHUP and a change of the file reload the config.
    """
    # Imported here: --help does without all of it.
    from dca.agent import run_agent  # noqa: PLC0415  # as said above
    from dca.config import default_path, load  # noqa: PLC0415  # as said above

    path = config or default_path()
    run_agent(path, load(path))

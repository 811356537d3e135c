"""``dca run``: the agent in the foreground, as a service starts it."""

from __future__ import annotations

from dca.cli.options import ConfigFileOption, command_app
from dca.cli.service import serve

__all__ = ["app"]

app = command_app()


@app.command()
def run(config: ConfigFileOption = None) -> None:
    """Run the agent: read the printers of the config's ranges and report them to its hub.

    SIGTERM and Ctrl-C stop it within five seconds, SIGHUP and a change of the file reload the config.
    """
    serve(config)

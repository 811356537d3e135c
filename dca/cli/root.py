"""The bare ``dca``: its help, its complaint about a wrong word, and the completion of right ones."""

from __future__ import annotations

import contextlib
import os
import sys

import typer

import dca
from dca.cli import COMMANDS, load_command

__all__ = ["root_app"]


def root_app() -> typer.Typer:
    """Return the app; its commands are names with help only, for `dca.cli.main` runs a named command itself.

    While a shell completes (it says so in the environment) they are the real ones, with their options.
    """
    app = typer.Typer(
        name="dca",
        help="Print-fleet monitoring: read printers over SNMP and report them to a hub.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    completing = "_DCA_COMPLETE" in os.environ
    for name, command in COMMANDS.items():
        if not completing:
            app.command(name, help=command.help)(_nothing)
            continue
        with contextlib.suppress(ImportError):
            app.add_typer(load_command(name), name=name if command.group else None)
    return app


def _options(
    version: bool = typer.Option(False, "--version", "-V", help="Show the version and exit."),
) -> None:
    if version:
        sys.stdout.write(f"dca {dca.__version__}\n")
        raise typer.Exit


def _nothing() -> None:
    """Stand for a command."""

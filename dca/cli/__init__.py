"""The command line: one small module per command group, imported when it is asked for."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from typing import TYPE_CHECKING, NamedTuple

import dca
from dca.cli.service import plain_config, serve, tidy_streams
from dca.errors import ConfigError, DcaError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import typer

__all__ = ["COMMANDS", "Command", "load_command", "main"]

FAILED = 1
WRONG_USE = 2
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
INTERRUPTED = 130
"""As a shell counts SIGINT."""


class Command(NamedTuple):
    """One word after ``dca``; its module in this package has the typer app `app`."""

    help: str
    group: bool = False
    """It has words of its own after it."""
    extra: str = ""
    """The extra of the package that it needs."""


COMMANDS = {
    "scan": Command("Find and read the printers in ranges of addresses."),
    "read": Command("Read printers at known addresses."),
    "activate": Command("Give this agent its identity at a hub, by a code."),
    "unlock": Command("Let an agent that is locked after failed activations try again."),
    "run": Command("Run the agent."),
    "status": Command("Show what the agent knows, reads and delivers."),
    "tasks": Command("Show what the hub asked of this agent, and what became of it."),
    "approve": Command("Approve or deny a task that waits for it."),
    "policy": Command("Show and explain what the hub may ask for.", group=True),
    "audit": Command("Show and prove the log of what was asked, decided and done.", group=True),
    "config": Command("Check a config file, or print an example.", group=True),
    "hub": Command("Run a hub, the other end of the agent.", group=True, extra="hub"),
    "sim": Command("Run simulated printers.", group=True),
    "demo": Command("Run a hub, simulated printers and an agent together, on this machine only.", extra="hub"),
}


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command that `argv` (without the program's name) says, and exit."""
    args = list(sys.argv[1:] if argv is None else argv)
    try:
        try:
            _run(args)
        finally:
            if sys.stdout is not None:  # closed by who calls
                # Here and not at the interpreter's end, where a full disk is a traceback.
                sys.stdout.flush()
    except DcaError as error:
        _complain(str(error) or type(error).__name__)
        sys.exit(WRONG_USE if isinstance(error, ConfigError) else FAILED)
    except BrokenPipeError:  # `dca ... | head`: who reads has enough
        _drop_output()
        sys.exit(FAILED)
    except OSError as error:
        _drop_output()
        _complain(_why(error))
        sys.exit(FAILED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def load_command(name: str) -> typer.Typer:
    """Import a command's module and return its app."""
    app: typer.Typer = importlib.import_module(f"dca.cli.{name}").app
    return app


def _run(args: list[str]) -> None:
    if args in (["--version"], ["-V"]):
        sys.stdout.write(f"dca {dca.__version__}\n")
        sys.exit(0)
    tidy_streams()
    served = plain_config(args)
    if served is not None:
        serve(*served)
        return
    name = args[0] if args else ""
    if name not in COMMANDS:
        # Imported here and below: it costs more than the whole of `dca --version`.
        from dca.cli.root import root_app  # noqa: PLC0415  # as said above

        root_app()(args, prog_name="dca")
        return
    try:
        load_command(name)(args[1:], prog_name=f"dca {name}")
    except ModuleNotFoundError as error:
        extra = COMMANDS[name].extra
        if not extra or (error.name or "").partition(".")[0] == "dca":
            raise
        raise DcaError(
            f'dca {name} needs the package {error.name}, which is not installed: pip install "dca[{extra}]"'
        ) from error


def _why(error: OSError) -> str:
    reason = error.strerror or str(error) or type(error).__name__
    if error.filename is not None:
        return f"{os.fsdecode(error.filename)}: {reason}"
    if error.errno in NO_ROOM:
        return f"the output could not be written: {reason}; make room there, or write it elsewhere"
    return f"the system refused: {reason}"


def _drop_output() -> None:
    """Send to nowhere what still waits to be written, or the interpreter's end fails on it once more."""
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _complain(message: str) -> None:
    from dca.cli.render import plain  # noqa: PLC0415  # see `_run`

    first, *rest = (plain(line, 1000) for line in message.splitlines())
    sys.stderr.write("\n".join([f"dca: {first}", *(f"  {line}" for line in rest)]) + "\n")

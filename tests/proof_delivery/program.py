"""What every proof's command line does: its size and seed, a folder, a time limit, progress on stderr, and at the end
one JSON object on stdout and an exit code."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from dca.errors import DcaError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["Size", "Task", "main"]

Size = Literal["full", "quick", "tiny"]


class Task(NamedTuple):
    """One proof. `run` gets folder, size and arguments and returns the figures; `holds` judges them."""

    name: str
    """Of the folder under tests."""
    says: str
    limits: dict[Size, float]
    """Seconds after which it gives up."""
    run: Callable[[Path, Size, argparse.Namespace], Awaitable[dict[str, object]]]
    holds: Callable[[dict[str, object]], bool]
    options: Callable[[argparse.ArgumentParser], object] = lambda _: None


async def _run(task: Task, arguments: argparse.Namespace, folder: Path) -> dict[str, object]:
    size: Size = "quick" if arguments.quick else "tiny" if arguments.tiny else "full"
    own = asyncio.current_task()
    assert own is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, own.cancel)
    print(f"seed {arguments.seed}, folder {folder}", file=sys.stderr)
    async with asyncio.timeout(task.limits[size]):
        return await task.run(folder, size, arguments)


def main(task: Task) -> int:
    parser = argparse.ArgumentParser(prog=f"python -m tests.{task.name}", description=task.says)
    parser.add_argument("--quick", action="store_true", help="a small one, in under 50 seconds")
    parser.add_argument("--tiny", action="store_true", help="smaller still, for the system tests")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="the same seed, the same choices")
    task.options(parser)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="dca-proof-"))
    try:
        figures = asyncio.run(_run(task, arguments, folder))
    except (DcaError, OSError, RuntimeError, AssertionError, asyncio.CancelledError) as error:
        print(f"given up: {type(error).__name__} {error}\nthe files are kept in {folder}", file=sys.stderr)
        return 1
    good = task.holds(figures)
    if good:
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)
    else:
        print(f"the files are kept in {folder}", file=sys.stderr)
    print(json.dumps(figures))
    return 0 if good else 1

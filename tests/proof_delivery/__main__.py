"""Prove the delivery with the real processes: `python -m tests.proof_delivery [--quick] [--kills N] [--seed N]`.

Progress goes to stderr; the last line of stdout is one JSON object. Exit code 1 when anything was lost or is
stored twice.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import json
import random
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from dca.errors import DcaError
from tests.proof_delivery.proof import FULL, QUICK, TINY, Proof

LIMIT = {"full": 1800.0, "quick": 120.0, "tiny": 90.0}
"""Seconds after which it gives up."""


async def run(arguments: argparse.Namespace, folder: Path) -> dict[str, object]:
    size = "quick" if arguments.quick else "tiny" if arguments.tiny else "full"
    scale = {"full": FULL, "quick": QUICK, "tiny": TINY}[size]
    if arguments.kills is not None:
        scale = dataclasses.replace(scale, kills=arguments.kills)
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    proof = Proof(folder, scale, arguments.seed)
    proof.say(f"seed {arguments.seed}, folder {folder}")
    async with asyncio.timeout(LIMIT[size]):
        return await proof.run()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.proof_delivery", description="Prove the delivery.")
    parser.add_argument("--quick", action="store_true", help="a small one, in under 50 seconds")
    parser.add_argument("--tiny", action="store_true", help="a few kills, for the system tests")
    parser.add_argument("--kills", type=int, help="how many processes are killed at random moments")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="the same seed, the same choices")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="dca-proof-"))
    try:
        figures = asyncio.run(run(arguments, folder))
    except (DcaError, OSError, RuntimeError, AssertionError, asyncio.CancelledError) as error:
        print(f"given up: {type(error).__name__} {error}\nthe files are kept in {folder}", file=sys.stderr)
        return 1
    good = figures["lost"] == 0 and figures["twice"] == 0
    if good:
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)
    else:
        print(f"the files are kept in {folder}", file=sys.stderr)
    print(json.dumps(figures))
    return 0 if good else 1


sys.exit(main())

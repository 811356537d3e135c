"""Prove the lockout with real processes: `python -m tests.proof_lockout [--quick] [--seed N]`.

Progress goes to stderr; the last line of stdout is one JSON object. Exit code 1 when not exactly five codes reached
the hub, or anything was sent by an agent that is locked.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.proof_delivery.program import Size, Task, main
from tests.proof_lockout.proof import FULL, QUICK, TINY, Proof

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

TRIES = 5


async def run(folder: Path, size: Size, arguments: argparse.Namespace) -> dict[str, object]:
    scale = {"full": FULL, "quick": QUICK, "tiny": TINY}[size]
    return await Proof(folder, scale, arguments.seed).run()


def holds(figures: dict[str, object]) -> bool:
    sent = (figures["reached_hub"], figures["connections_after_lock"])
    return sent == (TRIES, 0) and figures["locked_after_restart"] is True and figures["right_code_after_unlock"] is True


PROOF = Task(
    name="proof_lockout",
    says="Prove the lockout.",
    limits={"full": 900.0, "quick": 120.0, "tiny": 90.0},
    run=run,
    holds=holds,
)

if __name__ == "__main__":
    sys.exit(main(PROOF))

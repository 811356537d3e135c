"""Prove the tasks with the real processes: `python -m tests.proof_tasks [--quick] [--seed N]`.

Progress goes to stderr; the last line of stdout is one JSON object. Exit code 1 when a task was lost, done twice, or
done and reported as never begun.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.proof_delivery.program import Size, Task, main
from tests.proof_tasks.proof import FULL, QUICK, TINY, Proof

if TYPE_CHECKING:
    import argparse
    from pathlib import Path


async def run(folder: Path, size: Size, arguments: argparse.Namespace) -> dict[str, object]:
    scale = {"full": FULL, "quick": QUICK, "tiny": TINY}[size]
    return await Proof(folder, scale, arguments.seed).run()


PROOF = Task(
    name="proof_tasks",
    says="Prove the tasks.",
    limits={"full": 1800.0, "quick": 120.0, "tiny": 90.0},
    run=run,
    holds=lambda figures: not (figures["lost"] or figures["twice"] or figures["untrue"]),
)

if __name__ == "__main__":
    sys.exit(main(PROOF))

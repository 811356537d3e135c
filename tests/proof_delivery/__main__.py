"""Prove the delivery with the real processes: `python -m tests.proof_delivery [--quick] [--kills N] [--seed N]`.

Progress goes to stderr; the last line of stdout is one JSON object. Exit code 1 when anything was lost or is
stored twice.
"""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING

from tests.proof_delivery.program import Size, Task, main
from tests.proof_delivery.proof import FULL, QUICK, TINY, Proof

if TYPE_CHECKING:
    import argparse
    from pathlib import Path


async def run(folder: Path, size: Size, arguments: argparse.Namespace) -> dict[str, object]:
    scale = {"full": FULL, "quick": QUICK, "tiny": TINY}[size]
    if arguments.kills is not None:
        scale = dataclasses.replace(scale, kills=arguments.kills)
    return await Proof(folder, scale, arguments.seed).run()


PROOF = Task(
    name="proof_delivery",
    says="Prove the delivery.",
    limits={"full": 1800.0, "quick": 120.0, "tiny": 90.0},
    run=run,
    holds=lambda figures: figures["lost"] == 0 and figures["twice"] == 0,
    options=lambda parser: parser.add_argument(
        "--kills", type=int, help="how many processes are killed at random moments"
    ),
)

if __name__ == "__main__":
    sys.exit(main(PROOF))

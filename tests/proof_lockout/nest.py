"""A group of guessers with one wall clock: `python -m tests.proof_lockout.nest`, its errand as JSON on stdin.

It is one program, for the libraries are loaded once; each guesser is a process of its own, forked from it. When one
has ended or was killed, another one of the same number goes on. Now and then one is killed with -9.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import select
import signal
import sys
import time
import traceback
from pathlib import Path

import grpc.aio  # noqa: F401 - loaded once for all guessers; it starts no thread before it is used

from tests.proof_delivery.processes import end_with_the_proof
from tests.proof_lockout.guesser import Errand, guess

GO = "go"
"""The file in the proof's folder at whose coming all begin at once."""
KILL_EVERY = 1.0
"""Seconds between two kills, on the average."""


def sleep(seconds: float) -> None:
    """Sleep as time.sleep does: that one goes by an absolute time, which libfaketime takes for one of its own."""
    select.select((), (), (), seconds)


def launch(errand: Errand, guesser: int) -> int:
    """Fork one guesser and return its process id."""
    pid = os.fork()
    if pid:
        return pid
    end_with_the_proof()  # with the nest, as this ends with the proof
    code = 1
    try:
        asyncio.run(guess(errand, guesser))
        code = 0
    except BaseException:  # noqa: BLE001 - a forked process leaves by os._exit only
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def watch(errand: Errand) -> int:
    """Keep all of the group at work until each has made its guesses; return how many were killed from here."""
    chance = random.Random(f"{errand.seed}/{errand.first}/{errand.until}")
    kills = 0
    next_kill = time.monotonic() + chance.expovariate(1 / KILL_EVERY)
    with errand.tally() as tally:
        at_work = {launch(errand, number): number for number in range(errand.first, errand.first + errand.count)}
        while at_work:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid:
                number = at_work.pop(pid)
                if os.WIFEXITED(status) and os.WEXITSTATUS(status):
                    raise RuntimeError(f"guesser {number} has failed")
                if tally.of(number, "guesses") < errand.until:
                    at_work[launch(errand, number)] = number
                continue
            if time.monotonic() > next_kill:
                next_kill = time.monotonic() + chance.expovariate(1 / KILL_EVERY)
                os.kill(chance.choice(list(at_work)), signal.SIGKILL)
                kills += 1
            sleep(0.005)
    return kills


def main() -> None:
    time.sleep = sleep  # for the agent's own code too
    fields = json.load(sys.stdin)
    errand = Errand(**fields | {"folder": Path(fields["folder"]), "pin": bytes.fromhex(fields["pin"])})
    while not (errand.folder / GO).exists():
        sleep(0.005)
    print(json.dumps({"kills": watch(errand)}))


if __name__ == "__main__":
    main()

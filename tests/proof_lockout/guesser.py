"""One process that guesses codes, by the agent's own way to activate."""

from __future__ import annotations

import hashlib
import io
import os
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dca.agent.enrol import Enrolment
from dca.contract.codes import make_code
from dca.errors import ActivationRefusedError, IdentityError, LockedError
from dca.identity.activate import HubPlace, activate
from dca.identity.lockout import Lockout
from tests.proof_lockout.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from dca.contract.codes import Code
    from dca.identity.lockout import Standing

__all__ = ["DEATHS", "Errand", "guess"]

DEATHS = ("reserved", "answered")
"""Files in the proof's folder; who takes one away is killed: when its try is counted and nothing was sent yet, so that
the next process comes with the same code; or when the answer came and is not written down, so that it is gone."""


@dataclass(frozen=True)
class Errand:
    """What a group of guessers is to do."""

    folder: Path
    """Of the proof; the agent's state directory lies in it."""
    port: int
    """Of the line to the hub."""
    pin: bytes
    """Of the right hub."""
    seed: int
    parallel: int
    first: int
    """The number of the group's first guesser."""
    count: int
    """How many are in the group."""
    until: int
    """Guesses that each of them has made when it is done, with those of its forerunners."""
    life: int
    """Guesses after which a process ends and the next one goes on."""

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def code(self, guesser: int, number: int) -> Code:
        """Return a guess: the same after a restart, with the right pin and the rest at random."""
        digest = hashlib.blake2b(f"{self.seed}/{guesser}/{number}".encode()).digest()
        return make_code(self.pin, io.BytesIO(digest).read)

    def tally(self) -> Tally:
        return Tally(self.folder / "tally", self.parallel)


class _Mortal(Lockout):
    """The agent's own lockout, in a process that is killed with -9 at a chosen moment."""

    def __init__(self, directory: Path, folder: Path, last_word: Callable[[str], object]) -> None:
        super().__init__(directory)
        self._folder = folder
        self._last_word = last_word

    def reserve(self, code: Code) -> None:
        super().reserve(code)
        self._die("reserved")

    def refuse(self, code: Code, reason: str) -> Standing:
        self._die("answered")
        return super().refuse(code, reason)

    def _die(self, moment: str) -> None:
        try:
            (self._folder / moment).unlink()
        except FileNotFoundError:
            return
        self._last_word(moment)
        os.kill(os.getpid(), signal.SIGKILL)


async def guess(errand: Errand, guesser: int) -> None:
    """Guess on from where the last process of this number ended; the first guess as `dca activate` does it."""
    place = HubPlace("127.0.0.1", errand.port)
    enrolment = Enrolment(errand.state)
    with errand.tally() as tally:
        lockout = enrolment.lockout
        enrolment.lockout = _Mortal(errand.state, errand.folder, lambda moment: _last_word(tally, guesser, moment))
        done = tally.of(guesser, "guesses")
        end = min(errand.until, done + errand.life)
        if done < end:
            await _try(tally, guesser, enrolment.activate(errand.code(guesser, done), place))
        for number in range(done + 1, end):
            # Without the masks of the log, which keep each code that they ever saw.
            await _try(tally, guesser, activate(errand.code(guesser, number), place, enrolment.vault, lockout))


def _last_word(tally: Tally, guesser: int, moment: str) -> None:
    """Say that a process dies; a guess that the hub has judged is made, and the next process has another code."""
    tally.add(guesser, "deaths")
    if moment == "answered":
        tally.add(guesser, "guesses")


async def _try(tally: Tally, guesser: int, work: Awaitable[object]) -> None:
    try:
        await work
    except LockedError:
        tally.add(guesser, "locked")
    except ActivationRefusedError:
        tally.add(guesser, "refused")
    except IdentityError:
        tally.add(guesser, "unanswered")
    tally.add(guesser, "guesses")

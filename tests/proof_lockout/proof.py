"""The proof: fifty processes guess activation codes at one state directory, and five of them reach the hub."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from dca.contract.codes import Code
from dca.identity.lockout import Lockout
from dca.store import prepare
from tests.proof_delivery.processes import Hub, end_with_the_proof
from tests.proof_delivery.relay import Relay
from tests.proof_delivery.wallclock import WallClock
from tests.proof_lockout.guesser import DEATHS, Errand
from tests.proof_lockout.local import Machine
from tests.proof_lockout.nest import GO
from tests.proof_lockout.tally import Tally
from tests.proof_tasks.asker import Asker

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FULL", "QUICK", "TINY", "Proof", "Scale"]

DAY = 86_400.0
HOUR = 3600.0
NEAR = (0.0, HOUR, -HOUR, 6 * HOUR, -6 * HOUR)
"""Seconds off the true time, of each nest, while there are tries left: by these the hub's certificate holds."""
FAR = (0.0, HOUR, -20 * HOUR, 400 * DAY, -50 * 365 * DAY)
"""And when the agent is locked."""
TRIES = "SELECT count(*), count(DISTINCT code) FROM activations"
NEVER_NOTED = 1
"""Answers that no process lives to write down (`DEATHS`)."""
LIVES = 3
"""Processes that follow one another in each generation, beside those that are killed."""


@dataclass(frozen=True)
class Scale:
    guesses: int
    parallel: int
    generations: int
    """Times that all of it is started anew on the state that is there."""


FULL = Scale(guesses=1_000_000, parallel=50, generations=4)
QUICK = Scale(guesses=20_000, parallel=50, generations=2)
TINY = Scale(guesses=500, parallel=10, generations=2)


class Proof:
    def __init__(self, folder: Path, scale: Scale, seed: int) -> None:
        self.folder = folder
        self.scale = scale
        self.seed = seed
        self.hub = Hub(folder)
        self.line = Relay(lambda: self.hub.port)
        self.asker = Asker(self.hub.data)
        self.tally = Tally(folder / "tally", scale.parallel)
        self.kills = 0
        self._until_lock = 0
        """Connections that came before the agent was locked; and after that:"""
        self._later = 0
        self.started = time.monotonic()

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self.started:6.1f} s  {text}", file=sys.stderr, flush=True)

    async def run(self) -> dict[str, object]:
        """Run it all and return the figures."""
        try:
            await self.hub.start()
            await self.hub.serving()
            await self.hub.command("site", "add", "proof")
            await self.line.open()
            code = await self.hub.code("proof")
            machine = Machine(self.folder, self.line.port)
            prepare(machine.state)
            for moment in DEATHS:
                (self.folder / moment).touch()
            self.say("the hub runs")
            self._until_lock = await self._guess(Code.parse(code))
            (requests, reached), *_ = await self.asker.rows(TRIES)
            self.say(f"{self.tally.total('guesses')} guesses: {reached} codes reached the hub, in {requests} requests")
            locked = await self._is_locked(machine, code)
            (later, _), *_ = await self.asker.rows(TRIES)
            opened = await self._opens(machine, code)
            return {
                "guesses": self.tally.total("guesses"),
                "parallel": self.scale.parallel,
                "reached_hub": reached,
                "locked_after_restart": locked and later == requests,
                "requests_at_hub": later,
                "connections": self._until_lock,
                "connections_after_lock": self._later,
                "right_code_after_unlock": opened,
                "generations": self.scale.generations,
                "kills": self.kills + self.tally.total("deaths"),
                "killed_with_a_try_counted": self.tally.total("deaths"),
                "clocks": len({*NEAR, *FAR}),
                "seconds": round(time.monotonic() - self.started, 1),
            }
        finally:
            self.tally.__exit__()
            await self.asker.close()
            await self.line.close()
            await self.hub.stop()

    async def _guess(self, right: Code) -> int:
        """Let all generations guess; return how many connections there were until the agent was locked."""
        watching = asyncio.create_task(self._when_locked())
        for generation in range(self.scale.generations):
            await self._generation(generation, right)
            standing = Lockout(self.folder / "state").standing()
            self.say(f"generation {generation + 1}: {self.tally.total('guesses')} guesses, {standing.used} tries taken")
        async with asyncio.timeout(30):
            return await watching

    async def _when_locked(self) -> int:
        lockout = Lockout(self.folder / "state")
        while True:
            standing = lockout.standing()
            if standing.locked and standing.unanswered <= NEVER_NOTED:
                self.say(f"locked: {standing.last_reason}")
                return self.line.accepted
            await asyncio.sleep(0.05)

    async def _generation(self, generation: int, right: Code) -> None:
        """Start every nest anew, let all guessers begin at once, and wait until they have made their share."""
        scale = self.scale
        go = self.folder / GO
        go.unlink(missing_ok=True)
        share = -(-scale.guesses // scale.parallel)
        until = -(-share * (generation + 1) // scale.generations)
        clocks = FAR if generation else NEAR
        each = scale.parallel // len(clocks)
        nests = []
        for place, offset in enumerate(clocks):
            errand = Errand(
                folder=self.folder,
                port=self.line.port,
                pin=right.pin,
                seed=self.seed,
                parallel=scale.parallel,
                first=place * each,
                count=each,
                until=until,
                life=-(-share // scale.generations // LIVES),
            )
            nests.append(asyncio.create_task(self._nest(errand, offset, f"nest-{place}")))
        await asyncio.sleep(0)
        go.touch()
        self.kills += sum(await asyncio.gather(*nests))

    async def _nest(self, errand: Errand, offset: float, name: str) -> int:
        clock = WallClock(self.folder / f"{name}.clock")
        clock.step_to(offset)
        fields = asdict(errand) | {"folder": str(errand.folder), "pin": errand.pin.hex()}
        with (self.folder / f"{name}.log").open("ab") as log:
            running = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.proof_lockout.nest"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=self._environ(clock),
                preexec_fn=end_with_the_proof,
            )
        try:
            said, _ = await running.communicate(json.dumps(fields).encode())
        finally:
            if running.returncode is None:
                running.kill()
            clock.forget(running.pid)
        if running.returncode:
            raise RuntimeError(f"{name} has failed; see {self.folder / name}.log")
        return int(json.loads(said)["kills"])

    async def _is_locked(self, machine: Machine, code: str) -> bool:
        """Start the agent and activate it by hand, with a right code; tell whether both refuse and nothing is sent."""
        before = self.line.accepted
        clock = WallClock(self.folder / "later.clock")
        clock.step_to(30 * DAY)
        said = {
            "dca run": await machine.run(code, 20.0),
            "dca run, a month later": await machine.run(code, 20.0, **clock.environ()),
            "dca activate": await machine.activate(code),
        }
        for name, one in said.items():
            self.say(f"{name}: {one.text.strip().splitlines()[-1:]}")
        self._later = self.line.accepted - self._until_lock
        return all(one.locked for one in said.values()) and self.line.accepted == before

    async def _opens(self, machine: Machine, code: str) -> bool:
        """Unlock it; tell whether the right code works then and the audit log has all of it in order."""
        unlocked = await machine.unlock()
        activated = await machine.activate(code)
        audited = await machine.verify()
        for one in (unlocked, activated, audited):
            self.say(one.text.strip())
        return (unlocked.code, activated.code, audited.code) == (0, 0, 0)

    @staticmethod
    def _environ(clock: WallClock) -> dict[str, str]:
        return os.environ | clock.environ()

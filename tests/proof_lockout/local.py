"""What the customer's administrator does on the machine: start the agent, activate it by hand, unlock it."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, NamedTuple

from tests.proof_delivery.processes import DCA, Process

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Machine", "Said"]

CONFIG = """\
[hub]
address = "127.0.0.1:{port}"
activation_code = "file:{code}"
[agent]
state_dir = "{state}"
[[credential]]
name = "office"
version = "2c"
community = "public"
[[range]]
label = "nobody"
include = ["127.22.0.1"]
credentials = ["office"]
"""


class Said(NamedTuple):
    """What a command answered."""

    code: int | None
    """Its exit code; None when it goes on running."""
    text: str

    @property
    def locked(self) -> bool:
        return self.code not in {0, None} and "this agent is locked" in self.text


class Machine:
    def __init__(self, folder: Path, port: int) -> None:
        self.state = folder / "state"
        self._folder = folder
        self._config = folder / "dca.toml"
        self._code = folder / "code"
        self._config.write_text(CONFIG.format(port=port, code=self._code, state=self.state))

    async def run(self, code: str, seconds: float, **environment: str) -> Said:
        """Start the agent with a code in its config, and stop it when it goes on for so long."""
        with os.fdopen(os.open(self._code, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(code)
        agent = Process(self._folder / f"run-{os.urandom(4).hex()}.log")
        await agent.spawn("run", "--config", str(self._config), **environment)
        ended = await agent.ended(seconds)
        await agent.stop()
        return Said(ended, agent.tail())

    async def activate(self, code: str) -> Said:
        """`dca activate`, with the code on its standard input."""
        return await self._dca("activate", "-", said=code)

    async def unlock(self) -> Said:
        return await self._dca("unlock", "--reason", "the proof is over")

    async def verify(self) -> Said:
        return await self._dca("audit", "verify")

    async def _dca(self, *words: str, said: str = "") -> Said:
        pipe, out = asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT
        command = (*DCA, *words, "--config", str(self._config))
        running = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=out)
        text, _ = await running.communicate(said.encode() + b"\n")
        return Said(running.returncode, text.decode("utf-8", "replace"))

"""Somebody at the agent's machine, who activates it as a person does."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from dca.identity.identity import load_identity
from dca.identity.lockout import Lockout
from dca.identity.vault import Vault
from tests.system.agent import DCA, ROOT, environ

if TYPE_CHECKING:
    from pathlib import Path

    from dca.contract.codes import Code
    from dca.identity.identity import Identity
    from tests.hub.process import HubProcess

__all__ = ["Person"]


class Person:
    """Somebody with a state directory."""

    def __init__(self, folder: Path, hub: HubProcess) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.hub = hub

    def types(self, *words: str, text: str | None = None) -> tuple[int, str]:
        """Run a `dca` command; returns its exit code and what it said, in which there is never a traceback."""
        done = subprocess.run(
            [*DCA, *words, "--state-dir", str(self.state)],
            cwd=ROOT, env=environ(), input=text, capture_output=True, text=True, timeout=90, check=False,
        )  # fmt: skip
        said = done.stdout + done.stderr
        assert "Traceback" not in said
        return done.returncode, said

    def activates(self, code: Code | str, *options: str, at: str | None = None) -> tuple[int, str]:
        """Run `dca activate` with the code on standard input."""
        text = code if isinstance(code, str) else code.text().reveal()
        done = self.types("activate", "-", "--hub", at or self.hub.ready["grpc"], *options, text=text + "\n")
        assert isinstance(code, str) or code.secret.reveal() not in done[1]
        return done

    @property
    def used(self) -> int:
        return Lockout(self.state).standing().used

    @property
    def identity(self) -> Identity | None:
        return load_identity(Vault(self.state))

    def audit(self) -> list[str]:
        """What the audit log tells of, oldest first."""
        lines = (self.state / "audit" / "audit.jsonl").read_text().splitlines()
        return [json.loads(line)["what"] for line in lines]

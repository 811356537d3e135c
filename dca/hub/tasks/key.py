"""The hub's task-signing key (Ed25519): agents pin its public half when they are activated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dca.errors import HubError
from dca.hub.folder import write_file

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["TaskKey"]


@dataclass(frozen=True)
class TaskKey:
    """The key in a hub's data folder. Agents do nothing for a hub that has lost it: keep it with the CA."""

    folder: Path

    @property
    def file(self) -> Path:
        """Where it is: PEM, for the hub's user only."""
        return self.folder / "task.key"

    def ensure(self) -> None:
        """Make the key unless it is there.

        Raises: HubError when the one that is there cannot be used.
        """
        if self.file.exists():
            self.private()
            return
        pem = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        try:
            write_file(self.file, pem)
        except OSError as error:
            raise HubError(f"{self.file} cannot be written: {error.strerror}") from error

    def private(self) -> Ed25519PrivateKey:
        """Return the key that signs.

        Raises: HubError when there is none, or it cannot be used.
        """
        try:
            key = serialization.load_pem_private_key(self.file.read_bytes(), None)
        except FileNotFoundError:
            raise HubError(
                f"there is no task-signing key ({self.file}): start the hub on this folder once, "
                "or copy the file from the hub that its agents know"
            ) from None
        except OSError as error:
            raise HubError(f"{self.file} cannot be read: {error.strerror}") from error
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise HubError(self._unusable()) from None
        if not isinstance(key, Ed25519PrivateKey):
            raise HubError(self._unusable())
        return key

    def public(self) -> bytes:
        """Return the 32 bytes by which agents know the hub's tasks. Raises HubError as `private` does."""
        return self.private().public_key().public_bytes_raw()

    def _unusable(self) -> str:
        return f"{self.file} is no Ed25519 private key in PEM without a password: put the hub's own back from a backup"

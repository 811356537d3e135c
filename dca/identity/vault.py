"""Secrets at rest: one AES-256-GCM file in the state directory, whose key comes from `dca.identity.keysource`.

``DCAV`` 01 | salt (16) | nonce (12) | AES-256-GCM of a JSON object; the head is authenticated with it. The key is
HKDF-SHA256 of the key material with the salt; salt and nonce are new at every writing.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from dca.errors import IdentityError
from dca.identity.keysource import KEY_BYTES, vault_key
from dca.store.atomic import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = ["Vault"]

_MAGIC = b"DCAV\x01"
_SALT, _NONCE = 16, 12
_HEAD = len(_MAGIC) + _SALT + _NONCE
_PURPOSE = b"dca vault v1"
_LARGEST = 1 << 20


class Vault:
    """The secret file of one state directory; read and written whole."""

    def __init__(
        self,
        directory: Path,
        *,
        environ: Mapping[str, str] = os.environ,
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.path = directory / "vault"
        self._environ = environ
        self._entropy = entropy

    def read(self) -> dict[str, Any]:
        """Return what is in it, nothing before it was ever written.

        Raises:
            IdentityError: it cannot be opened: another key, or damage.
        """
        try:
            with self.path.open("rb") as file:
                data = file.read(_LARGEST)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise IdentityError(f"{self.path} cannot be read: {error.strerror or error}") from error
        if len(data) <= _HEAD or not data.startswith(_MAGIC):
            raise self._closed("it is damaged")
        head, body = data[:_HEAD], data[_HEAD:]
        try:
            plain = AESGCM(self._key(head, make=False)).decrypt(head[-_NONCE:], body, head)
        except InvalidTag:
            raise self._closed("it was written with another key, or is damaged") from None
        content: dict[str, Any] = json.loads(plain)
        return content

    def write(self, content: Mapping[str, Any]) -> None:
        """Put this in the place of what was in it.

        Raises:
            IdentityError: it cannot be written.
        """
        head = _MAGIC + self._entropy(_SALT) + self._entropy(_NONCE)
        plain = json.dumps(content).encode()
        data = head + AESGCM(self._key(head, make=True)).encrypt(head[-_NONCE:], plain, head)
        try:
            write_whole(self.path, data)
        except OSError as error:
            raise IdentityError(f"{self.path} cannot be written: {error.strerror or error}; see to the disk") from error

    def _key(self, head: bytes, *, make: bool) -> bytes:
        material = vault_key(self.path.parent, make=make, environ=self._environ, entropy=self._entropy)
        salt = head[len(_MAGIC) : len(_MAGIC) + _SALT]
        return HKDF(hashes.SHA256(), KEY_BYTES, salt, _PURPOSE).derive(material)

    def _closed(self, why: str) -> IdentityError:
        return IdentityError(
            f"the vault {self.path} cannot be opened: {why}. Put vault and key back together from one backup, or "
            "remove it and activate this agent anew (dca activate)"
        )

"""Activation codes: whose hub it is, which code it is, and the secret; with a checksum that finds a slip of the pen.

50 characters of Crockford's base32 in ten groups: 8 name the code, 24 pin the hub's CA (the first 120 bits of the
SHA-256 of its certificate), 16 are the secret (80 bits), 2 check the rest: they find every wrong character and every
two neighbours that changed places. All zeros as the pin: the hub has a certificate that the usual roots vouch for.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dca.model import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["NO_PIN", "Code", "make_code", "pin_of"]

PIN_BYTES = 15
NO_PIN = bytes(PIN_BYTES)
"""The pin of a hub that the usual roots vouch for."""
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MEANT = str.maketrans("OIL", "011", " -\t\r\n")
_ID, _PIN, _SECRET, _CHECK = 8, 24, 16, 2
_LENGTH = _ID + _PIN + _SECRET + _CHECK
_GROUP = 5
_PRIME = 1021
"""The largest below 32 * 32: no change of one digit, and no swap of two, is a multiple of it."""


@dataclass(frozen=True)
class Code:
    """An activation code, read."""

    id: str
    """Names the code at the hub; no secret."""
    pin: bytes
    """The first bytes of the SHA-256 of a certificate that the hub's TLS chain holds; `NO_PIN` for none."""
    secret: Secret = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Code:
        """Read a code as a person types it: in any case, with or without dashes, O for 0 and I or L for 1.

        Raises ValueError; its message does not repeat the code.
        """
        plain = text.upper().translate(_MEANT)
        if len(plain) != _LENGTH:
            raise ValueError(f"an activation code has {_LENGTH} characters beside the dashes; this has {len(plain)}")
        if any(character not in _ALPHABET for character in plain):
            raise ValueError("an activation code has digits and letters only (no U)")
        body, check = plain[:-_CHECK], plain[-_CHECK:]
        if _check(body) != check:
            raise ValueError("the activation code is mistyped (its last two characters do not fit): compare it again")
        pin = _from_base32(body[_ID : _ID + _PIN]).to_bytes(PIN_BYTES, "big")
        return cls(body[:_ID], pin, Secret(body[_ID + _PIN :]))

    def text(self) -> Secret:
        """Return the code as it is given to a person."""
        body = self.id + _to_base32(int.from_bytes(self.pin, "big"), _PIN) + self.secret.reveal()
        whole = body + _check(body)
        return Secret("-".join(whole[at : at + _GROUP] for at in range(0, _LENGTH, _GROUP)))

    def digest(self) -> bytes:
        """Return the SHA-256 of id and secret: what is kept instead of the code."""
        return hashlib.sha256(f"dca code {self.id} {self.secret.reveal()}".encode()).digest()

    def fits(self, certificate: bytes) -> bool:
        """Tell whether the pin is that of a certificate (DER)."""
        return self.pin != NO_PIN and pin_of(certificate) == self.pin


def make_code(pin: bytes, entropy: Callable[[int], bytes] = os.urandom) -> Code:
    """Make a new code for the hub with this pin."""
    name = _to_base32(int.from_bytes(entropy(_ID * 5 // 8), "big"), _ID)
    secret = _to_base32(int.from_bytes(entropy(_SECRET * 5 // 8), "big"), _SECRET)
    return Code(name, pin, Secret(secret))


def pin_of(certificate: bytes) -> bytes:
    """Return the pin of a certificate (DER)."""
    return hashlib.sha256(certificate).digest()[:PIN_BYTES]


def _check(body: str) -> str:
    return _to_base32((_from_base32(body) + 1) % _PRIME, _CHECK)


def _to_base32(number: int, length: int) -> str:
    return "".join(_ALPHABET[number >> 5 * at & 31] for at in reversed(range(length)))


def _from_base32(text: str) -> int:
    number = 0
    for character in text:
        number = number << 5 | _ALPHABET.index(character)
    return number

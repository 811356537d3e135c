"""What encrypts a scoped PDU: AES in CFB mode (RFC 3826 and its longer keys) and DES in CBC mode (RFC 3414, 8).

`cryptography` is imported when the first message is encrypted: only v3 with privacy needs it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from dca.model import PrivProtocol
from dca.snmp.ber import BerError

if TYPE_CHECKING:
    from dca.snmp.keys import Keys

__all__ = ["decrypt_octets", "encrypt_octets"]

_WORD = 0xFFFFFFFF


class _Library(NamedTuple):
    cipher: Any
    aes: Any
    cfb: Any
    des: Any
    cbc: Any


@lru_cache(maxsize=1)
def _library() -> _Library:
    from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES  # noqa: PLC0415 - see above
    from cryptography.hazmat.decrepit.ciphers.modes import CFB  # noqa: PLC0415
    from cryptography.hazmat.primitives.ciphers import Cipher  # noqa: PLC0415
    from cryptography.hazmat.primitives.ciphers.algorithms import AES  # noqa: PLC0415
    from cryptography.hazmat.primitives.ciphers.modes import CBC  # noqa: PLC0415

    return _Library(Cipher, AES, CFB, TripleDES, CBC)


def encrypt_octets(keys: Keys, plain: bytes, boots: int, time: int, salt: int) -> tuple[bytes, bytes]:
    """Return (msgPrivacyParameters, the encrypted octets); `salt` is any 64-bit number not used before."""
    if keys.priv_protocol is PrivProtocol.DES:
        octets = ((boots & _WORD) << 32 | salt & _WORD).to_bytes(8, "big")
        encryptor = _des(keys, octets).encryptor()
        plain += bytes(-len(plain) % 8)
    else:
        octets = (salt & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "big")
        encryptor = _aes(keys, boots, time, octets).encryptor()
    return octets, encryptor.update(plain) + encryptor.finalize()


def decrypt_octets(keys: Keys, encrypted: bytes, boots: int, time: int, salt: bytes) -> bytes:
    """Return the plain octets; with DES some padding may follow them.

    Raises:
        BerError: no whole number of blocks.
    """
    if keys.priv_protocol is PrivProtocol.DES:
        if len(encrypted) % 8:
            raise BerError("DES octets that are no multiple of eight")
        decryptor = _des(keys, salt).decryptor()
    else:
        decryptor = _aes(keys, boots, time, salt).decryptor()
    plain: bytes = decryptor.update(encrypted) + decryptor.finalize()
    return plain


def _aes(keys: Keys, boots: int, time: int, salt: bytes) -> Any:
    library = _library()
    start = ((boots & _WORD) << 32 | time & _WORD).to_bytes(8, "big") + salt
    return library.cipher(library.aes(keys.priv), library.cfb(start))


def _des(keys: Keys, salt: bytes) -> Any:
    library = _library()
    start = bytes(a ^ b for a, b in zip(keys.priv[8:16], salt, strict=True))
    return library.cipher(library.des(keys.priv[:8] * 3), library.cbc(start))

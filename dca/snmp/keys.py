"""From passphrases to the keys of one engine (RFC 3414 A.2, RFC 7860, RFC 3826 and the two key extensions).

The derivation is pysnmp's; it is imported when the first v3 credential is used (17 MB, 0.1 s). A passphrase is
hashed once (6 ms), a key is localised once per engine (some 20 microseconds), both outside the hot path.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from dca.model import AuthProtocol, Credential, PrivProtocol

__all__ = ["Keys", "MasterKeys", "master_keys"]

_AUTH: dict[AuthProtocol, tuple[str, str, int]] = {
    # protocol: (pysnmp's name, hashlib's name, octets of the MAC that travel)
    AuthProtocol.MD5: ("USM_AUTH_HMAC96_MD5", "md5", 12),
    AuthProtocol.SHA1: ("USM_AUTH_HMAC96_SHA", "sha1", 12),
    AuthProtocol.SHA224: ("USM_AUTH_HMAC128_SHA224", "sha224", 16),
    AuthProtocol.SHA256: ("USM_AUTH_HMAC192_SHA256", "sha256", 24),
    AuthProtocol.SHA384: ("USM_AUTH_HMAC256_SHA384", "sha384", 32),
    AuthProtocol.SHA512: ("USM_AUTH_HMAC384_SHA512", "sha512", 48),
}
_PRIV: dict[PrivProtocol, tuple[str, int]] = {
    # protocol: (pysnmp's name, octets of the localised key that are used)
    PrivProtocol.DES: ("USM_PRIV_CBC56_DES", 16),
    PrivProtocol.AES128: ("USM_PRIV_CFB128_AES", 16),
    PrivProtocol.AES192: ("USM_PRIV_CFB192_AES_BLUMENTHAL", 24),
    PrivProtocol.AES256: ("USM_PRIV_CFB256_AES_BLUMENTHAL", 32),
    PrivProtocol.AES192C: ("USM_PRIV_CFB192_AES", 24),
    PrivProtocol.AES256C: ("USM_PRIV_CFB256_AES", 32),
}


@dataclass(frozen=True)
class Keys:
    """What signs and encrypts towards one engine; no repr of it shows a key."""

    digest: str = ""
    """hashlib's name of the digest; "" for noAuthNoPriv."""
    mac_length: int = 0
    auth: bytes = field(default=b"", repr=False)
    priv_protocol: PrivProtocol | None = None
    priv: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class MasterKeys:
    """A credential's keys before they are bound to an engine."""

    auth_protocol: AuthProtocol | None
    priv_protocol: PrivProtocol | None
    _auth: Any = field(default=None, repr=False)
    _priv: Any = field(default=None, repr=False)

    def localize(self, engine_id: bytes) -> Keys:
        """Return the keys of the engine."""
        if self.auth_protocol is None:
            return Keys()
        config = _pysnmp()
        name, digest, mac_length = _AUTH[self.auth_protocol]
        auth_service = getattr(config, name)
        engine = _octet_string(engine_id)
        auth = bytes(config.AUTH_SERVICES[auth_service].localize_key(self._auth, engine))
        priv = b""
        if self.priv_protocol is not None:
            priv_name, length = _PRIV[self.priv_protocol]
            service = config.PRIV_SERVICES[getattr(config, priv_name)]
            priv = bytes(service.localize_key(auth_service, self._priv, engine))[:length]
        return Keys(digest, mac_length, auth, self.priv_protocol, priv)


@lru_cache(maxsize=256)
def master_keys(credential: Credential, auth: AuthProtocol | None, priv: PrivProtocol | None) -> MasterKeys:
    """Return the master keys of a v3 credential for these protocols (None: that level is not used)."""
    if auth is None or credential.auth_password is None:
        return MasterKeys(None, None)
    config = _pysnmp()
    auth_service = getattr(config, _AUTH[auth][0])
    auth_key = config.AUTH_SERVICES[auth_service].hash_passphrase(credential.auth_password.reveal())
    if priv is None or credential.priv_password is None:
        return MasterKeys(auth, None, auth_key)
    priv_service = config.PRIV_SERVICES[getattr(config, _PRIV[priv][0])]
    priv_key = priv_service.hash_passphrase(auth_service, credential.priv_password.reveal())
    return MasterKeys(auth, priv, auth_key, priv_key)


@lru_cache(maxsize=1)
def _pysnmp() -> Any:
    from pysnmp.entity import config  # noqa: PLC0415 - heavy, and only v3 needs it

    return config


def _octet_string(content: bytes) -> Any:
    from pyasn1.type.univ import OctetString  # noqa: PLC0415 - as above

    return OctetString(content)

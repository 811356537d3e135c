"""What stays inside the agent: secrets, credentials, ranges and known devices. No I/O.

What travels is the protobuf message (`dca.wire`); these never leave the machine.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

__all__ = ["AuthProtocol", "Credential", "Known", "PrivProtocol", "Range", "Secret", "SnmpVersion"]


class Secret:
    """A text that no log, repr or traceback shows; `reveal()` is the only way to it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)


class AuthProtocol(StrEnum):
    """SNMPv3 authentication (RFC 3414, RFC 7860)."""

    MD5 = "md5"
    SHA1 = "sha1"
    SHA224 = "sha224"
    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"


class PrivProtocol(StrEnum):
    """SNMPv3 privacy (RFC 3414, RFC 3826; AES-192/256 with both key extensions in use).

    The key extension matters only where the digest is shorter than the key (MD5, SHA-1, and SHA-224
    with AES-256): plain ``aes192``/``aes256`` is Blumenthal's, ``-c`` is Reeder's (as Cisco uses it).
    """

    DES = "des"
    AES128 = "aes128"
    AES192 = "aes192"
    AES256 = "aes256"
    AES192C = "aes192-c"
    AES256C = "aes256-c"


SnmpVersion = Literal["1", "2c", "3"]


@dataclass(frozen=True)
class Credential:
    """How to speak to a device: a community (v1, v2c) or a v3 user.

    `version` None means: v2c first, then v1. For v3, `auth` or `priv` None while the password is
    given means: find the protocol out (`dca.snmp` tries them and remembers which one worked).
    """

    name: str
    version: SnmpVersion | None = None
    community: Secret | None = None
    user: str = ""
    auth: AuthProtocol | None = None
    auth_password: Secret | None = None
    priv: PrivProtocol | None = None
    priv_password: Secret | None = None
    context: str = ""

    @property
    def is_v3(self) -> bool:
        """Tell whether this is a v3 user."""
        return self.version == "3"


@dataclass(frozen=True)
class Range:
    """Addresses that the agent may contact, and how.

    `include` and `exclude` hold texts: CIDR, ``a-b``, single addresses and (include and exclude)
    host names; `dca.discovery.ranges` turns them into addresses.
    """

    label: str
    include: tuple[str, ...]
    exclude: tuple[str, ...] = ()
    credentials: tuple[Credential, ...] = ()
    """In the order to try; never more than these are tried."""
    port: int = 161
    enabled: bool = True


@dataclass
class Known:
    """A device of the registry: what the agent remembers between readings."""

    device_id: str
    """Stable name, made from serial, MAC or engine ID; survives a change of address."""
    address: str
    port: int
    range: str
    """Label of the range it was found in."""
    credential: str
    """Name of the credential that worked."""
    version: SnmpVersion
    auth: AuthProtocol | None = None
    """The v3 protocols that worked, where the credential left them open."""
    priv: PrivProtocol | None = None
    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    mac: str = ""
    engine_id: str = ""
    name: str = ""
    cells: bytes = b""
    """What the first full reading learned (see `dca.printers`), in its own compact form."""
    outcome: int = 0
    """`Outcome` of the last reading."""
    reason: str = ""
    first_seen: float = 0.0
    """Unix seconds, UTC, as all times here."""
    last_read: float = 0.0
    """The last reading that was answered."""
    last_tried: float = 0.0
    silent_since: float = 0.0
    """0 while it answers."""
    quirks: dict[str, int | bool] = field(default_factory=dict)
    """What the protocol had to learn about it: ``max_repetitions``, ``no_bulk``."""

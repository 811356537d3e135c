"""Who this agent is at its hub, as the vault keeps it."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.x509.oid import NameOID
from google.protobuf.message import DecodeError

from dca.errors import IdentityError
from dca.model import Secret
from dca.wire.activation_pb2 import ChannelSettings

if TYPE_CHECKING:
    from dca.identity.vault import Vault

__all__ = ["PENDING", "RENEW_AT", "Identity", "load_identity", "save_identity"]

RENEW_AT = 2 / 3
"""Of a certificate's life, after which it is renewed."""
PENDING = "pending_key"
"""In the vault: the key of an activation whose answer has not come; the next try has to come with the same one."""
_RECORD = "identity"


@dataclass(frozen=True)
class Identity:
    """What an activation brought."""

    agent_id: str
    site: str
    key: Secret
    """Private key, PEM (PKCS #8)."""
    chain: str
    """The certificate and the hub's CA, PEM."""
    hub_ca: str
    """The hub's CA that the code pinned, PEM; empty where the usual roots vouch for the hub."""
    task_key: bytes
    """Ed25519 public key of the hub, 32 bytes."""
    channel: ChannelSettings | None = field(default=None, repr=False)

    @property
    def certificate(self) -> x509.Certificate:
        """The agent's own certificate."""
        return x509.load_pem_x509_certificates(self.chain.encode("ascii"))[0]

    @property
    def name(self) -> str:
        """The agent's id as the certificate has it; empty where it has none."""
        names = self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return str(names[0].value) if names else ""

    @property
    def ends(self) -> datetime:
        """The certificate's end, UTC."""
        return self.certificate.not_valid_after_utc

    def renew_at(self) -> float:
        """Return when the certificate is to be renewed, Unix seconds."""
        certificate = self.certificate
        begin, end = certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp()
        return begin + (end - begin) * RENEW_AT

    def is_over(self, wall: float) -> bool:
        """Tell whether the certificate has ended at a time (Unix seconds)."""
        return self.ends <= datetime.fromtimestamp(wall, UTC)

    def with_certificate(self, key: Secret, chain: str, channel: ChannelSettings | None) -> Identity:
        """Return the identity after a renewal."""
        return replace(self, key=key, chain=chain, channel=channel or self.channel)

    def secrets(self) -> list[Secret]:
        """Return what no log may show."""
        found = [self.key]
        if self.channel is not None and self.channel.password:
            found.append(Secret(self.channel.password))
        return found


def load_identity(vault: Vault) -> Identity | None:
    """Return the identity in a vault, None before any activation.

    Raises:
        IdentityError: the vault cannot be opened, or holds something else.
    """
    record = vault.read().get(_RECORD)
    if record is None:
        return None
    try:
        return _identity(record)
    except (ValueError, LookupError, TypeError, AttributeError, DecodeError) as error:
        raise IdentityError(f"the identity in {vault.path} cannot be read: activate this agent anew") from error


def save_identity(vault: Vault, identity: Identity) -> None:
    """Keep an identity in the vault. Raises IdentityError when it cannot be written."""
    channel = identity.channel.SerializeToString() if identity.channel is not None else b""
    record = {
        "agent_id": identity.agent_id,
        "site": identity.site,
        "key": identity.key.reveal(),
        "chain": identity.chain,
        "hub_ca": identity.hub_ca,
        "task_key": base64.b64encode(identity.task_key).decode("ascii"),
        "channel": base64.b64encode(channel).decode("ascii"),
    }
    content = vault.read() | {_RECORD: record}
    content.pop(PENDING, None)
    vault.write(content)


def _identity(record: dict[str, Any]) -> Identity:
    channel = base64.b64decode(record["channel"])
    identity = Identity(
        agent_id=str(record["agent_id"]),
        site=str(record["site"]),
        key=Secret(str(record["key"])),
        chain=str(record["chain"]),
        hub_ca=str(record["hub_ca"]),
        task_key=base64.b64decode(record["task_key"]),
        channel=ChannelSettings.FromString(channel) if channel else None,
    )
    _ = identity.ends  # cannot be read: noticed now
    return identity

"""Who may do what at the embedded NATS: an operator, one account, and a signed token for each user (NATS JWT).

The keys stay in the data folder, so that tokens given out before a restart hold. An agent's token opens two subjects:
its own tasks to listen to, its own status to speak on.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import nkeys

from dca.errors import HubError
from dca.hub.folder import write_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from dca.model import Secret


__all__ = ["NatsKeys", "NatsLogin"]

_PREFIXES = {
    "operator": nkeys.PREFIX_BYTE_OPERATOR,
    "account": nkeys.PREFIX_BYTE_ACCOUNT,
    "system": nkeys.PREFIX_BYTE_ACCOUNT,
    "hub": nkeys.PREFIX_BYTE_USER,
}
_LIMITS = dict.fromkeys(
    (
        "subs",
        "data",
        "payload",
        "imports",
        "exports",
        "conn",
        "leaf",
        "mem_storage",
        "disk_storage",
        "streams",
        "consumer",
    ),
    -1,
) | {"wildcards": True}
_NO_STREAMS = dict.fromkeys(("mem_storage", "disk_storage", "streams", "consumer"), 0)
_LARGEST_STATUS = 65_536


@dataclass(frozen=True)
class NatsLogin:
    """How the hub itself signs in."""

    jwt: str
    sign: Callable[[str], bytes]
    """Signs the server's nonce."""


class NatsKeys:
    """The key pairs of a hub's NATS."""

    def __init__(self, pairs: dict[str, nkeys.KeyPair]) -> None:
        """Only `open` and `given` call this."""
        self._pairs = pairs

    @classmethod
    def given(cls, seed: Secret) -> NatsKeys:
        """Return those of somebody else's NATS: the account's seed (``SA...``) signs for the hub and for agents.

        Raises: HubError when it is none.
        """
        try:
            prefix, _ = nkeys.decode_seed(seed.reveal().encode())
            pair = nkeys.from_seed(seed.reveal().encode())
        except (ValueError, nkeys.NkeysError) as error:
            raise HubError("DCA_NATS_ACCOUNT_SEED is no seed of a NATS account (SA...)") from error
        if prefix != nkeys.PREFIX_BYTE_ACCOUNT:
            raise HubError("DCA_NATS_ACCOUNT_SEED is the seed of something else; an account's begins with SA")
        return cls({"account": pair, "hub": _new_user()})

    @classmethod
    def open(cls, file: Path) -> NatsKeys:
        """Return those in a file, made if it is not there. Raises HubError when it cannot be read."""
        try:
            seeds = json.loads(file.read_text("ascii"))
            pairs = {name: nkeys.from_seed(seeds[name].encode()) for name in _PREFIXES}
        except FileNotFoundError:
            seeds = {name: nkeys.encode_seed(os.urandom(32), prefix).decode() for name, prefix in _PREFIXES.items()}
            write_file(file, json.dumps(seeds).encode())
            pairs = {name: nkeys.from_seed(seed.encode()) for name, seed in seeds.items()}
        except (OSError, ValueError, LookupError, TypeError, AttributeError, nkeys.NkeysError) as error:
            raise HubError(f"{file} cannot be used: put it back from the backup, or remove it") from error
        return cls(pairs)

    def configuration(self, now: int) -> str:
        """Return the lines of the server's configuration."""
        account, system = _public(self._pairs["account"]), _public(self._pairs["system"])
        operator = self._token(
            "operator", _public(self._pairs["operator"]), "hub", {"system_account": system}, "operator", now
        )
        plain = self._token(
            "operator", account, "agents", {"limits": _LIMITS, "default_permissions": {}}, "account", now
        )
        quiet = self._token("operator", system, "system", {"limits": _LIMITS | _NO_STREAMS}, "account", now)
        return (
            f"operator: {operator}\nsystem_account: {system}\nresolver: MEMORY\n"
            f"resolver_preload: {{\n  {account}: {plain}\n  {system}: {quiet}\n}}\n"
        )

    def hub(self, now: int) -> NatsLogin:
        """Return the hub's own way in."""
        pair = self._pairs["hub"]
        token = self._user(_public(pair), "hub", {"pub": {}, "sub": {}}, now)
        return NatsLogin(token, lambda nonce: base64.b64encode(pair.sign(nonce.encode())))

    def agent(self, agent_id: str, now: datetime, until: datetime) -> str:
        """Return the token of an agent, good until a time; it is the password, and nothing else is needed with it."""
        rights = {
            "bearer_token": True,
            "allowed_connection_types": ["MQTT", "MQTT_WS"],
            "pub": {"allow": [f"dca.{agent_id}.status"]},
            "sub": {"allow": [f"dca.{agent_id}.tasks"]},
            "payload": _LARGEST_STATUS,
        }
        return self._user(_public(_new_user()), agent_id, rights, int(now.timestamp()), int(until.timestamp()))

    def _user(self, public: str, name: str, rights: dict[str, Any], now: int, until: int = 0) -> str:
        return self._token(
            "account", public, name, {"subs": -1, "data": -1, "payload": -1} | rights, "user", now, until
        )

    def _token(  # noqa: PLR0917 - the claims of a NATS JWT
        self, issuer: str, subject: str, name: str, claims: dict[str, Any], kind: str, now: int, until: int = 0
    ) -> str:
        pair = self._pairs[issuer]
        content: dict[str, Any] = {"iat": now, "iss": _public(pair), "sub": subject, "name": name}
        content["nats"] = claims | {"type": kind, "version": 2}
        if until:
            content["exp"] = until
        content["jti"] = base64.b32encode(hashlib.sha256(_compact(content)).digest()).decode().rstrip("=")
        head = _base64({"typ": "JWT", "alg": "ed25519-nkey"})
        signed = f"{head}.{_base64(content)}"
        return f"{signed}.{_unpadded(pair.sign(signed.encode()))}"


def _new_user() -> nkeys.KeyPair:
    return nkeys.from_seed(nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER))


def _public(pair: nkeys.KeyPair) -> str:
    text: bytes = pair.public_key
    return text.decode()


def _compact(content: dict[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()


def _base64(content: dict[str, Any]) -> str:
    return _unpadded(_compact(content))


def _unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

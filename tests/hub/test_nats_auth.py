from __future__ import annotations

import base64
import json
import stat
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import nkeys
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from dca.errors import HubError
from dca.hub.engines.nats_auth import NatsKeys
from dca.model import Secret

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
NAME = str(uuid4())


@pytest.fixture
def keys(tmp_path: Path) -> NatsKeys:
    return NatsKeys.open(tmp_path / "nats.keys")


def claims(token: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(decoded(token.split(".")[1]))
    return found


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def issuer(token: str) -> Ed25519PublicKey:
    """The key that a token says it is signed with: one byte of kind, 32 of key, two of checksum."""
    text = claims(token)["iss"]
    return Ed25519PublicKey.from_public_bytes(base64.b32decode(text + "=" * (-len(text) % 8))[1:33])


def test_an_agents_token_opens_two_subjects_for_mqtt_until_a_time(keys: NatsKeys) -> None:
    token = keys.agent(NAME, NOW, NOW + timedelta(days=90))
    found = claims(token)
    rights = found["nats"]
    assert found["name"] == NAME
    assert rights["pub"] == {"allow": [f"dca.{NAME}.status"]}
    assert rights["sub"] == {"allow": [f"dca.{NAME}.tasks"]}
    assert set(rights["allowed_connection_types"]) == {"MQTT", "MQTT_WS"}
    assert (found["iat"], found["exp"]) == (int(NOW.timestamp()), int(NOW.timestamp()) + 90 * 86_400)
    signed, _, signature = token.rpartition(".")
    issuer(token).verify(decoded(signature), signed.encode())


def test_no_two_tokens_are_of_one_user(keys: NatsKeys) -> None:
    made = [claims(keys.agent(NAME, NOW, NOW + timedelta(days=1)))["sub"] for _ in range(20)]
    assert len(set(made)) == 20
    assert all(user.startswith("U") for user in made)


def test_the_keys_are_for_the_owner_only_and_the_same_after_a_restart(tmp_path: Path, keys: NatsKeys) -> None:
    file = tmp_path / "nats.keys"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = NatsKeys.open(file)
    assert claims(again.agent(NAME, NOW, NOW))["iss"] == claims(keys.agent(NAME, NOW, NOW))["iss"]
    other = NatsKeys.open(tmp_path / "other.keys")
    assert claims(other.agent(NAME, NOW, NOW))["iss"] != claims(keys.agent(NAME, NOW, NOW))["iss"]


def test_the_configuration_holds_no_seed(tmp_path: Path, keys: NatsKeys) -> None:
    text = keys.configuration(1)
    for seed in json.loads((tmp_path / "nats.keys").read_text()).values():
        assert seed not in text
    assert "system_account" in text


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"operator": "SOx"}', "\x00"])
def test_a_file_of_keys_that_is_none_is_said(tmp_path: Path, content: str) -> None:
    (tmp_path / "bad").write_text(content)
    with pytest.raises(HubError, match="put it back from the backup"):
        NatsKeys.open(tmp_path / "bad")


def test_a_given_seed_must_be_an_accounts() -> None:
    account = nkeys.encode_seed(bytes(32), nkeys.PREFIX_BYTE_ACCOUNT).decode()
    assert claims(NatsKeys.given(Secret(account)).agent(NAME, NOW, NOW))["iss"].startswith("A")
    user = nkeys.encode_seed(bytes(32), nkeys.PREFIX_BYTE_USER).decode()
    for seed in (user, "SAx", ""):
        with pytest.raises(HubError) as caught:
            NatsKeys.given(Secret(seed))
        assert not seed or seed not in str(caught.value)

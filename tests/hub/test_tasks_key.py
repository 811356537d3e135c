from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from dca.errors import HubError
from dca.hub.tasks.key import TaskKey

if TYPE_CHECKING:
    from pathlib import Path


def test_the_key_is_made_once_and_is_the_hubs_alone(tmp_path: Path) -> None:
    key = TaskKey(tmp_path)
    key.ensure()
    public = key.public()
    key.ensure()
    assert len(public) == 32
    assert TaskKey(tmp_path).public() == public
    assert (tmp_path / "task.key").stat().st_mode & 0o777 == 0o600


def test_without_a_key_it_is_said_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(HubError, match="start the hub on this folder once"):
        TaskKey(tmp_path).private()


def other_kind() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.mark.parametrize(
    "content", [b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n", other_kind()], ids=["none", "bad", "ec"]
)
def test_a_key_that_is_none_is_neither_used_nor_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "task.key").write_bytes(content)
    with pytest.raises(HubError, match="back from a backup"):
        TaskKey(tmp_path).ensure()
    assert (tmp_path / "task.key").read_bytes() == content


def test_a_key_says_nothing_of_itself(tmp_path: Path) -> None:
    key = TaskKey(tmp_path)
    key.ensure()
    assert "BEGIN" not in repr(key)
    assert "BEGIN" not in repr(key.private())

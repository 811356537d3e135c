from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dca.errors import IdentityError
from dca.identity.identity import PENDING, load_identity, save_identity
from dca.identity.keysource import CREDENTIAL
from dca.identity.vault import Vault
from tests.identity.fake_hub import made_identity

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = {"word": "s3cret-community", "list": [1, None, "ö\0"], "deep": {"key": "-----BEGIN PRIVATE KEY-----"}}
WRITER = """
import sys
from pathlib import Path
from dca.identity.vault import Vault
vault = Vault(Path(sys.argv[1]), environ={})
number = 0
while True:
    number += 1
    vault.write({"number": number, "again": [number] * 2000})
    print(number, flush=True)
"""


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    made = Vault(tmp_path, environ={})
    made.write(CONTENT)
    return made


def credential(folder: Path, key: bytes = bytes(32)) -> dict[str, str]:
    folder.mkdir(exist_ok=True)
    (folder / CREDENTIAL).write_bytes(key)
    return {"CREDENTIALS_DIRECTORY": str(folder)}


def test_what_is_put_in_comes_out_and_nothing_comes_out_of_none(vault: Vault, tmp_path: Path) -> None:
    assert Vault(tmp_path, environ={}).read() == CONTENT
    assert Vault(tmp_path / "other", environ={}).read() == {}


def test_files_are_for_their_owner_only_and_hold_nothing_that_can_be_read(vault: Vault, tmp_path: Path) -> None:
    assert sorted(path.name for path in tmp_path.iterdir()) == ["vault", "vault.key"]
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    data = vault.path.read_bytes()
    for word in (b"s3cret", b"community", b"BEGIN", (tmp_path / "vault.key").read_bytes()):
        assert word not in data
    vault.write(CONTENT)
    again = vault.path.read_bytes()
    for part in (slice(5, 21), slice(21, 33), slice(33, None)):
        assert again[part] != data[part]


def test_another_key_does_not_open_it(vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "vault.key").write_bytes(os.urandom(32))
    with pytest.raises(IdentityError, match="another key, or is damaged"):
        vault.read()


def test_every_flipped_bit_and_every_missing_byte_is_noticed(tmp_path: Path) -> None:
    vault = Vault(tmp_path, environ={})
    vault.write({"a": 1})
    data = vault.path.read_bytes()
    for at in range(len(data) * 8):
        changed = bytearray(data)
        changed[at // 8] ^= 1 << at % 8
        vault.path.write_bytes(changed)
        with pytest.raises(IdentityError, match="cannot be opened"):
            vault.read()
    for size in range(len(data)):
        vault.path.write_bytes(data[:size])
        with pytest.raises(IdentityError, match="cannot be opened"):
            vault.read()
    vault.path.write_bytes(data + b"\0")
    with pytest.raises(IdentityError, match="cannot be opened"):
        vault.read()


@given(st.binary(max_size=200))
def test_whatever_lies_there_is_no_crash(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    vault = Vault(tmp_path_factory.mktemp("vault"), environ={})
    vault.write({})
    for content in (data, b"DCAV\x01" + data):
        vault.path.write_bytes(content)
        with pytest.raises(IdentityError, match="cannot be opened"):
            vault.read()


def test_a_key_that_others_can_read_opens_nothing(vault: Vault, tmp_path: Path) -> None:
    for mode in (0o640, 0o604, 0o620, 0o777):
        (tmp_path / "vault.key").chmod(mode)
        with pytest.raises(IdentityError, match="chmod 600"):
            vault.read()
        with pytest.raises(IdentityError, match="chmod 600"):
            vault.write({})


def test_a_link_or_a_pipe_in_the_place_of_the_key_is_not_followed(vault: Vault, tmp_path: Path) -> None:
    key = tmp_path / "vault.key"
    key.rename(tmp_path / "elsewhere")
    key.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(IdentityError, match="cannot be read"):
        vault.read()
    key.unlink()
    os.mkfifo(key, 0o600)
    with pytest.raises(IdentityError):
        vault.read()


def test_a_key_that_is_gone_is_said_and_none_is_made_to_read(vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "vault.key").unlink()
    with pytest.raises(IdentityError, match="the key of the vault is gone"):
        vault.read()
    assert not (tmp_path / "vault.key").exists()


def test_a_short_key_is_none(vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "vault.key").write_bytes(bytes(31))
    with pytest.raises(IdentityError, match="holds 31 bytes"):
        vault.read()


def test_the_credential_of_systemd_goes_first_and_no_key_file_is_made(tmp_path: Path) -> None:
    environ = credential(tmp_path / "credentials")
    state = tmp_path / "state"
    state.mkdir()
    Vault(state, environ=environ).write(CONTENT)
    assert [path.name for path in state.iterdir()] == ["vault"]
    assert Vault(state, environ=environ).read() == CONTENT
    with pytest.raises(IdentityError, match="is gone"):
        Vault(state, environ={}).read()
    (state / "vault.key").write_bytes(os.urandom(32))
    (state / "vault.key").chmod(0o600)
    assert Vault(state, environ=environ).read() == CONTENT
    with pytest.raises(IdentityError, match="holds 5 bytes"):
        Vault(state, environ=credential(tmp_path / "other", b"short")).read()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root writes for another user")
def test_what_root_writes_belongs_to_the_owner_of_the_directory(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    os.chown(state, 65534, 65534)
    Vault(state, environ={}).write(CONTENT)
    assert {path.name: (path.stat().st_uid, path.stat().st_gid) for path in state.iterdir()} == {
        "vault": (65534, 65534),
        "vault.key": (65534, 65534),
    }


def test_what_cannot_be_written_is_said_and_leaves_what_was(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(IdentityError, match="No space left on device; see to the disk"):
        vault.write({"new": 1})
    monkeypatch.undo()
    assert vault.read() == CONTENT
    assert sorted(path.name for path in vault.path.parent.iterdir()) == ["vault", "vault.key"]


def test_a_kill_at_any_moment_leaves_a_whole_one(tmp_path: Path) -> None:
    for turn in range(12):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            written = 0
            for _ in range(turn % 4 + 1):
                written = int(writer.stdout.readline())
            writer.send_signal(signal.SIGKILL)
        found = Vault(tmp_path, environ={}).read()
        assert found["number"] >= written
        assert found["again"] == [found["number"]] * 2000


def test_an_identity_is_kept_and_the_key_of_its_activation_goes(vault: Vault) -> None:
    identity = made_identity()
    vault.write({PENDING: identity.key.reveal(), "other": 1})
    save_identity(vault, identity)
    assert load_identity(vault) == identity
    assert vault.read().keys() == {"identity", "other"}
    assert identity.key.reveal() not in repr(identity)
    assert "pass-word" not in repr(identity)
    assert {secret.reveal() for secret in identity.secrets()} == {identity.key.reveal(), "pass-word"}


@pytest.mark.parametrize("change", [{"chain": "x"}, {"task_key": "ä"}, {"channel": "AAAA"}, {"key": None}, {}])
def test_an_identity_that_is_none_is_said(vault: Vault, change: dict[str, object]) -> None:
    save_identity(vault, made_identity())
    record = vault.read()["identity"] | change
    if not change:
        record = ["no", "identity"]
    elif change.get("key", 1) is None:
        del record["key"]
    vault.write({"identity": record})
    with pytest.raises(IdentityError, match="activate this agent anew"):
        load_identity(vault)


def test_nothing_of_a_secret_is_in_what_is_said(vault: Vault) -> None:
    key = (vault.path.parent / "vault.key").read_bytes()
    vault.path.write_bytes(vault.path.read_bytes()[:-1])
    with pytest.raises(IdentityError) as caught:
        vault.read()
    assert key.hex() not in str(caught.value)
    assert repr(key)[2:-1] not in str(caught.value)
